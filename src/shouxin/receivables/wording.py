"""Words for what the rules and rows answer, in the reader's language."""

from django.utils.translation import gettext as _

from shouxin.rules.aging import Bucket


def bucket_name(bucket: Bucket | None) -> str:
    """A bucket as a heading: not due, 1–30 days, 1–2 years, over 3 years; None: unapplied money and credit notes."""
    if bucket is None:
        return _("Unapplied")
    if bucket.lower is None:
        return _("Not due")
    before = bucket.lower - 1
    if bucket.upper is None:
        over = _("Over %(years)s years") if _whole_years(before) else _("Over %(days)s days")
        return over % {"years": before // 365, "days": before}
    if _whole_years(before) and _whole_years(bucket.upper):
        return _("%(from)s–%(to)s years") % {"from": before // 365, "to": bucket.upper // 365}
    return _("%(from)s–%(to)s days") % {"from": bucket.lower, "to": bucket.upper}


def _whole_years(days: int) -> bool:
    return days >= 365 and days % 365 == 0
