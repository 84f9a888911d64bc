"""Application, investigation and approval as the paper forms have them (domain 4.1 to 4.3), with their history."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shouxin.lib import documents
from shouxin.lib.documents import Block, Paper
from shouxin.office import attachments
from shouxin.office.models import POST_LABELS, Person
from shouxin.office.policies import Edition
from shouxin.rules.money import in_words
from shouxin.rules.policy import Post

from . import lines, particulars, references
from .models import Application, Line
from .particulars import Box


def make(name: str, application: Application, *, edition: Edition, by: Person, today: date) -> Paper:
    """One of FORMS in the reader's language; secrets are masked, confidential answers only for their readers."""
    language = "zh-hans" if (get_language() or "zh").startswith("zh") else "en"
    company = edition.policy.company.name
    title, blocks = FORMS[name]
    return documents.paper(
        str(title), blocks(application, by, today), house=company.en if language == "en" else company.zh,
        language=language, head=_head(application),
    )  # fmt: skip


def _head(application: Application) -> list[Sequence[Any]]:
    return [
        (_("Number"), application.number),
        (_("Date"), timezone.localdate(application.requested_at)),
        (_("Status"), application.get_status_display()),  # type: ignore[attr-defined]
        (_("In charge"), application.requested_by),
    ]


def _customer(application: Application) -> Block:
    customer = application.customer
    return documents.facts([
        (_("Customer"), customer.name),
        (_("Unified social credit code"), customer.uscc),
        (_("Address"), "" if customer.natural_person else customer.address),
        (_("Legal representative"), customer.legal_representative),
        (_("Registered capital"), _amount(customer.registered_capital)),
        (_("Paid-in capital"), _amount(customer.paid_in_capital)),
        (_("Founded on"), customer.founded_on),
        (_("Industry"), customer.get_industry_display()),  # type: ignore[attr-defined]
    ])  # fmt: skip


def _amount(value: Any) -> str:
    return "" if value is None else f"{value:,.2f}"


def _asked(application: Application) -> Block:
    words = f"（{in_words(application.requested_limit)}）" if application.currency == "CNY" else ""
    return documents.facts([
        (_("Kind of request"), application.get_request_type_display()),  # type: ignore[attr-defined]
        (_("Limit asked for"), f"{application.currency} {_amount(application.requested_limit)}{words}"),
        (_("Term in days"), application.requested_term_days),
        (_("Until"), application.requested_until),
    ])  # fmt: skip


def _application(application: Application, by: Person, today: date) -> Iterator[Block]:
    yield _customer(application)
    yield documents.heading(_("What is asked for"))
    yield _asked(application)
    yield documents.text(f"{_('Reason')}: {application.reason}")
    yield documents.facts(particulars.shown(particulars.APPLICATION, particulars.filled(application.details)))
    yield from _history(application, particulars.APPLICATION)
    yield documents.signature(_("Applicant (seal)"), _("Date"))


def _investigation(application: Application, by: Person, today: date) -> Iterator[Block]:
    yield _customer(application)
    found = particulars.filled(application.investigation)
    short = [box for box in particulars.INVESTIGATION if box.kind != "lines"]
    yield documents.facts(particulars.shown(short, found))
    for box in particulars.INVESTIGATION:
        if box.kind == "lines" and found.get(box.key):
            yield documents.heading(box.label)
            yield documents.text(found[box.key])
    yield from _references(application, by, today)
    yield from _evidence(application, by, today)
    yield from _history(application, particulars.INVESTIGATION)
    yield documents.signature(f"{_('Investigated by')}: {application.investigated_by or documents.UNSAID}",
                              application.investigated_on)  # fmt: skip


def _references(application: Application, by: Person, today: date) -> Iterator[Block]:
    """Whom we asked; what they wrote only for those who may read it."""
    asked = list(application.references.all())
    if not asked:
        return
    yield documents.heading(_("References"))
    may_read = references.may_read(by, today)
    rows = [
        (
            each.get_kind_display(),  # type: ignore[attr-defined]
            each.name,
            each.get_status_display(),  # type: ignore[attr-defined]
            told_reference(each.answer) if may_read else _("confidential") if each.answer else "",
        )
        for each in asked
    ]
    yield documents.table([_("Kind"), _("Whom we asked"), _("Status"), _("Answer")], rows)


def _evidence(application: Application, by: Person, today: date) -> Iterator[Block]:
    """The files kept with it, by name and digest."""
    rows = [(each.name, each.note, each.digest[:16]) for each in attachments.listed(application, by=by, on=today)]
    if rows:
        yield documents.heading(_("Evidence and photos"))
        yield documents.table([_("File"), _("Note"), "SHA-256"], rows)


def told_reference(answer: str) -> str:
    """A referee's answers in one line."""
    values = particulars.filled(answer) if answer else {}
    return "; ".join(f"{label}: {text}" for label, text in particulars.shown(particulars.REFERENCE, values) if text)


