"""Files of invoices and receipts: open items, opening items, paid history, red invoices, bank statements."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils.translation import gettext_lazy as _

from shouxin.customers.identify import COLUMNS, ONE_OF, Identifier, record_import
from shouxin.lib.imports import kinds
from shouxin.lib.imports.faults import register_messages
from shouxin.lib.imports.kinds import Block, Column, Conditions, Kind, Outcome, Refused, Row, also
from shouxin.office import clock, posts
from shouxin.office.models import Person

from . import bulk, intake, papers, plain, posting

ZERO = Decimal(0)

register_messages(
    {name: text for name, text in papers.REASONS.items() if name != "unknown_customer"}
    | {
        "amounts_disagree": _("Amount, settled part and open part do not add up."),
        "no_amount": _("Neither the amount nor the open part is given."),
        "parts_disagree": _("The rows of document {doc_no} disagree in {columns}."),
        "part_refused": _("Another row of the same document was refused."),
        "names_nothing": _("The row names no document number."),
    }
)

_KINDS = {
    "发票": "invoice", "销售发票": "invoice", "应收单": "invoice", "其他应收单": "invoice", "蓝字发票": "invoice",
    "销售普通发票": "invoice", "销售专用发票": "invoice", "invoice": "invoice", "RV": "invoice", "DR": "invoice",
    "红字发票": "credit_note", "红字应收单": "credit_note", "贷项": "credit_note", "退货": "credit_note",
    "贷项通知单": "credit_note", "credit note": "credit_note", "credit memo": "credit_note", "DG": "credit_note",
    "期初": "opening", "期初应收": "opening", "期初余额": "opening", "opening": "opening", "opening item": "opening",
}  # fmt: skip

INVOICE_COLUMNS = (
    *COLUMNS,
    Column(
        "doc_no",
        _("document number"),
        "code",
        also(
            "单据编号 单据号 业务单号 发票号码 发票号 应收单号 凭证号 凭证字号 票据号 单号",
            "doc_no, doc no, doc_id, document number, document no, invoice number, invoice no, invoice_id, invoice id, "
            "invoicenumber, invoice, billing document, belnr, reference",
        ),
        required=True,
        length_max=80,
    ),
    Column(
        "kind",
        _("kind"),
        "choice",
        also("单据类型 业务类型 票据类型 发票类型 摘要类型", "kind, type, doc_type, document type, doctype, blart"),
        choices=_KINDS,
    ),
    Column(
        "doc_date",
        _("document date"),
        "date",
        also(
            "单据日期 开票日期 发票日期 业务日期 凭证日期 制单日期 记账日期 日期",
            "doc_date, document date, invoice date, invoicedate, document_create_date, posting_date, posting date, "
            "billing date, date, bldat, budat, baseline_create_date",
        ),
        required=True,
    ),
    Column(
        "due_date",
        _("due date"),
        "date",
        also(
            "到期日 到期日期 应收日 应收日期 付款到期日 收款到期日 收款日期(计划) 账期到期日 预计收款日期",
            "due date, duedate, due_in_date, due on, net due date, payment due date, faedt",
        ),
    ),
    Column(
        "amount",
        _("amount"),
        "amount",
        also(
            "应收金额 价税合计 价税合计金额 发票金额 单据金额 原币金额 借方发生金额 借方金额 发生额 金额 "
            "借方-发生-本币 本币金额",
            "amount, total_open_amount, invoice amount, invoiceamount, total amount, gross amount, original amount, "
            "amount due, dmbtr, wrbtr",
        ),
        sign="not_zero",
    ),
    Column(
        "open_amount",
        _("open part"),
        "amount",
        also(
            "未核销金额 未结金额 未结 余额 未收金额 未收款 应收余额 欠款余额 欠款金额 借方-未结-金额 借方-未结-本币",
            "open amount, open_amount, balance, outstanding, outstanding amount, open balance, remaining amount, "
            "converted_usd",
        ),
    ),
    Column(
        "settled",
        _("settled part"),
        "amount",
        also(
            "已核销金额 已结金额 已结 已收款 已收金额 已收款金额 收款核销金额 借方-已结-金额 借方-已结-本币",
            "settled, settled amount, paid, paid amount, amount paid, applied amount",
        ),
    ),
    Column(
        "settled_on",
        _("settled on"),
        "date",
        also(
            "结清日期 核销日期 收款日期 实际收款日期 回款日期 付款日期",
            "settled on, settled date, settleddate, clear_date, clear date, clearing date, cleared on, paid on, "
            "payment date, augdt",
        ),
    ),
    Column("currency", _("currency"), "currency", also("币种 币别 货币", "currency, invoice_currency, waers, curr")),
    Column(
        "contested",
        _("contested"),
        "bool",
        also("是否争议 争议 有争议 争议标志", "contested, disputed, dispute, in dispute"),
    ),
    Column(
        "instalment",
        _("instalment"),
        "days",
        also("期次 分期 分期号 分期序号 行号 期数", "instalment, installment, instalment no, line, line no, buzei"),
    ),
    Column(
        "order_no",
        _("order number"),
        "code",
        also("订单号 订单编号 销售订单号 销售订单", "order_no, order no, order number, sales order, so number"),
        length_max=80,
    ),
    Column(
        "contract_no",
        _("contract number"),
        "code",
        also("合同号 合同编号 销售合同号", "contract_no, contract no, contract number, contract"),
        length_max=80,
    ),
    Column("description", _("description"), "text", also("摘要 备注 说明", "description, text, memo, remark, sgtxt")),
)


def may_import(person: Person) -> bool:
    """Whether she may put papers into the books by file: who may by hand, or the command line."""
    return posts.is_system(person) or bool(posts.posts_of(person, on=clock.today()) & set(posting.MAY_POST))


def _check_invoice(values: dict[str, Any]) -> Iterable[Refused]:
    if values["due_date"] and values["due_date"] < values["doc_date"]:
        yield Refused("due_before_document", {}, "due_date")
    amount, settled, left = values["amount"], values["settled"], values["open_amount"]
    if amount is None and left is None:
        yield Refused("no_amount", {}, "amount")
    elif None not in (amount, settled, left) and settled + left != amount:
        yield Refused("amounts_disagree", {}, "open_amount")
    elif amount is None:
        values["amount"] = left + (settled or ZERO)


class InvoiceWriter:
    """Posts the papers of a batch; the rows of one paper (its instalments) stand or fall together."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        posting.require(
            conditions.by, on=conditions.today, verb="invoice.post_many", at=conditions.at, about="invoice:"
        )
        self.identifier = Identifier(conditions, though_restricted=True)

    def write(self, rows: Block) -> list[Outcome]:
        """One outcome per row: plain papers by the block, the others one by one."""
        found = self.identifier.identify_block(rows)
        outcomes: list[Outcome | None] = [each if isinstance(each, Refused) else None for each in found]
        columns, places = plain.papers_of(rows, found)
        conditions = self.conditions
        if len(places) > 1 and len(conditions.source_system) <= 40:
            delivery = intake.Delivery(conditions.source_system, conditions.by, conditions.at, conditions.today)
            for place, state in zip(places, intake.post(columns, delivery), strict=True):
                outcomes[place] = "accepted" if state == "posted" else state
        if None in outcomes:
            self._write_others(rows, found, outcomes)
        return [outcome or Refused("part_refused") for outcome in outcomes]

    def _write_others(self, rows: Block, found: Sequence[int | Refused], outcomes: list[Outcome | None]) -> None:
        """Post what has no outcome yet, neighbouring rows of one paper together; outcomes are filled in."""
        wanted: list[papers.InvoiceRow] = []
        places: list[list[int]] = []
        told = [index for index, customer in enumerate(found) if isinstance(customer, int)]
        left = [(place, index) for place, index in enumerate(told) if outcomes[index] is None]
        # Neighbours in the file, not only here: a plain paper between two rows parts them.
        numbered = ((place - at, index, rows[index]) for at, (place, index) in enumerate(left))
        for _key, group in groupby(numbered, key=lambda each: (each[0], found[each[1]], each[2].values["doc_no"])):
            own = [(index, row) for _gap, index, row in group]
            paper = self._paper(found[own[0][0]], [row.values for _index, row in own])  # type: ignore[arg-type]
            if isinstance(paper, Refused):
                for index, _row in own:
                    outcomes[index] = paper
            else:
                wanted.append(paper)
                places.append([index for index, _row in own])
        for answer, own_places in zip(self._post(wanted), places, strict=True):
            for index in own_places:
                outcomes[index] = _outcome(answer)

    def _post(self, wanted: Sequence[papers.InvoiceRow]) -> list[papers.Outcome]:
        if not wanted:
            return []
        conditions = self.conditions
        return bulk.post_invoices(wanted, by=conditions.by, at=conditions.at, today=conditions.today)

    def _paper(self, customer_id: int, parts: Sequence[Mapping[str, Any]]) -> papers.InvoiceRow | Refused:
        """One paper from its rows. Without an instalment number a second row of it is another paper's number."""
        first = parts[0]
        if len(parts) == 1:
            return self._row(
                customer_id, first, ((first["instalment"] or 1, first["due_date"], first["amount"]),), parts
            )
        differing = [key for key in ("kind", "doc_date", "currency") if len({part[key] for part in parts}) > 1]
        if differing or any(part["instalment"] is None for part in parts):
            columns = ", ".join(differing or ["instalment"])
            return Refused("parts_disagree", {"doc_no": first["doc_no"], "columns": columns}, "doc_no")
        instalments = tuple((part["instalment"], part["due_date"], part["amount"]) for part in parts)
        return self._row(customer_id, first, instalments, parts)

    def _row(
        self,
        customer_id: int,
        first: Mapping[str, Any],
        instalments: tuple[tuple[int, date | None, Decimal], ...],
        parts: Sequence[Mapping[str, Any]],
    ) -> papers.InvoiceRow:
        settled = sum(map(_settled, parts), ZERO)
        contested = sum((part["amount"] - _settled(part) for part in parts if part["contested"]), ZERO)
        days = [part["settled_on"] for part in parts if part["settled_on"]]
        return papers.InvoiceRow(
            customer_id=customer_id,
            source_system=self.conditions.source_system,
            doc_no=first["doc_no"],
            kind=first["kind"] or "invoice",
            dated_on=first["doc_date"],
            instalments=instalments,
            amount=sum((part["amount"] for part in parts), ZERO),
            currency=first["currency"],
            order_no=first["order_no"] or "",
            contract_no=first["contract_no"] or "",
            description=first["description"] or "",
            settled=settled,
            settled_on=max(days, default=None) if settled else None,
            contested=max(contested, ZERO),
        )


