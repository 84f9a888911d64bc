"""Letters that answer an application or tell of a changed line (domain 4.5): values in, a paper out.

They give the amount in figures and in capitals, thank, and on refusal say the kind of reason, when to apply again and
that cash terms stay open. What a bank, a supplier or a public source told us in confidence never reaches them: they
are made from the decision's own words alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shouxin.lib import documents
from shouxin.lib.documents import Block, Paper
from shouxin.rules.money import in_words
from shouxin.rules.policy import Company

from .models import Line

EN, ZH = "en", "zh-hans"
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


@dataclass(frozen=True)
class Letterhead:
    """What every letter has: our house, whom it is to, its number and day, in which language, who signs."""

    company: Company
    to: str
    number: str
    on: date
    language: str = ZH
    signer: str = ""

    @property
    def house(self) -> str:
        """Our name in the letter's language."""
        return self.company.name.en if self.language == EN else self.company.name.zh

    def say(self, zh: str, en: str) -> str:
        """The words of the letter's language."""
        return en if self.language == EN else zh


@dataclass(frozen=True)
class Terms:
    """A line as letters tell it; `limit` None: no credit, cash before delivery."""

    limit: Decimal | None
    currency: str
    term_days: int
    since: date
    until: date | None
    temporary: bool = False
    discount_percent: Decimal | None = None
    discount_days: int | None = None
    grade: str = ""


def terms_of(line: Line) -> Terms:
    """A line as letters tell it."""
    return Terms(line.limit, line.currency, line.term_days, line.since, line.until, line.temporary,
                 line.discount_percent, line.discount_days, line.grade)  # fmt: skip


def spoken(language: object) -> str:
    """The language letters have words for; Chinese for any other."""
    return EN if language == EN else ZH


def day(on: date, language: str) -> str:
    """A day as letters write it: 2026年11月24日, 24 November 2026."""
    if language == EN:
        return f"{on.day} {MONTHS[on.month - 1]} {on.year}"
    return f"{on.year}年{on.month}月{on.day}日"


def amount(value: Decimal, currency: str, language: str) -> str:
    """An amount in figures, in Chinese with capitals (大写) behind it."""
    if language == EN:
        return f"{currency} {value:,.2f}"
    unit = f"人民币{value:,.2f}元" if currency == "CNY" else f"{currency} {value:,.2f}"
    return f"{unit}（大写：{in_words(value)}）" if currency == "CNY" else unit


def _letter(head: Letterhead, title: str, blocks: Iterable[Block]) -> Paper:
    greeting = documents.text(head.say(f"尊敬的{head.to}：", f"Dear {head.to},"))
    signed = [head.house, head.say("（盖章）", "(seal)"), *([head.signer] if head.signer else []),
              day(head.on, head.language)]  # fmt: skip
    told = [(head.say("编号", "Number"), head.number), (head.say("日期", "Date"), day(head.on, head.language))]
    return documents.paper(
        title, [greeting, *blocks, documents.signature(*signed)], house=head.house, language=head.language, head=told
    )


def granted(
    head: Letterhead, terms: Terms, *, application: str, asked: Decimal, before: Terms | None, conditions: str
) -> Paper:
    """The line is granted: in full, or for less than was asked, which is then said."""
    limit, less = terms.limit or Decimal(0), terms.limit is None or terms.limit < asked
    how = head.say("一次性使用" if terms.temporary else "循环使用", "once" if terms.temporary else "revolving")
    words = amount(limit, terms.currency, head.language)
    ends = day(terms.until, head.language) if terms.until else head.say("另行通知之日", "further notice")
    begins = day(terms.since, head.language)
    blocks = [
        documents.text(
            head.say(
                f"感谢贵司提交信用申请（{application}）。经审核，同意给予贵司信用额度{words}，"
                f"信用期限{terms.term_days}天，自发票日起算；使用方式：{how}；有效期{begins}至{ends}。",
                f"Thank you for your application for credit ({application}). We are pleased to grant you a credit "
                f"limit of {words}, payable within {terms.term_days} days of the invoice, to be used {how}, from "
                f"{begins} until {ends}.",
            )
        )
    ]
    if less:
        wish = amount(asked, terms.currency, head.language)
        blocks.append(documents.text(head.say(
            f"贵司申请的额度为{wish}；本次按上述额度核定，待合作记录积累后可申请调增。",
            f"You applied for {wish}. We grant the limit named above now; you are welcome to apply for more later.",
        )))  # fmt: skip
    if terms.discount_percent:
        percent, days = f"{terms.discount_percent.normalize():f}", terms.discount_days or 0
        blocks.append(documents.text(head.say(f"现金折扣：{days}天内付款享{percent}%。",
                                              f"Cash discount: {percent} % within {days} days.")))  # fmt: skip
    if before:
        blocks.append(_compared(head, before, terms))
    if conditions:
        blocks.append(documents.text(head.say(f"附加条件：{conditions}", f"Conditions: {conditions}")))
    blocks.append(documents.note(head.say(
        "到期未付款项将影响后续额度。本通知非合同，交易以双方合同为准。",
        "Amounts not paid when due will affect the limit. This notice is not a contract; our contract rules.",
    )))  # fmt: skip
    title = head.say("授信额度核定通知书" if less else "同意授信通知书",
                     "Notice of an adjusted credit limit" if less else "Notice of credit granted")  # fmt: skip
    return _letter(head, title, blocks)


def _compared(head: Letterhead, before: Terms, after: Terms) -> Block:
    """Old → new, term by term."""
    rows: list[Sequence[str]] = [
        (head.say("信用额度", "Credit limit"), _limit(head, before), _limit(head, after)),
        (head.say("信用期限（天）", "Term (days)"), str(before.term_days), str(after.term_days)),
        (head.say("生效日", "From"), before.since.isoformat(), after.since.isoformat()),
    ]
    columns = ("", head.say("原", "Before"), head.say("现", "Now"))
    return documents.table(columns, rows, right=(1, 2))