def _approval(application: Application, by: Person, today: date) -> Iterator[Block]:
    yield _customer(application)
    line = Line.objects.filter(request=application.line_request_id).first() if application.line_request_id else None
    earlier = Line.objects.filter(customer=application.customer_id, temporary=False, pool=False, since__lte=today)
    before = (earlier.exclude(pk=line.pk) if line else earlier).order_by("-since", "-pk").first()
    yield documents.heading(_("Old, asked for, suggested, granted"))
    yield documents.table(
        ["", _("Held before"), _("Requested"), _("Suggested"), _("Granted")],
        [
            (_("Grade"), before.grade if before else "", "", application.grade, line.grade if line else ""),
            (_("Limit"), lines.label(before) if before else "", _amount(application.requested_limit),
             _amount(application.suggested_limit), lines.label(line) if line else ""),
            (_("Term in days"), before.term_days if before else "", application.requested_term_days,
             application.suggested_term_days, line.term_days if line else ""),
            (_("From"), before.since if before else "", "", "", line.since if line else ""),
            (_("Until"), before.until if before else "", application.requested_until, "", line.until if line else ""),
        ],
        right=(1, 2, 3, 4),
    )  # fmt: skip
    yield documents.facts([(_("Score"), application.score), (_("Conditions"), application.conditions),
                           (_("Missing items excused"), application.excused)])  # fmt: skip
    yield from _answers(application)
    yield documents.heading(_("Opinions"))
    yield documents.table([_("Post"), _("Opinion"), _("Text"), _("By"), _("At")], _opinions(application))
    if application.decided_by:
        yield documents.signature(f"{application.get_status_display()}: {application.decided_by}",  # type: ignore[attr-defined]
                                  _moment(application.decided_at))  # fmt: skip


def _answers(application: Application) -> Iterator[Block]:
    """The score sheet's points, question by question."""
    sheet = application.rating.sheet["sheet"] if application.rating else {"answers": []}
    rows = [(each["question"], each["value"], f"{each['points']} / {each['points_max']}") for each in sheet["answers"]]
    if rows:
        yield documents.heading(_("Score sheet"))
        yield documents.table([_("Question"), _("Value"), _("Points")], rows, right=(2,))


def _opinions(application: Application) -> Iterator[Sequence[Any]]:
    for each in application.opinions.filter(turn=application.turn).select_related("by", "on_behalf_of"):
        post = POST_LABELS[Post(each.post)] if each.post else _("asked as well")
        lent = f" ({_('for')} {each.on_behalf_of})" if each.on_behalf_of else ""
        verdict = each.get_verdict_display()  # type: ignore[attr-defined]
        yield post, verdict, each.text, f"{each.by}{lent}", _moment(each.at)
    if application.decided_by:
        yield (
            _("Decision"),
            application.get_status_display(),
            "",
            application.decided_by,
            _moment(application.decided_at),
        )  # type: ignore[attr-defined]


def _moment(at: Any) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


COLUMN_LABELS = {
    "request_type": gettext_lazy("Kind of request"),
    "requested_limit": gettext_lazy("Limit asked for"),
    "currency": gettext_lazy("Currency"),
    "requested_term_days": gettext_lazy("Term in days"),
    "requested_until": gettext_lazy("Until"),
    "reason": gettext_lazy("Reason"),
}


def history(application: Application, boxes: Iterable[Box] = ()) -> Iterator[tuple[Any, str, Any, str, str]]:
    """(when, by whom, field, old, new) of every change, the earliest first; secrets masked. `boxes`: only these."""
    known = {box.key: box for box in (*particulars.APPLICATION, *particulars.INVESTIGATION)}
    wanted = {box.key for box in boxes}
    for edit in application.edits.select_related("by"):
        for key, (old, new) in particulars.filled(edit.changes).items():
            if wanted and key not in wanted and key not in COLUMN_LABELS:
                continue
            box = known.get(key)
            label = box.label if box else COLUMN_LABELS.get(key, key)
            hide = particulars.masked if box and box.secret else str
            yield edit.at, str(edit.by or _("the customer")), label, hide(old), hide(new)


def _history(application: Application, boxes: Iterable[Box]) -> Iterator[Block]:
    rows = [(_moment(at), by, label, old, new) for at, by, label, old, new in history(application, boxes)]
    if rows:
        yield documents.heading(_("History of the fields"))
        yield documents.table([_("At"), _("By"), _("Field"), _("Old value"), _("New value")], rows)


FORMS: dict[str, tuple[Any, Callable[[Application, Person, date], Iterable[Block]]]] = {
    "application": (gettext_lazy("Customer credit application"), _application),
    "investigation": (gettext_lazy("Customer credit investigation"), _investigation),
    "approval": (gettext_lazy("Customer credit approval"), _approval),
}
"""Name in the address -> (title, what makes its blocks)."""
