"""The menu as one table: stage by stage, what there is to open and which posts see it."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, get_urlconf, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shouxin.rules.policy import Post

OFFICE = frozenset({Post.CREDIT_MANAGER, Post.CREDIT_ADMINISTRATOR, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE})
READERS = OFFICE | {Post.AUDITOR, Post.FINANCE}
COLLECTORS = (OFFICE | {Post.SALES, Post.FINANCE}) - {Post.LEGAL_REPRESENTATIVE}
BUSINESS = frozenset(Post) - {Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER}
"""Who sees customers at all; whoever runs or guards the machine sees none."""
KEEPERS = frozenset({Post.SYSTEM_MANAGER, Post.SECURITY_MANAGER, Post.AUDITOR, Post.CREDIT_MANAGER})


@dataclass(frozen=True)
class Entry:
    """One line of the menu. `url` is a URL name; an entry whose name does not resolve is not shown.

    `posts` is who sees it (empty: everybody); what a page allows is the page's own affair, never the menu's.
    """

    label: str | Promise
    url: str
    icon: str
    posts: frozenset[Post] = frozenset()


@dataclass(frozen=True)
class Stage:
    """One part of the regulation (事前, 事中, 事后) or the safeguards beneath them. `label` is empty for the top."""

    key: str
    label: str | Promise
    entries: tuple[Entry, ...]


STAGES = (
    Stage("home", "", (Entry(_("Home"), "home", "home"),)),
    Stage(
        "before",
        _("Before the deal"),
        (
            Entry(_("Customers"), "customers:list", "building", BUSINESS),
            Entry(_("Quick note"), "customers:quick_note", "note", COLLECTORS),
            Entry(_("Notes and papers"), "customers:inbox", "inbox", OFFICE - {Post.LEGAL_REPRESENTATIVE}),
            Entry(_("Credit applications"), "credit:applications", "file-text", BUSINESS),
            Entry(_("Line requests"), "credit:line_requests", "adjustments", BUSINESS),
            Entry(_("Securities"), "credit:securities", "lock", BUSINESS),
            Entry(_("Blacklist"), "customers:blacklist", "shield", BUSINESS),
        ),
    ),
    Stage(
        "during",
        _("During the deal"),
        (
            Entry(_("Credit check"), "orders:desk", "shield-check", BUSINESS),
            Entry(_("Orders on hold"), "orders:holds", "hand-stop", BUSINESS),
            Entry(_("Reservations"), "orders:reservations", "bookmark", BUSINESS),
        ),
    ),
    Stage(
        "after",
        _("After the deal"),
        (
            Entry(_("Invoices"), "receivables:invoices", "receipt", BUSINESS),
            Entry(_("Receipts"), "receivables:receipts", "cash", BUSINESS),
            Entry(_("Ageing"), "receivables:aging", "chart-bar", BUSINESS),
            Entry(_("Today's round"), "collection:today", "calendar-event", READERS),
            Entry(_("Work list"), "collection:worklist", "list-check", BUSINESS),
            Entry(_("Notices"), "collection:notices", "mail", READERS),
            Entry(_("Credit granted"), "records:granted", "report-money", READERS | {Post.SALES, Post.ARCHIVIST}),
            Entry(_("Key figures"), "records:figures", "chart-line", READERS | {Post.SALES, Post.ARCHIVIST}),
            Entry(_("Recommended units"), "records:recommended", "award", READERS | {Post.SALES, Post.ARCHIVIST}),
            Entry(_("Opportunities"), "records:opportunities", "trending-up", READERS | {Post.SALES, Post.ARCHIVIST}),
            Entry(_("Annual review"), "reviews:years", "calendar-time", READERS | {Post.SALES, Post.ARCHIVIST}),
            Entry(_("Digests"), "records:digests", "speakerphone", READERS | {Post.SALES, Post.ARCHIVIST}),
        ),
    ),
    Stage(
        "safeguards",
        _("Safeguards"),
        (
            Entry(_("Import"), "imports:list", "upload"),
            Entry(_("Policy"), "office:policy", "book"),
            Entry(_("Scorecard"), "credit:card", "gauge", READERS),
            Entry(_("Regulation"), "regulation", "clipboard-check"),
            Entry(_("Proof of exposure"), "receivables:proof", "scale", READERS),
            Entry(_("Audit trail"), "office:trail", "history", READERS | KEEPERS),
            Entry(_("People and posts"), "office:people", "users", KEEPERS),
            Entry(_("System"), "system", "server", frozenset({Post.SYSTEM_MANAGER, Post.AUDITOR})),
            Entry(_("Webhooks"), "webhooks:list", "webhook", KEEPERS),
            Entry(_("Requests of persons"), "customers:data_requests", "id", READERS | {Post.SALES}),
            Entry(_("Personal data"), "office:personal_data", "eye-off"),
            Entry(_("API documents"), "api:openapi-view", "api"),
        ),
    ),
)


@dataclass(frozen=True)
class Shown:
    """An entry as one person sees it on one page. `current`: this page is it, or lies beneath it."""

    label: str | Promise
    address: str
    icon: str
    current: bool = False


@dataclass(frozen=True)
class ShownStage:
    """A stage with the entries this person sees; never empty."""

    key: str
    label: str | Promise
    entries: tuple[Shown, ...] = field(default=())


def shown_to(url: str, posts: Collection[Post]) -> bool:
    """Whether the menu shows an entry to a holder of these posts; what is not in the menu is no affair of it."""
    return all(not entry.posts or entry.posts & {*posts} for stage in STAGES for entry in stage.entries
               if entry.url == url)  # fmt: skip


def menu_for(posts: Collection[Post], path: str = "") -> tuple[ShownStage, ...]:
    """The menu for a holder of these posts who looks at `path`; stages without an entry are left out."""
    at = _addresses(posts)
    here = _current(at.values(), path)
    found = [(stage, [entry for entry in stage.entries if entry.url in at]) for stage in STAGES]
    return tuple(
        ShownStage(stage.key, stage.label, tuple(Shown(e.label, at[e.url], e.icon, at[e.url] == here) for e in entries))
        for stage, entries in found
        if entries
    )


def drawn_for(posts: frozenset[Post], path: str) -> SafeString:
    """The same, drawn: once for all who hold these posts, read this language and look at the same entry's pages."""
    return _drawn(posts, _current(_addresses(posts).values(), path), get_language(), _urls())


@lru_cache(1000)
def _drawn(posts: frozenset[Post], here: str, language: str | None, urls: Any) -> SafeString:
    return render_to_string("shell/side.html", {"menu": menu_for(posts, here)})


def _addresses(posts: Collection[Post]) -> dict[str, str]:
    """Where the entries seen lead, by URL name; those that lead nowhere are not shown."""
    at = _reversed(_urls())
    seen = (entry for stage in STAGES for entry in stage.entries if not entry.posts or entry.posts & {*posts})
    return {entry.url: at[entry.url] for entry in seen if entry.url in at}


@cache
def _reversed(urls: Any) -> dict[str, str]:
    found = {}
    for name in (entry.url for stage in STAGES for entry in stage.entries):
        with suppress(NoReverseMatch):
            found[name] = reverse(name, urls)
    return found


def _urls() -> Any:
    return get_urlconf() or settings.ROOT_URLCONF


def _current(addresses: Iterable[str], path: str) -> str:
    """The longest address that is `path` or a folder above it; the front page is above nothing."""
    above = [at for at in addresses if path == at or (at != "/" and path.startswith(at.rstrip("/") + "/"))]
    return max(above, key=len, default="")