def _limit(head: Letterhead, terms: Terms) -> str:
    return head.say("无赊销", "no credit") if terms.limit is None else f"{terms.limit:,.2f} {terms.currency}"


CATEGORIES = {
    "incomplete": ("申请资料不全", "the papers handed in are incomplete"),
    "too_young": ("企业经营年限较短", "the company has been in business for a short time"),
    "payment_record": ("与我司往来的付款记录", "the record of payments with us"),
    "external": ("公开信息查询结果", "information from public sources"),
    "capacity": ("财务承受能力", "the financial capacity"),
    "other": ("综合评估结果", "our overall assessment"),
}
IMPROVE = {
    "incomplete": ("请补齐资料后再次提交。", "Please complete the papers and apply again."),
    "too_young": ("持续经营并保持良好记录后可再次申请。", "Please apply again once you have been in business longer."),
    "payment_record": ("保持按期付款后可再次申请。", "Please apply again after a period of payments on time."),
    "external": ("相关信息修复或更新后可再次申请。", "Please apply again once the information has been corrected."),
    "capacity": ("提供担保或改善财务状况后可再次申请。", "Security or better figures would help a new application."),
    "other": ("情况变化后可再次申请。", "Please apply again when circumstances have changed."),
}


def declined(head: Letterhead, *, application: str, category: str, said: str, reapply_on: date) -> Paper:
    """The application is declined: the kind of reason, what would help, when to apply again, cash terms meanwhile."""
    pick = 1 if head.language == EN else 0
    why, help_ = CATEGORIES[category][pick], IMPROVE[category][pick]
    blocks = [
        documents.text(head.say(
            f"感谢贵司提交信用申请（{application}）及对我司的信任。经审核，因{why}，本次暂不能给予信用额度。",
            f"Thank you for your application for credit ({application}) and for your trust. Because of {why} we cannot "
            f"grant a credit limit at present.",
        )),
        documents.text(f"{help_}{head.say('', ' ')}" + head.say(
            f"贵司可于{day(reapply_on, ZH)}后重新申请。", f"You may apply again after {day(reapply_on, EN)}.",
        )),
        documents.text(head.say(
            "在此期间，欢迎以款到发货（现汇）方式继续合作。",
            "Meanwhile we are glad to supply you against payment in advance.",
        )),
    ]  # fmt: skip
    if said:
        blocks.insert(1, documents.text(said))
    return _letter(head, head.say("信用申请答复函", "Reply to your application for credit"), blocks)


def ask_more(head: Letterhead, *, application: str, items: Sequence[str], said: str, until: date) -> Paper:
    """The application is incomplete: what is still wanted, and by when."""
    rows = [(str(place), item) for place, item in enumerate(items, 1)]
    blocks = [
        documents.text(head.say(
            f"感谢贵司提交信用申请（{application}）。为完成审核，请于{day(until, ZH)}前补充以下资料：",
            f"Thank you for your application for credit ({application}). To complete the review please send us the "
            f"following by {day(until, EN)}:",
        )),
        *([documents.table((head.say("序号", "No."), head.say("资料", "What is wanted")), rows)] if rows else []),
        *([documents.text(said)] if said else []),
    ]  # fmt: skip
    return _letter(head, head.say("补充资料通知", "Request for further papers"), blocks)


def downgraded(
    head: Letterhead,
    before: Terms,
    after: Terms,
    *,
    overdue: Sequence[Sequence[str]],
    late: bool,
    stopped: bool,
    clean_months: int,
) -> Paper:  # fmt: skip
    """The grade was lowered: overdue items, old and new terms, what would restore it.

    `late`: payments have been late too often, whatever is overdue now. `stopped`: supply on credit stops too.
    """
    since = day(after.since, head.language)
    why = head.say("因贵司", "Because ") + head.say("，且", " and ").join(
        [head.say("近期多次逾期付款", "payments were late several times of late")] * late
        + [head.say("下列款项逾期未付", "the items below are overdue")] * bool(overdue)
    )
    columns = (head.say("单据", "Document"), head.say("到期日", "Due on"), head.say("金额", "Amount"))
    stop = head.say("，并暂停赊销发货", " and stop supply on credit") if stopped else ""
    blocks = [
        documents.text(head.say(
            f"{why}，自{since}起调整贵司信用等级及赊销条件{stop}。",
            f"{why} we lower your credit grade and terms from {since}{stop}.",
        )),
        *([documents.table(columns, overdue, right=(2,))] if overdue else []),
        documents.facts([(head.say("信用等级", "Grade"), f"{before.grade or documents.UNSAID} → {after.grade}")]),
        _compared(head, before, after),
        documents.text(head.say(
            f"恢复条件：付清全部逾期款项，此后连续{clean_months}个月按期付款，经复核后恢复。",
            f"What restores them: everything overdue is paid, the following {clean_months} months are paid on time, "
            f"and a review agrees.",
        )),
    ]  # fmt: skip
    if stopped:
        blocks.append(documents.note(head.say(
            "贵司提供适当担保或恢复履行能力前，我司依《民法典》第五百二十七条、第五百二十八条有权中止履行。"
            "在途货物按原合同处理。",
            "Until suitable security is given we may suspend performance under articles 527 and 528 of the Civil Code. "
            "Goods on their way are treated as the contract says.",
        )))  # fmt: skip
    title = (
        head.say("信用等级调整暨暂停赊销通知", "Notice of a lowered grade and of stopped supply on credit")
        if stopped
        else head.say("信用等级调整通知", "Notice of a lowered grade")
    )
    return _letter(head, title, blocks)
