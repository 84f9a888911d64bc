"""Decisions as they are kept: facts, question and reasons as JSON in which every amount is text."""

from typing import Any

from pydantic import TypeAdapter

from shouxin.rules.order_check import Asked, Decision, Facts

_ASKED = TypeAdapter(Asked)
_FACTS = TypeAdapter(Facts)
_ADAPTERS: dict[type, TypeAdapter[Any]] = {Asked: _ASKED, Facts: _FACTS}


def dump(value: Asked | Facts) -> dict[str, Any]:
    """A plain value as JSON; amounts and dates as text, so that no float touches them."""
    kept: dict[str, Any] = _ADAPTERS[type(value)].dump_python(value, mode="json")
    return kept


def asked(kept: dict[str, Any]) -> Asked:
    """The question as it was asked."""
    return _ASKED.validate_python(kept)


def facts(kept: dict[str, Any]) -> Facts:
    """The facts as they were known."""
    return _FACTS.validate_python(kept)


def reasons(decision: Decision) -> list[dict[str, Any]]:
    """The reasons of a decision in their order: code, severity, measured, allowed, cures, each amount as text.

    `secured` stands only beside a limit that securities have raised, so that older decisions replay as they were kept.
    """
    return [
        {
            "code": reason.code,
            "severity": reason.severity,
            "measured": _plain(reason.measured),
            "allowed": _plain(reason.allowed),
            "cures": [{"code": cure.code, "value": _plain(cure.value)} for cure in reason.cures],
            **({"secured": _plain(reason.secured)} if reason.secured else {}),
        }
        for reason in decision.reasons
    ]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)