def _settled(part: Mapping[str, Any]) -> Decimal:
    return plain.settled_part(part["amount"], part["settled"], part["open_amount"], part["settled_on"])


def _outcome(answer: papers.Outcome) -> Outcome:
    if answer.state == "refused":
        return Refused(answer.code, answer.params, _BLAMED.get(answer.code, ""))
    return "accepted" if answer.state == "posted" else "unchanged"


_BLAMED = {
    "no_doc_no": "doc_no",
    "number_taken": "doc_no",
    "bad_amount": "amount",
    "bad_currency": "currency",
    "settled_range": "settled",
    "settled_more": "settled",
    "contested_range": "contested",
}


# --- receipts ------------------------------------------------------------------------------------

RECEIPT_COLUMNS = (
    *COLUMNS,
    Column(
        "doc_no",
        _("document number"),
        "code",
        also(
            "收款单号 收款编号 单据编号 单据号 流水号 交易流水号 银行流水号 凭证号 凭证字号",
            "doc_no, doc no, receipt no, receipt number, payment no, payment number, document number, transaction id, "
            "reference, belnr",
        ),
        required=True,
        length_max=80,
    ),
    Column(
        "received_on",
        _("received on"),
        "date",
        also(
            "收款日期 交易日期 到账日期 入账日期 记账日期 单据日期 日期",
            "received on, receipt date, payment date, value date, transaction date, posting date, posting_date, date",
        ),
        required=True,
    ),
    Column(
        "amount",
        _("amount"),
        "amount",
        also(
            "收款金额 实收金额 到账金额 贷方金额 贷方发生额 收入金额 交易金额 贷方-发生-金额 金额 本币金额",
            "amount, receipt amount, payment amount, amount received, credit amount",
        ),
        required=True,
        sign="not_zero",
    ),
    Column("currency", _("currency"), "currency", also("币种 币别 货币", "currency, invoice_currency, waers, curr")),
    Column("payer", _("payer"), "name", also("实际付款人 代付单位 付款户名", "paid by, remitter")),
    Column(
        "names",
        _("documents named"),
        "text",
        also("核销单据 核销发票 对应发票 发票号 附言 发票号码", "invoices, invoice numbers, names, remittance"),
        length_max=1000,
    ),
)  # fmt: skip

