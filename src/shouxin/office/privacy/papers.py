"""An impact assessment as a paper to print and to keep (PIPL art. 56)."""

from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shouxin.lib import documents
from shouxin.lib.documents import Paper
from shouxin.office.models import DataSharing, ImpactAssessment
from shouxin.office.policies import Edition


def assessment(row: ImpactAssessment, edition: Edition) -> Paper:
    """One version with everything it says, in the reader's language."""
    language = get_language() or "zh-hans"
    company = edition.policy.company
    house = company.name.zh if language.startswith("zh") else company.name.en
    blocks = [documents.facts(_facts(row))]
    for words, name in PARTS:
        blocks += [documents.heading(words), documents.text(getattr(row, name))]
    blocks.append(documents.signature(house, _("Assessed by %(name)s") % {"name": row.written_by},
                                      row.assessed_on.isoformat()))  # fmt: skip
    if row.status in ("in_force", "replaced", "closed") and row.reviewed_by:
        words = _("Reviewed by %(name)s") % {"name": row.reviewed_by}
        blocks.append(documents.signature(words, row.review_note, row.reviewed_on.isoformat()))
    head = [(_("Number"), f"PIA-{row.pk:05d} v{row.number}"), (_("Status"), str(row.get_status_display()))]
    title = _("Personal information protection impact assessment")
    return documents.paper(title, blocks, house=house, language=language, head=head)


PARTS: tuple[tuple[Any, str], ...] = (
    (gettext_lazy("What is processed"), "processing"),
    (gettext_lazy("Why it is lawful and needed"), "necessity"),
    (gettext_lazy("Effect on the rights of persons"), "impact"),
    (gettext_lazy("Protective measures"), "measures"),
    (gettext_lazy("Opinion"), "opinion"),
)
"""The long parts of an assessment: heading, column."""


def _facts(row: ImpactAssessment) -> list[tuple[str, Any]]:
    covered = DataSharing.objects.filter(pk__in=row.covers).order_by("pk").values_list("recipient", flat=True)
    fits = _("yes") if row.fits else _("no")
    return [
        (_("What is assessed"), row.title),
        (_("Occasion"), "; ".join(occasions_said(row))),
        (_("Given to"), "; ".join(covered) or documents.UNSAID),
        (_("Risk"), str(row.get_risk_display())),
        (_("The measures fit the risk"), fits),
        (_("Conclusion"), str(row.get_conclusion_display())),
        (_("Assessed on"), row.assessed_on.isoformat()),
        (_("Look again by"), row.next_review_on.isoformat()),
    ]


def occasions_said(row: ImpactAssessment) -> list[str]:
    """Why the law asks for it, in words."""
    return [str(label) for name, label in ImpactAssessment.OCCASIONS if name in row.occasions]
