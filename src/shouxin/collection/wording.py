"""What the dunning letters say, in both languages side by side: letters are legal papers, so they are read as a whole.

Each tone has paragraphs with %(names)s to be filled; values are only ever filled in, never read as text of ours.
The required contents are those of domain 4.7: debtor, cause, time, amount, invoice numbers, our account, deadline,
contact, what we intend to do.
"""

from collections.abc import Mapping
from typing import Literal

from shouxin.rules.policy import DunningStage, Policy

Tone = Literal["reminder", "friendly", "formal", "final", "lawyer"]
Words = Mapping[str, str]

TONES: Mapping[str, Mapping[Tone, tuple[str, ...]]] = {
    "zh-hans": {
        "reminder": (
            "感谢贵公司一直以来对我公司的支持与信任。现就下列即将到期的款项作温馨提示，以便贵公司安排付款。",
            "截至%(today)s，贵公司下列款项即将到期，扣除贵公司尚未核销的款项后，合计%(claims)s。",
            "敬请于到期日前将款项汇至%(account)s；如尚未收到发票，或对账单有任何疑问，请及时与我公司联系人联系。",
            "如贵公司已安排付款，请忽略本函。本函仅为付款提示，不构成对任何权利的放弃或变更。",
        ),
        "friendly": (
            "感谢贵公司一直以来对我公司的支持与信任。经我公司核对账目，贵公司下列货款已过约定付款期，可能系工作疏漏所致，特此函告。",
            "截至%(today)s，贵公司逾期未付款项合计%(claims)s，明细如下表；最早一笔已逾期%(days)s天。",
            "请于%(deadline)s前将上述款项汇至%(account)s。如款项已于近日付出，请告知付款日期及金额，并忽略本函。",
            "如贵公司对货物质量、数量、单价、发票或账目存有争议，请在上述期限内以书面形式告知争议的发票号、金额及事由，我公司将立即核实；无争议部分仍请按期支付。",
        ),
        "formal": (
            "贵公司与我公司之间的买卖业务，我公司已按约定供货并开具发票，贵公司未按约定期限付款。%(history)s特此正式催告。",
            "截至%(today)s，贵公司尚欠我公司逾期货款合计%(claims)s，发票、到期日及金额见下表；最早一笔已逾期%(days)s天。",
            "请贵公司务必于%(deadline)s前将上述款项一次性付至%(account)s。",
            "逾期仍未付款的，我公司将依照合同约定及《中华人民共和国民法典》第五百七十七条、第五百七十九条、第五百八十五条的规定主张继续履行、逾期付款违约金（合同未约定的，按逾期付款损失计算）及实现债权的费用，并将下调贵公司信用等级，暂停赊销直至停止供货。",
            "如对账目有异议，请在上述期限内书面提出并附证明材料；逾期未提出的，我公司将按现有账目主张权利。",
        ),
        "final": (
            "%(history)s贵公司的行为已严重违反双方约定。现作最后催告。",
            "截至%(today)s，贵公司尚欠我公司逾期货款合计%(claims)s，发票、到期日及金额见下表；最早一笔已逾期%(days)s天。",
            "自本函发出之日起，我公司停止向贵公司供货并暂停全部赊销，贵公司在我公司的信用等级将按我公司信用管理制度相应下调；尚未履行的订单须款到后发货。",
            "最后付款期限为%(deadline)s。请在该日前将上述款项全部付至%(account)s，或与我公司联系人达成书面还款计划。",
            "逾期仍未付款的，我公司将不再另行通知，委托律师采取发函、申请支付令、提起诉讼或仲裁、申请财产保全等措施，并通知为上述债务提供担保的保证人承担责任，由此产生的违约金、律师费、诉讼费等均由贵公司承担。",
        ),
        "lawyer": (
            "就贵公司拖欠%(company)s货款事宜，现依据%(company)s提供的合同、送货签收单、发票及历次催款函等材料，郑重致函如下：",
            "一、事实。%(company)s已按约定履行供货及开票义务。截至%(today)s，贵公司尚欠逾期货款合计%(claims)s，发票、到期日及金额见下表；最早一笔已逾期%(days)s天。%(history)s",
            "二、法律依据。依据《中华人民共和国民法典》第五百零九条、第五百七十七条、第五百七十九条及第五百八十五条，当事人应当按照约定全面履行义务；未支付价款的，对方可以请求其支付，并承担逾期付款的违约责任。",
            "三、要求。请贵公司于%(deadline)s前将上述款项全部付至%(account)s。",
            "四、后果。逾期不履行的，将依法申请支付令、提起诉讼或仲裁并申请财产保全，请求支付全部货款、逾期付款违约金、律师费、保全费及诉讼费用；生效法律文书确定的义务不履行的，将申请强制执行。",
        ),
    },
    "en": {
        "reminder": (
            "Thank you for your business. This is a friendly reminder of the amounts below, which fall due shortly.",
            "As of %(today)s the items listed below, less what you have paid in advance, come to %(claims)s.",
            "Please pay to %(account)s by the due dates. If an invoice has not reached you, or if you have any "
            "question about our statement, please call the contact named below.",
            "If you have arranged payment already, please disregard this letter. It is a reminder only and waives or "
            "changes no right.",
        ),
        "friendly": (
            "Thank you for your business. Our records show that the items below are past their due date; this may "
            "well be an oversight.",
            "As of %(today)s the amount overdue is %(claims)s, as listed below; the oldest item is %(days)s days late.",
            "Please pay to %(account)s by %(deadline)s. If you have paid in the last few days, please tell us "
            "the date and amount and disregard this letter.",
            "Do you dispute any of these items, for their quality, quantity, price, invoice or booking? Then please "
            "tell us in writing by the same date the invoice number, the amount and the reason, and we shall look into "
            "it at once. What is not disputed remains payable.",
        ),
        "formal": (
            "We have delivered and invoiced as agreed, and you have not paid within the agreed term. "
            "%(history)sWe herewith formally demand payment.",
            "As of %(today)s you owe us %(claims)s overdue; invoices, due dates and amounts are listed below. The "
            "oldest item is %(days)s days late.",
            "Please pay the whole amount to %(account)s by %(deadline)s.",
            "Should payment fail, we shall claim performance, default interest as agreed (or, where nothing is agreed, "
            "the loss caused by late payment) and the costs of recovery under the contract and Articles 577, 579 and "
            "585 of the Civil Code of the People's Republic of China; we shall lower your credit grade, and suspend "
            "sales on credit and, in the end, supply.",
            "If you object to our account, please do so in writing with evidence by the same date; otherwise we shall "
            "rely on the account as it stands.",
        ),
        "final": (
            "%(history)sThis is a serious breach of what we agreed. This is our final demand.",
            "As of %(today)s you owe us %(claims)s overdue; invoices, due dates and amounts are listed below. The "
            "oldest item is %(days)s days late.",
            "From the date of this letter we stop supply to you and suspend all sales on credit; your credit "
            "grade with us will be lowered as our regulation provides. Orders not yet performed will ship only after "
            "payment.",
            "The final date for payment is %(deadline)s. Please pay the whole amount to %(account)s by then, or "
            "agree a written plan of payment with our contact.",
            "If you do not, we shall without further notice instruct lawyers, apply for an order for payment, sue or "
            "go to arbitration and apply for the preservation of assets, and call upon any guarantor of this debt; "
            "default interest, lawyers' fees and court costs will be for your account.",
        ),
        "lawyer": (
            "On the basis of the contracts, signed delivery notes, invoices and earlier demands supplied by "
            "%(company)s concerning your unpaid debt, we write to you as follows:",
            "1. Facts. %(company)s has delivered and invoiced as agreed. As of %(today)s you owe %(claims)s overdue; "
            "invoices, due dates and amounts are listed below. The oldest item is %(days)s days late. %(history)s",
            "2. Law. Under Articles 509, 577, 579 and 585 of the Civil Code of the People's Republic of China the "
            "parties shall perform their obligations in full; who does not pay the price may be required to pay it and "
            "is liable for late payment.",
            "3. Demand. Please pay the whole amount to %(account)s by %(deadline)s.",
            "4. Consequences. Failing payment we shall apply for an order for payment, sue or go to arbitration, and "
            "apply for the preservation of assets, claiming the debt, default interest, lawyers' fees and costs, and "
            "shall apply for enforcement of the judgment.",
        ),
    },
}

