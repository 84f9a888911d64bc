"""The rows of a batch as they are kept: decisions, the holds some of them open, one line of the trail for each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from shouxin.lib.statements import append
from shouxin.office import trail
from shouxin.rules.order_check import NO_RELEASE, Decision

from . import stored
from .models import CreditDecision, Hold

if TYPE_CHECKING:
    from .checks import Case, Moment

_COLUMNS = [field.column for field in CreditDecision._meta.concrete_fields]
_JSON = frozenset({"reasons", "request", "facts"})


def decisions(cases: Sequence["Case"], moment: "Moment") -> list[CreditDecision]:
    """Write the decisions with their holds and trail lines; answers the rows."""
    rows = [_row(case, moment) for case in cases]
    columns = {name: list(column) for name, column in zip(_COLUMNS, zip(*rows, strict=True), strict=True)}
    for name in _JSON:
        columns[name] = [to_json(value).decode() for value in columns[name]]
    append(CreditDecision, columns)
    _open_holds(cases, moment)
    _record(cases, moment)
    return [CreditDecision.from_db("default", _COLUMNS, row) for row in rows]


def _row(case: "Case", moment: "Moment") -> list[Any]:
    """The values of a decision, in the order of its columns."""
    request, decision = case.request, case.decision
    kept = {
        "id": case.number,
        "customer_id": case.customer and case.customer.id,
        "customer_code": request.customer,
        "source_system": request.source_system,
        "order_no": request.order_no,
        "amount": request.amount,
        "currency": case.currency,
        "line_currency": case.line_currency,
        "reserve": request.reserve,
        "outcome": decision.outcome,
        "reasons": stored.reasons(decision),
        "request": stored.dump(case.asked),
        "facts": stored.dump(case.facts),
        "available_before": decision.available_before,
        "available_after": decision.available_after,
        "reservation_id": case.reservation,
        "supersedes_id": case.supersedes,
        "policy_version": moment.edition.number,
        "as_of": moment.today,
        "at": moment.at,
        "by_id": case.by_id,
    }
    return [kept[name] for name in _COLUMNS]


def _open_holds(cases: Sequence["Case"], moment: "Moment") -> None:
    """What a person may release waits for one."""
    held = [case for case in cases if case.request.reserve and releasable(case.decision)]
    if held:
        append(
            Hold,
            {
                "decision_id": [case.number for case in held],
                "customer_id": [case.customer and case.customer.id for case in held],
                "status": "open",
                "opened_at": moment.at,
                "reason": "",
            },
        )


def releasable(decision: Decision) -> bool:
    """Whether a person may overrule the decision: it was blocked, and by nothing that no path releases (I-19, I-20)."""
    return decision.outcome != "approve" and not any(reason.code in NO_RELEASE for reason in decision.reasons)


def _record(cases: Sequence["Case"], moment: "Moment") -> None:
    trail.record_columns(
        verb=[f"check.{case.decision.outcome}" for case in cases],
        about=[f"credit-decision:{case.number}" for case in cases],
        label=[case.request.order_no for case in cases],
        customer_id=[case.customer and case.customer.id for case in cases],
        by=[case.by for case in cases],
        at=moment.at,
        particulars=[
            {
                "amount": case.request.amount,
                "currency": case.currency,
                "reasons": [reason.code for reason in case.decision.reasons],
            }
            for case in cases
        ],
    )
