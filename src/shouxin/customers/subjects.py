"""Which part of the file a fact belongs to, and what the public lists say field by field (A7, domain 2.4)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

SUBJECT_OF: Mapping[str, str] = {
    **dict.fromkeys(("years_in_business", "registered_capital", "paid_in_capital", "abnormal_operation", "dissolved"),
                    "registration"),
    **dict.fromkeys(("serious_offender", "forged_documents", "malicious_default"), "reputation"),
    **dict.fromkeys(("employees", "requirement_share", "takes_discount", "expected_monthly_sales"), "operations"),
    **dict.fromkeys(("lawsuits", "penalties", "dishonest_debtor", "judgment_debtor"), "litigation"),
    **dict.fromkeys(("tax_grade", "tax_offender"), "tax"),
    "bank_reference": "banks",
    "sued_by_supplier": "payment",
}  # fmt: skip
"""Fact key -> subject area, where whoever notes it names none; figures of statements are finance, all else none."""

_LISTING = ("listed_reason", "listed_on", "listed_by", "removed_reason", "removed_on", "removed_by")
PARTICULARS: Mapping[str, tuple[str, ...]] = {
    "abnormal_operation": _LISTING,
    "serious_offender": _LISTING,
    "dishonest_debtor": ("case_no", "court", "filed_on", "published_on", "province", "judgment_no", "judgment_by",
                         "obligation", "performance", "circumstances", "removed_on"),
    "judgment_debtor": ("case_no", "court", "filed_on", "removed_on"),
    "penalties": ("decision_no", "authority", "reason", "basis", "category", "result", "decided_on", "severity",
                  "publish_end"),
    "tax_grade": ("year", "province", "authority"),
    "tax_offender": ("authority", "reason", "published_on", "publish_end"),
}  # fmt: skip
"""Public list -> the fields of its entries."""

WORDS: Mapping[str, Any] = {
    "listed_reason": _("Reason of listing"), "listed_on": _("Listed on"), "listed_by": _("Listed by"),
    "removed_reason": _("Reason of removal"), "removed_on": _("Removed on"), "removed_by": _("Removed by"),
    "case_no": _("Case number"), "court": _("Court"), "filed_on": _("Filed on"), "published_on": _("Published on"),
    "province": _("Province"), "judgment_no": _("Number of the judgment"), "judgment_by": _("Judgment made by"),
    "obligation": _("Obligation"), "performance": _("Performance"), "circumstances": _("Circumstances"),
    "decision_no": _("Number of the decision"), "authority": _("Deciding authority"), "reason": _("Reason"),
    "basis": _("Basis of the decision"), "category": _("Kind of penalty"), "result": _("Penalty"),
    "decided_on": _("Decided on"), "severity": _("Severity"), "publish_end": _("Published until"), "year": _("Year"),
}  # fmt: skip
DAYS = frozenset(name for name in WORDS if name.endswith("_on") or name == "publish_end")
ENDS = ("removed_on", "publish_end")
"""The day after which an entry no longer counts, where the list itself names one."""


def subject_of(key: str, finance: bool) -> str:
    """The subject area of a fact nobody has put anywhere."""
    return SUBJECT_OF.get(key, "finance" if finance else "")
