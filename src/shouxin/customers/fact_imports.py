"""Files of facts about customers: one fact per row."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from shouxin.lib.imports.faults import register_messages
from shouxin.lib.imports.kinds import Column, Conditions, Kind, Outcome, Refused, Row, also
from shouxin.office import trail
from shouxin.office.refusals import BadForm
from shouxin.rules import scorecard

from . import bulk, facts, subjects
from .identify import COLUMNS, ONE_OF, Identifier, may_import, record_import
from .models import Fact

register_messages({"bad_fact": _("%(complaint)s")})

_SOURCES = {str(word): key for key, label in Fact.SOURCES for word in (key, label)} | {
    "表彰": "award", "奖励公告": "award", "处罚公告": "penalty", "行政处罚": "penalty",
    "公开登记": "registry", "工商登记": "registry", "公告": "gazette", "媒体": "media", "他人反馈": "feedback",
    "同行反馈": "feedback", "走访": "visit", "实地走访": "visit", "征信机构": "bureau", "征信报告": "bureau",
    "财务报表": "statement", "客户自报": "customer", "导入": "import",
}  # fmt: skip

_SUBJECTS = {str(word): key for key, label in Fact.SUBJECTS for word in (key, label)} | {
    "登记": "registration", "资质": "qualification", "信誉": "reputation", "财务": "finance", "经营": "operations",
    "银行": "banks", "司法": "litigation", "税务": "tax", "他处付款": "payment",
}  # fmt: skip

FACT_COLUMNS = (
    *COLUMNS,
    Column(
        "key",
        _("fact"),
        "code",
        also(
            "事实 指标 项目 信息项",
            "fact, item, figure",
        ),
        required=True,
        length_max=40,
    ),
    Column(
        "value",
        _("value of the fact"),
        "text",
        also(
            "值 数值 内容 结果",
            "value",
        ),
        length_max=500,
    ),
    Column(
        "source",
        _("source"),
        "choice",
        also(
            "来源 信息来源",
            "source",
        ),
        choices=_SOURCES,
    ),
    Column(
        "as_of",
        _("as of"),
        "date",
        also(
            "截至日期 日期 报告期 时点 信息日期",
            "as of, date",
        ),
        required=True,
    ),
    Column(
        "until",
        _("valid until"),
        "date",
        also(
            "有效期至 公示截止日期",
            "until, valid until",
        ),
    ),
    Column("subject", _("subject area"), "choice", also("领域 信息类别", "subject, subject area"), choices=_SUBJECTS),
    Column("queried_on", _("queried on"), "date", also("查询日期", "queried on")),
    Column("case_no", _("case number"), "text", also("案号 决定书文号 文号", "case number"), length_max=200),
    Column(
        "authority",
        _("court or authority"),
        "text",
        also("执行法院 处罚机关 列入机关 机关", "court, authority"),
        length_max=200,
    ),
    Column(
        "note",
        _("note"),
        "text",
        also(
            "备注 说明",
            "note, remark",
        ),
        length_max=500,
    ),
)

_YES_NO = {"是": True, "有": True, "yes": True, "true": True, "否": False, "无": False, "no": False, "false": False}


class FactWriter:
    """Adds facts; one that is known already with the same day, source and value changes nothing."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        bulk.require_office(conditions.by, on=conditions.today, at=conditions.at, verb="add_fact")
        self.identifier = Identifier(conditions)

    def write(self, rows: Sequence[Row]) -> list[Outcome]:
        """One outcome per row."""
        found = self.identifier.identify([row.values for row in rows])
        wanted = [
            self._checked(row.values, answer) if isinstance(answer, int) else answer
            for row, answer in zip(rows, found, strict=True)
        ]
        new = [each for each in wanted if isinstance(each, Fact)]
        known = _known({fact.customer_id for fact in new})
        outcomes: list[Outcome] = []
        kept: list[Fact] = []
        for each in wanted:
            if isinstance(each, Refused):
                outcomes.append(each)
            elif _identity(each) in known:
                outcomes.append("unchanged")
            else:
                known.add(_identity(each))
                kept.append(each)
                outcomes.append("accepted")
        Fact.objects.bulk_create(kept, batch_size=5000)
        self._record(kept)
        return outcomes

    def _checked(self, values: Mapping[str, Any], customer_id: int) -> Fact | Refused:
        conditions = self.conditions
        try:
            return facts.checked(
                customer_id,
                values["key"],
                _value(values["key"], values["value"]),
                source=values["source"] or "import",
                as_of=values["as_of"],
                by=conditions.by,
                on=conditions.today,
                at=conditions.at,
                note=values["note"] or "",
                until=values["until"],
                subject=values["subject"] or "",
                particulars=_particulars(values),
                queried_on=values["queried_on"],
            )
        except BadForm as refusal:
            column, complaint = refusal.errors[0]
            return Refused("bad_fact", {"complaint": complaint}, column)

    def _record(self, kept: Sequence[Fact]) -> None:
        trail.record_many(
            trail.line(
                "add_fact",
                about=f"customer:{fact.customer_id}",
                customer=fact.customer_id,
                by=self.conditions.by,
                at=self.conditions.at,
                key=fact.key,
                value=fact.value,
                source=fact.source,
                as_of=fact.as_of,
            )
            for fact in kept
        )


def _particulars(values: Mapping[str, Any]) -> dict[str, str]:
    """Number and authority under the names the public list itself has for them."""
    fields = subjects.PARTICULARS.get(values["key"], ())
    wanted = {"case_no": ("case_no", "decision_no"), "authority": ("court", "authority", "listed_by")}
    named = {next((name for name in names if name in fields), column): values[column]
             for column, names in wanted.items()}  # fmt: skip
    return {name: value for name, value in named.items() if value}


def _value(key: str, text: str | None) -> Decimal | str | bool | None:
    """The fact's value as `facts.checked` takes it: yes and no by the words of files, numbers without separators."""
    if text is None:
        return None
    answers = scorecard.FACTS.get(key)
    if answers == scorecard.YES_NO:
        return _YES_NO.get(text.casefold(), text)
    if answers == scorecard.NUMBER:
        return text.replace(",", "").replace("，", "")
    return text


def _known(customers: Iterable[int]) -> set[tuple[Any, ...]]:
    rows = Fact.objects.filter(customer__in=set(customers))
    return {_identity(fact) for fact in rows.only("customer_id", "key", "value", "source", "as_of")}


def _identity(fact: Fact) -> tuple[Any, ...]:
    return fact.customer_id, fact.key, repr(fact.value), fact.source, fact.as_of


KIND = Kind(
    name="facts",
    label=_("Facts about customers"),
    columns=FACT_COLUMNS,
    writer=FactWriter,
    may=may_import,
    one_of=(ONE_OF,),
    finished=record_import("facts"),
    help=_("One fact per row: whom it is about, what, from which source, as of which day."),
)
