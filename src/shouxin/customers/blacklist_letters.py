"""The letters of a blacklist case: notice with ground and days to object, what became of the appeal (domain 4.5)."""

from datetime import date, datetime
from typing import Any, Literal

from django.utils import translation
from django.utils.translation import gettext as _

from shouxin.lib import documents
from shouxin.lib.documents import Paper
from shouxin.office import trail
from shouxin.office.models import Person
from shouxin.office.policies import Edition

from . import mails
from .models import BlacklistCase, Mail

Kind = Literal["notice", "upheld", "lifted"]
LANGUAGE = "zh-hans"
"""Letters to customers are Chinese, as their contracts are."""


def send(case: BlacklistCase, kind: Kind, *, edition: Edition, by: Person, on: date, at: datetime) -> Mail:
    """Put the letter into the outbox; without an e-mail address it waits to be printed and handed over."""
    content = paper(case, kind, edition=edition, on=on)
    return mails.write(
        kind=f"blacklist_{kind}", about=trail.name_of(case), to=case.customer.email, subject=content["title"],
        body=documents.plain(content), by=by, at=at, customer=case.customer, paper=content,
        paper_name=f"blacklist-{kind}-{case.pk}", language=LANGUAGE,
    )  # fmt: skip


def paper(case: BlacklistCase, kind: Kind, *, edition: Edition, on: date, language: str = LANGUAGE) -> Paper:
    """The letter as it is printed and sent. It names no third party that has told us something."""
    with translation.override(language):
        company = edition.policy.company
        house = company.name.zh if language.startswith("zh") else company.name.en
        days = {
            name: _day(getattr(case, name)) for name in ("listed_on", "objection_until", "review_on", "appealed_on")
        }
        words = days | {"name": case.customer.name, "ground": ground_of(case, edition, language),
                        "reason": case.appeal_reason}  # fmt: skip
        blocks = [documents.text(line % words) for line in (_("Dear Sirs of %(name)s,"), *_lines(kind))]
        blocks += [documents.note(_("The evidence can be seen at our credit office by appointment."))] * (
            kind == "notice"
        )
        blocks.append(documents.signature(house, _("Credit office"), on.isoformat()))
        head = [(_("Number"), f"HMD-{case.pk:05d}"), (_("Date"), on.isoformat())]
        return documents.paper(_titles()[kind], blocks, house=house, language=language, head=head)


def ground_of(case: BlacklistCase, edition: Edition, language: str) -> str:
    """The ground in words; one that a later policy has dropped is told by its code."""
    found = edition.policy.blacklist.ground(case.ground)
    if found is None:
        return case.ground
    return found.name.zh if language.startswith("zh") else found.name.en


def sent(case: BlacklistCase) -> list[Mail]:
    """The letters of the case, the latest first, with what became of them."""
    return list(Mail.objects.filter(about=trail.name_of(case)).order_by("-pk"))


def _titles() -> dict[str, str]:
    return {
        "notice": _("Notice of blacklisting"),
        "upheld": _("Decision on your appeal"),
        "lifted": _("Notice of re-admission"),
    }


def _lines(kind: Kind) -> tuple[str, ...]:
    lines: dict[str, tuple[Any, ...]] = {
        "notice": (
            _("after examination we have put you on our blacklist from %(listed_on)s, on this ground: %(ground)s."),
            _("From that day we conclude no contract with you, grant no credit and deliver nothing; what you owe is "
              "due and has to be paid."),
            _("You may object in writing until %(objection_until)s, with evidence. Somebody who had no part in "
              "this decision will hear you and answer in writing."),
            _("The listing is looked at again by %(review_on)s. You may ask for re-admission when the ground has gone: "
              "debts paid, damage made good, a promise in writing."),
        ),
        "upheld": (
            _("we have heard your objection of %(appealed_on)s against the listing of %(listed_on)s (%(ground)s)."),
            _("The listing stands. Reason: %(reason)s"),
            _("It is looked at again by %(review_on)s; you may ask for re-admission when the ground has gone."),
        ),
        "lifted": (
            _("we have taken you off our blacklist, on which you stood from %(listed_on)s (%(ground)s)."),
            _("Business begins again on the conditions agreed; grade, limit and term are fixed anew on application."),
        ),
    }  # fmt: skip
    return lines[kind]


def _day(day: date | None) -> str:
    return day.isoformat() if day else "—"