_BETWEEN_NUMBERS = re.compile(r"[,;、，；\s]+")


class ReceiptWriter:
    """Posts the receipts of a batch and settles what is open."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        posting.require(
            conditions.by, on=conditions.today, verb="receipt.post_many", at=conditions.at, about="receipt:"
        )
        self.identifier = Identifier(conditions, though_restricted=True)

    def write(self, rows: Sequence[Row]) -> list[Outcome]:
        """One outcome per row."""
        conditions = self.conditions
        found = self.identifier.identify([row.values for row in rows])
        wanted = [
            self._paper(answer, row.values)
            for row, answer in zip(rows, found, strict=True)
            if not isinstance(answer, Refused)
        ]
        answers = iter(
            bulk.post_receipts(wanted, by=conditions.by, at=conditions.at, today=conditions.today) if wanted else ()
        )
        return [each if isinstance(each, Refused) else _outcome(next(answers)) for each in found]

    def _paper(self, customer_id: int, values: Mapping[str, Any]) -> papers.ReceiptRow:
        return papers.ReceiptRow(
            customer_id=customer_id,
            source_system=self.conditions.source_system,
            doc_no=values["doc_no"],
            received_on=values["received_on"],
            amount=values["amount"],
            currency=values["currency"],
            payer=values["payer"] or values["customer_name"] or "",
            names=tuple(filter(None, _BETWEEN_NUMBERS.split(values["names"] or ""))),
        )


INVOICES = Kind(
    name="invoices",
    label=_("Invoices and open items"),
    columns=INVOICE_COLUMNS,
    writer=InvoiceWriter,
    may=may_import,
    key=("customer_code", "customer_name", "doc_no", "instalment"),
    together=("customer_code", "customer_name", "doc_no"),
    one_of=(ONE_OF, ("amount", "open_amount")),
    sums="amount",
    needs_currency=True,
    check=_check_invoice,
    doubts=plain.doubts,
    finished=record_import("invoices"),
    help=_("Open items, opening items and paid history; red invoices carry a minus."),
)
RECEIPTS = Kind(
    name="receipts",
    label=_("Receipts"),
    columns=RECEIPT_COLUMNS,
    writer=ReceiptWriter,
    may=may_import,
    key=("customer_code", "customer_name", "doc_no"),
    one_of=(ONE_OF,),
    sums="amount",
    needs_currency=True,
    finished=record_import("receipts"),
    help=_("Money that came in, from a ledger or a bank statement; what the payer named is settled first."),
)


def register() -> None:
    """Enter the kinds of this package; called when the application is ready."""
    kinds.register(INVOICES)
    kinds.register(RECEIPTS)