HISTORY: Mapping[str, Mapping[Tone, tuple[str, str]]] = {
    "zh-hans": {
        "formal": ("款项至今仍未付清，", "经我公司函件提示，款项至今仍未付清，"),
        "final": ("贵公司货款逾期已久，至今未付。", "我公司此前已函告贵公司支付逾期货款，贵公司至今未付。"),
        "lawyer": ("贵公司至今未付。", "%(company)s此前已书面催告，贵公司至今未付。"),
    },
    "en": {
        "formal": ("", "Our reminder has remained without result. "),
        "final": (
            "Your debt is long overdue and you have not paid. ",
            "We have written to you about your overdue debt and you have not paid. ",
        ),
        "lawyer": ("It has not been paid to this day.", "Written demands have remained without result."),
    },
}
"""What a letter says of the letters before it: where there were none, where there were some."""

LABELS: Mapping[str, Words] = {
    "zh-hans": {
        "to": "致",
        "attention": "收件人",
        "number": "编号",
        "date": "日期",
        "greeting": "%(customer)s：",
        "document": "发票（单据）号",
        "dated_on": "开票日期",
        "due_on": "到期日",
        "amount": "未付金额",
        "contested": "其中争议",
        "claimed": "本次主张",
        "days": "逾期天数",
        "sum": "小计",
        "credits": "减：贵公司未核销款项（预付、红字）",
        "total": "合计",
        "in_words": "大写",
        "contested_note": "上表“争议”部分正在核实，不在本次催收之列。",
        "undated_note": "标 * 的单据未约定到期日，按开票日期计。",
        "pay_to": "收款账户",
        "payee": "户名",
        "bank": "开户行",
        "account": "账号",
        "account_below": "下述账户",
        "account_agreed": "合同约定的我公司账户",
        "account_missing": "请汇至合同约定的我公司账户。",
        "deadline": "最后付款期限",
        "contact": "联系人",
        "telephone": "电话",
        "address": "地址",
        "closing": "特此函告。",
        "lawyer_signature": "律师（签章）：",
        "seal": "（盖章）",
        "receipt": "回执：本公司已于      年    月    日收到本函，并确认上述欠款"
        "    □ 无误    □ 有误（说明：              ）。　　　债务人（盖章）：",
        "and": "；",
    },
    "en": {
        "to": "To",
        "attention": "Attention",
        "number": "No.",
        "date": "Date",
        "greeting": "Dear Sir or Madam,",
        "document": "Invoice (document)",
        "dated_on": "Dated",
        "due_on": "Due",
        "amount": "Open",
        "contested": "of it disputed",
        "claimed": "Claimed",
        "days": "Days late",
        "sum": "Subtotal",
        "credits": "Less: payments and credit notes not yet applied",
        "total": "Total",
        "in_words": "In words",
        "contested_note": "Amounts marked as disputed are being looked into and are not claimed here.",
        "undated_note": "Items marked * have no agreed due date; their document date counts.",
        "pay_to": "Please pay to",
        "payee": "Account holder",
        "bank": "Bank",
        "account": "Account number",
        "account_below": "the account below",
        "account_agreed": "our account named in the contract",
        "account_missing": "Please pay to our account named in the contract.",
        "deadline": "Final date for payment",
        "contact": "Contact",
        "telephone": "Telephone",
        "address": "Address",
        "closing": "Yours faithfully,",
        "lawyer_signature": "Lawyer (signature and seal):",
        "seal": "(seal)",
        "receipt": "Receipt: we received this letter on ____________ and confirm the debt above as"
        "  □ correct  □ incorrect (please explain: ____________).   Debtor (seal):",
        "and": "; ",
    },
}


def tone_of(policy: Policy, stage: DunningStage) -> Tone:
    """How a stage of the policy speaks: before the due date, without legal weight, with it, as the last word when
    supply stops, or through a lawyer (every letter after that)."""
    if stage.overdue_days_min <= 0:
        return "reminder"
    if not stage.evidence:
        return "friendly"
    if stage.standing != "stopped":
        return "formal"
    stops = min(page.overdue_days_min for page in policy.dunning.stages if page.standing == "stopped")
    return "final" if stage.overdue_days_min == stops else "lawyer"


def spoken(language: str) -> str:
    """The language letters have words for; Chinese for any other."""
    return language if language in TONES else "zh-hans"


def paragraphs(tone: Tone, language: str, values: Mapping[str, object]) -> list[str]:
    """The letter's paragraphs with the values filled in."""
    return [text % values for text in TONES[language][tone]]


def history(tone: Tone, language: str, company: str, *, warned: bool) -> str:
    """The sentence about the letters before this one; empty for the tones that speak of none."""
    without, with_letters = HISTORY[language].get(tone, ("", ""))
    return (with_letters if warned else without) % {"company": company}
