"""What pages call the fields of small forms and questions, for refusals that name them by key."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

LABELS: Mapping[str, Any] = {
    "about": _("About"),
    "amount": _("Amount"),
    "answer": _("Answer"),
    "as_of": _("As of"),
    "changes": _("Changes"),
    "checked_on": _("Verified on"),
    "conditions": _("Conditions"),
    "currency": _("Currency"),
    "customer": _("Customer"),
    "email": _("E-mail"),
    "evidence": _("Evidence"),
    "file": _("File"),
    "kind": _("Kind"),
    "last": _("Last day"),
    "limit": _("Limit"),
    "months": _("Months"),
    "name": _("Full name"),
    "note": _("Note"),
    "pairs": _("Receipts and invoices"),
    "parent": _("Parent"),
    "outcome": _("Outcome of the dispute"),
    "reason": _("Reason"),
    "remark": _("Assessment"),
    "result": _("Result"),
    "said": _("Told to the customer"),
    "since": _("From"),
    "standing": _("Standing"),
    "summary": _("Summary"),
    "term_days": _("Term in days"),
    "text": _("Text"),
    "to": _("To"),
    "until": _("Until"),
    "verb": _("Step"),
    "version": _("Version"),
    "visited_on": _("Visited on"),
    "why": _("Reason"),
}


def label(field: str) -> Any:
    """The label of a field by its key (`findings.visited_on`: by its last part); "" where it has none here."""
    return LABELS.get(field.rpartition(".")[2], "")
