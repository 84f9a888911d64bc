"""The factors of feature analysis in words (domain 1.4): the policy names them, people score them."""

from django.utils.translation import gettext_lazy as _

FACTORS = {
    "impression": _("Outward impression"),
    "organisation": _("Organisation and management"),
    "products": _("Products and market"),
    "competition": _("Competition in its market"),
    "operation": _("State of the business"),
    "prospects": _("Prospects"),
    "margin": _("Margin of our trade"),
    "demands": _("Demands on the product"),
    "attraction": _("Effect on our pull in the market"),
    "strength": _("Effect on our competitive strength"),
    "security": _("Security offered"),
    "substitutes": _("How easily replaced"),
    "payment": _("Payment record"),
    "bank": _("Credit with banks"),
    "profitability": _("Profitability"),
    "balance_sheet": _("Reading of the balance sheet"),
    "solvency": _("Solvency"),
    "capital": _("Total capital"),
}
"""The 18 factors of feature analysis, each scored from 1 to 10 under the fact `feature_…` (domain 1.4)."""

FACTOR_GROUPS = {
    "own": _("Features of the customer itself"),
    "priority": _("What it is worth to us"),
    "credit": _("Credit and finance"),
}

ORIENTATIONS = {
    "sales": _("sales first"),
    "balanced": _("balanced"),
    "finance": _("finance first"),
}
