"""The trail for people: verbs and things in words, where a line leads."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from time import monotonic
from typing import Any

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from shouxin.lib.numbers import whole
from shouxin.rules.policy import GROUNDS, Post

from . import book, posts
from .models import POST_LABELS, Person, TrailEntry

Text = str | Promise

VERBS: Mapping[str, Text] = {
    "register": _("registered the customer"),
    "create": _("registered the customer"),
    "put_sign_in_rules": _("put sign-in rules in force"),
    "add_second_factor": _("added a second factor"),
    "reset_second_factor": _("removed a second factor"),
    "set_password": _("set a new password"),
    "connect_sign_in": _("connected an account from outside"),
    "disconnect_sign_in": _("disconnected an account from outside"),
    "change": _("changed"),
    "change_customer": _("changed the customer's particulars"),
    "add_name": _("added another name"),
    "add_fact": _("noted a fact"),
    "score_features": _("scored the features"),
    "fit_card": _("fitted a statistical card"),
    "unmask": _("looked at a masked particular"),
    "view_file": _("opened the credit file"),
    "verify_fact": _("verified a fact"),
    "mark_fact": _("took a fact out of scoring"),
    "enter_statement": _("entered a financial statement"),
    "attach": _("kept a file as evidence"),
    "view_attachment": _("looked at a file kept as evidence"),
    "view_sheet": _("opened the credit sheet to print"),
    "export": _("exported a list"),
    "ask_who_saw": _("asked who saw the customer"),
    "webhook.create": _("made a webhook"),
    "webhook.change": _("changed a webhook"),
    "webhook.accept": _("accepted a webhook"),
    "webhook.renew_secret": _("renewed a webhook's secret"),
    "webhook.remove": _("removed a webhook"),
    "webhook.test": _("sent a test to a webhook"),
    "webhook.stop": _("a webhook was stopped after failures"),
    "enter_sharing": _("entered to whom personal data are given"),
    "correct_sharing": _("corrected an entry of the sharing register"),
    "end_sharing": _("ended an entry of the sharing register"),
    "write_assessment": _("wrote an impact assessment"),
    "review_assessment": _("put an impact assessment in force"),
    "send_back_assessment": _("sent an impact assessment back"),
    "replace_assessment": _("a later version took the place of an impact assessment"),
    "close_assessment": _("closed an impact assessment"),
    "dispose_assessment": _("disposed of an impact assessment"),
    "data_request.ask": _("took down what a person asked about her data"),
    "export_personal_data": _("made a copy of a person's data"),
    "rotate_keys": _("changed the key and sealed anew"),
    "purge": _("cleared away what was finished"),
    "set_standing": _("set the standing"),
    "propose_release": _("proposed to lift the blacklisting"),
    "rate": _("rated"),
    "open_year": _("opened an annual review"),
    "review_year": _("reviewed the customers of a year"),
    "renew_review": _("reviewed a customer anew"),
    "assess_review": _("wrote the assessment of a customer"),
    "close_year": _("closed an annual review"),
    "line_request.ask": _("asked for a line"),
    "recommend": _("wrote a recommendation"),
    "digest.make": _("told a department of evaluation results"),
    "security.propose": _("proposed a security"),
    "void": _("declared worthless"),
    "replace": _("replaced by another"),
    "expire": _("ran out"),
    "application.create": _("put an application down"),
    "submit": _("handed it in"),
    "accept": _("accepted it for review"),
    "investigate": _("wrote down the investigation"),
    "assess": _("rated and assessed it"),
    "confirm_grade": _("confirmed the grade of a natural person"),
    "supersede": _("rated again: the old grade no longer waits"),
    "opine": _("gave an opinion"),
    "delegate": _("handed a turn over"),
    "countersign": _("asked one more person"),
    "return": _("returned it for completion"),
    "form_link.make": _("made a link for a form"),
    "form_link.use": _("a form came in by its link"),
    "reference.ask": _("asked for a reference"),
    "reference.remind": _("asked for a reference again"),
    "reference.answer": _("a reference came in"),
    "line.begin": _("a line began"),
    "line.downgrade": _("lowered the grade"),
    "line.overtake": _("a line takes the place of what was planned before it"),
    "check.approve": _("checked an order: may ship"),
    "check.hold": _("checked an order: on hold"),
    "check.decline": _("checked an order: declined"),
    "reservation.deliver": _("goods left"),
    "reservation.cancel": _("cancelled what was reserved"),
    "reservation.extend": _("extended the reservation"),
    "reservation.bill": _("billed what was reserved"),
    "reservation.import": _("took over open orders"),
    "order.import_many": _("took over open orders"),
    "line.import": _("took over a line"),
    "import.receive": _("received a file"),
    "import.start": _("began an import"),
    "import.customers": _("took over a file of customers"),
    "import.lines": _("took over a file of lines"),
    "import.invoices": _("took over a file of invoices"),
    "import.receipts": _("took over a file of receipts"),
    "import.orders": _("took over a file of orders"),
    "import.facts": _("took over a file of facts"),
    "invoice.issue": _("issued an invoice"),
    "receipt.receive": _("received money"),
    "receipt.take": _("received money"),
    "invoice.post_many": _("posted invoices"),
    "invoice.apply_credit": _("used a credit note"),
    "invoice.contest": _("noted a dispute"),
    "invoice.settle_contest": _("settled a dispute"),
    "invoice.reverse": _("reversed an invoice"),
    "receipt.post_many": _("posted receipts"),
    "receipt.match": _("matched a receipt"),
    "receipt.match_all": _("matched receipts"),
    "receipt.unmatch": _("undid a match"),
    "receipt.reverse": _("reversed a receipt"),
    "installation.backup": _("made a backup"),
    "installation.restore": _("restored a backup"),
    "installation.pause": _("paused the installation"),
    "installation.resume": _("let the installation go on"),
    "notice.sent": _("sent a letter"),
    "notice.held": _("held a letter back"),
    "notice.failed": _("a letter could not be sent"),
    "mail.sent": _("sent a letter by e-mail"),
    "mail.failed": _("a letter by e-mail could not be sent"),
    "resend": _("let a letter go again"),
    "hold": _("held a letter back"),
    "retry": _("let a letter go again"),
    "readdress": _("let a letter go to a new address"),
    "hand_over": _("handed a letter over on paper"),
    "day.run": _("ran the day"),
    "dunning.advance": _("dunning went a stage further"),
    "dunning.end": _("dunning ended: nothing is overdue"),
    "task.done": _("finished a task"),
    "task.dropped": _("dropped a task"),
    "proof.run": _("proved the exposure"),
    "proof.unpark": _("opened a parked account again"),
    "release": _("released"),
    "reject": _("rejected"),
    "recheck": _("checked again"),
    "approve": _("approved"),
    "decline": _("declined"),
    "withdraw": _("withdrew"),
    "confirm": _("confirmed"),
    "tie": _("tied to a parent"),
    "untie": _("let leave its group"),
    "add_person_tie": _("put a person behind the customer on record"),
    "end_person_tie": _("ended a person's tie"),
    "record_agent": _("recorded a power of attorney"),
    "revoke_power": _("recorded that a power was revoked"),
    "propose_blacklisting": _("proposed for the blacklist"),
    "stop": _("suspended at once"),
    "appeal": _("took down an objection"),
    "uphold": _("turned the appeal down"),
    "allow": _("allowed the appeal"),
    "extend": _("kept on the list"),
    "readmit": _("proposed re-admission"),
    "lift": _("lifted the listing"),
    "keep": _("left the listing standing"),
    "keep_for_blacklist": _("kept what the blacklist knows the person by"),
    "refuse": _("was refused"),
    "add_person": _("added a person"),
    "appoint": _("appointed to a post"),
    "end_appointment": _("ended an appointment"),
    "disable_person": _("disabled a person"),
    "create_token": _("made a token"),
    "revoke_token": _("revoked a token"),
    "put_policy": _("put a policy in force"),
    "put_rate": _("entered an exchange rate"),
    "trail.verify": _("verified the audit trail"),
    "trail.checkpoint": _("kept a checkpoint of the audit trail"),
    "sign_in": _("signed in"),
    "sign_out": _("signed out"),
    "sign_in.fail": _("failed to sign in"),
    "sign_in.lock": _("was locked out after too many failed sign-ins"),
    "sign_in.slow": _("a network address was slowed down after too many failed sign-ins"),
}
"""What each verb says; a verb that is not here is shown as it stands."""

ASKED: Mapping[str, Text] = {
    "apply_credit": _("to use a credit note"),
    "change_person": _("to change a person"),
    "check": _("to check an order"),
    "compare": _("to compare cards"),
    "confirm_release": _("to confirm that a blacklisting is lifted"),
    "contest": _("to note a dispute"),
    "data_request.copy": _("to make a copy of a person's data"),
    "issue": _("to issue an invoice"),
    "line_request.approve": _("to sign a line request"),
    "list_assessments": _("to read the impact assessments"),
    "list_people": _("to read people and posts"),
    "list_sharings": _("to read the sharing register"),
    "match": _("to match a receipt"),
    "match_all": _("to match receipts"),
    "order.import": _("to take over open orders"),
    "prove": _("to prove the exposure"),
    "read": _("to read the daily rounds"),
    "read_aging": _("to read the ageing"),
    "read_digests": _("to read the digests"),
    "read_figures": _("to read the key figures"),
    "read_granted": _("to read the credit granted"),
    "read_opportunities": _("to read the opportunities"),
    "read_proof": _("to read the proof of exposure"),
    "read_recommended": _("to read the recommended units"),
    "read_reviews": _("to read the annual reviews"),
    "read_sign_in_rules": _("to read the sign-in rules"),
    "read_system": _("to read the state of the system"),
    "reverse": _("to reverse a receipt"),
    "run_day": _("to run the day"),
    "settle_contest": _("to settle a dispute"),
    "take": _("to receive money"),
    "unmatch": _("to undo a match"),
    "unpark": _("to open a parked account again"),
}
"""What somebody was refused, where that is no verb that leaves a line of its own."""

CODES: Mapping[str, Text] = {
    "not_your_duty": _("not among her duties"),
    "no_post": _("takes a higher post"),
    "own_amount": _("beyond her own authority"),
    "own_application": _("asked for by herself"),
    "own_edit": _("changed by herself"),
    "own_customer": _("her own customer"),
    "own_rating": _("rated by herself"),
    "own_posts": _("her own posts"),
    "own_sign_in": _("her own way in"),
    "second_person": _("takes a second person"),
    "disabled": _("the person is disabled"),
    "opinions_missing": _("opinions are missing"),
    "restricted": _("the customer's data are restricted"),
    "version_seen": _("changed meanwhile"),
}
"""Why somebody was refused; one that is not here is shown as it stands."""

TABS: Mapping[str, Text] = {
    "overview": _("Overview"),
    "line": _("Line"),
    "exposure": _("Exposure"),
    "rating": _("Rating"),
    "orders": _("Orders"),
    "invoices": _("Open items"),
    "facts": _("Facts"),
    "parties": _("Related parties"),
    "counterparty": _("Counterparty check"),
    "standing": _("Standing"),
    "letters": _("Letters"),
    "timeline": _("Timeline"),
    "api": _("API"),
}
"""Parts of a customer's file."""

LISTS: Mapping[str, Text] = {
    "aging": _("Ageing"),
    "aging-items": _("Ageing, items"),
    "annual-reviews": _("Annual review"),
    "applications": _("Credit applications"),
    "assessments": _("Impact assessments"),
    "blacklist": _("Blacklist"),
    "checks": _("Credit checks"),
    "customers": _("Customers"),
    "days": _("Daily rounds"),
    "digests": _("Digests"),
    "granted": _("Credit granted"),
    "holds": _("Orders on hold"),
    "imports": _("Import"),
    "internal-opportunities": _("Opportunities"),
    "internal-recommended": _("Recommended units"),
    "invoices": _("Invoices"),
    "line-requests": _("Line requests"),
    "notices": _("Notices"),
    "overrides": _("Override register"),
    "people": _("People and posts"),
    "rates": _("Exchange rates"),
    "receipts": _("Receipts"),
    "reservations": _("Reservations"),
    "securities": _("Securities"),
    "sharings": _("Sharing register"),
    "tasks": _("Work list"),
    "trail": _("Audit trail"),
}
"""Lists that leave the house as files."""

THINGS: Mapping[str, Text] = {
    "customer": _("customer"),
    "credit-decision": _("credit check"),
    "hold": _("hold"),
    "reservation": _("reservation"),
    "line": _("line"),
    "line-request": _("line request"),
    "security": _("security"),
    "application": _("application"),
    "form-link": _("link for a form"),
    "reference": _("reference"),
    "digest": _("digest"),
    "rating": _("rating"),
    "grade-review": _("grade of a natural person"),
    "invoice": _("invoice"),
    "receipt": _("receipt"),
    "contest": _("dispute"),
    "notice": _("letter"),
    "mail": _("letter by e-mail"),
    "task": _("task"),
    "day": _("business day"),
    "person": _("person"),
    "policy-version": _("policy"),
    "policy": _("policy"),
    "exchange-rate": _("exchange rate"),
    "standing-release": _("lifting of a blacklisting"),
    "proof-run": _("proof"),
    "import": _("import"),
    "import-run": _("import"),
    "figures": _("key figures"),
    "office": _("the office"),
    "trail": _("audit trail"),
    "door": _("the door"),
    "list": _("list"),
    "webhook": _("webhook"),
    "data-request": _("request about personal data"),
    "data-sharing": _("sharing of personal data"),
    "impact-assessment": _("impact assessment"),
    "blacklist-case": _("blacklist case"),
    "agent": _("agent"),
}
PAGES: Mapping[str, str] = {
    "customer": "customers:file",
    "credit-decision": "orders:decision",
    "hold": "orders:hold",
    "reservation": "orders:reservation",
    "line-request": "credit:line_request",
    "security": "credit:security",
    "application": "credit:application",
    "person": "office:person",
    "invoice": "receivables:invoice",
    "receipt": "receivables:receipt",
    "notice": "collection:notice",
    "task": "collection:task",
    "import-run": "imports:run",
    "blacklist-case": "customers:blacklist_case",
    "agent": "customers:agent",
    "data-sharing": "office:sharing",
    "impact-assessment": "office:assessment",
}
"""Where a thing has its page; a page that does not exist (yet) leads nowhere."""

VALUES: Mapping[str, Text] = {
    "second_factor": _("the second factor"),
    "passkey": _("the passkey"),
    "open": _("open"),
    "released": _("released"),
    "rejected": _("rejected"),
    "cured": _("cured"),
    "superseded": _("superseded"),
    "approved": _("approved"),
    "proposed": _("proposed"),
    "confirmed": _("confirmed"),
    "active": _("in force"),
    "void": _("worthless"),
    "replaced": _("replaced"),
    "expired": _("expired"),
    "declined": _("declined"),
    "withdrawn": _("withdrew"),
    "good": _("good"),
    "watched": _("watched"),
    "stopped": _("supply stopped"),
    "cash_only": _("cash only"),
    "suspended": _("suspended"),
    "blacklisted": _("blacklisted"),
    "new": _("new line"),
    "raise": _("raised line"),
    "lower": _("lowered line"),
    "renewal": _("renewed line"),
    "temporary": _("temporary line"),
    "listed": _("on the blacklist"),
    "appealed": _("on the blacklist, appeal heard"),
    "upheld": _("on the blacklist, upheld"),
    "leaving": _("on the blacklist, lifting proposed"),
    "lifted": _("lifted"),
    "recorded": _("on record"),
    "revoked": _("revoked"),
    "amount": _("an amount"),
    "unlimited": _("unlimited"),
    "none": _("no credit"),
    "done": _("done"),
    "failed": _("failed"),
    "create": _("register them"),
    "refuse": _("refuse their rows"),
}
"""Statuses, standings and kinds among the particulars."""

PARTICULARS: Mapping[str, Text] = {
    "reason": _("reason"),
    "why": _("why"),
    "was": _("was"),
    "now": _("has become"),
    "amount": _("amount"),
    "currency": _("currency"),
    "post": _("post"),
    "since": _("from"),
    "until": _("until"),
    "up_to_amount": _("up to the amount"),
    "asked": _("asked for"),
    "code": _("code"),
    "duty": _("duty of"),
    "changes": _("changes"),
    "reasons": _("reasons"),
    "rate": _("rate"),
    "source": _("source"),
    "department": _("department"),
    "username": _("sign-in name"),
    "amount_max": _("own authority"),
    "malicious": _("malicious"),
    "kind": pgettext_lazy("trail", "kind"),
    "grade": _("grade"),
    "limit": _("limit"),
    "limit_kind": _("kind of limit"),
    "term_days": _("term in days"),
    "discount_percent": _("discount %"),
    "discount_days": _("discount days"),
    "temporary": _("temporary"),
    "pool": _("shared by the whole group"),
    "score": _("score"),
    "posted": pgettext_lazy("trail", "posted"),
    "standing": _("standing"),
    "note": pgettext_lazy("trail", "note"),
    "decision_reason": _("reason"),
    "whole": _("whole"),
    "entries": _("entries"),
    "head": _("head of the chain"),
    "wrong": _("findings"),
    "address": _("network address"),
    "failed": _("what was wrong"),
    "fields": _("particulars"),
    "host": _("host"),
    "concerns": _("concerns"),
    "answer": _("answer"),
    "events": _("events"),
    "owner": _("owner"),
    "failures": _("failures"),
    "changed": _("changed"),
    "tab": _("part of the file"),
    "rows": _("rows"),
    "form": _("file type"),
    "on": _("on"),
    "stage": _("stage"),
    "at_stake": _("amount at stake"),
    "overdue_days": _("days overdue"),
    "name": _("name"),
    "names": _("names"),
    "customer_since": _("customer since"),
    "source_system": _("source system"),
    "unknown_customers": _("unknown customers"),
    "atomic": _("all rows or none"),
    "file": _("file"),
    "accepted": _("rows taken over"),
    "unchanged": _("rows unchanged"),
    "refused": _("rows refused"),
    "sums": _("sums"),
    "read": pgettext_lazy("trail", "read"),
    "status": _("status"),
    "customers": _("customers"),
    "concerned": _("customers concerned"),
    "overdue": _("overdue"),
    "began": _("newly overdue"),
    "ended": _("paid up"),
    "letters": _("letters"),
    "standings": _("standings changed"),
    "downgrades": _("downgrades"),
    "tasks_made": _("tasks made"),
    "tasks_dropped": _("tasks dropped"),
    "left_out": _("left out"),
    "policy_version": _("policy version"),
    "accounts": _("accounts"),
    "differences": _("differences"),
    "proof_accounts": _("accounts proved"),
    "proof_difference": _("difference of the proof"),
    "ground": _("ground"),
    "whole_group": _("the whole group"),
    "persons": _("persons"),
    "conditions": _("conditions"),
    "appeal": _("objection"),
    "appeal_reason": _("decision on the appeal"),
    "listed_on": _("listed on"),
    "objection_until": _("objections until"),
    "review_on": _("look again by"),
    "parent": _("parent"),
    "percent": _("share of the capital, %"),
    "role": _("role"),
    "matters": _("matters"),
    "lacks": _("lacking"),
    "case": _("case"),
    "revoked_on": _("revoked on"),
    "revoked_why": _("why revoked"),
    "reservations_expired": _("reservations let go"),
    "securities_expired": _("securities that ran out"),
    "value": _("value"),
    "prior_claims": _("claims before ours"),
    "document": _("document"),
    "registration_no": _("registration number"),
    "end_reason": _("reason"),
}
TOLD_ALREADY = frozenset(
    {"decided_by", "decided_at", "ended_by", "began_on", "ended_on", "replaces", "digest", "hidden", "skipped"}
)
"""Particulars that repeat who acted and when, that only a machine compares, or that stand in the import's result."""

WORDED = frozenset({"failed", "was", "now", "kind", "limit_kind", "standing", "status", "unknown_customers"})
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
AMOUNTS = frozenset(
    {"amount", "up_to_amount", "amount_max", "limit", "at_stake", "value", "prior_claims", "registered_capital",
     "paid_in_capital", "requested_limit", "suggested_limit"}
)  # fmt: skip
Fields = Mapping[str, Any]


LISTED: Mapping[str, tuple[Mapping[str, Text], ...]] = {"code": (CODES,), "asked": (VERBS, ASKED), "tab": (TABS,)}
"""Particulars whose values are words of their own."""
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+([+-][0-9]{2}:[0-9]{2})?")
_THING = re.compile(r"([a-z]+(?:-[a-z]+)*):([0-9]{1,18})")


def actor(entry: TrailEntry) -> str:
    """Who acted: the name she had then; the built-in person by a word."""
    return str(_("System")) if entry.by_name == posts.SYSTEM else entry.by_name


def verb(entry: TrailEntry) -> str:
    """What was done, in words."""
    return str(VERBS.get(entry.verb, entry.verb))


def thing(entry: TrailEntry) -> str:
    """What it was done to: its kind in words, its name."""
    kind, _colon, number = entry.about.partition(":")
    named = entry.label if entry.label and " object (" not in entry.label else number
    if kind == "list":
        named = str(LISTS.get(named, named))
    return f"{THINGS.get(kind, kind)} {named}".strip()


def address(entry: TrailEntry) -> str:
    """The page of the thing, or "" where it has none."""
    return address_of(entry.about)


def address_of(about: str) -> str:
    """The page of a thing by its name in the trail (kind:number), or "" where it has none."""
    kind, _colon, number = about.partition(":")
    pk = whole(number)
    if kind not in PAGES or pk is None:
        return ""
    try:
        return reverse(PAGES[kind], args=[pk])
    except NoReverseMatch:
        return ""


def particulars(entry: TrailEntry) -> str:
    """What else the line says, as words."""
    fields = _fields(entry.about.partition(":")[0])
    told = ((name, value) for name, value in entry.particulars.items() if not _told_already(entry, name, value))
    shown = ((_label(name, fields), _value(name, value, fields)) for name, value in told)
    return " · ".join(f"{name}: {value}" for name, value in shown if value)


def value(name: str, value: Any, kind: str = "") -> str:
    """One particular of a line about a thing of this kind, as words."""
    return _value(name, value, _fields(kind))


def _told_already(entry: TrailEntry, name: str, value: Any) -> bool:
    """Whether it repeats who acted and when, as the columns do that a step writes beside a status."""
    own = name.endswith("_by") and value == f"person:{entry.by_id}"
    then = name.endswith("_at") and isinstance(value, str) and _moment(value) == entry.at
    return own or then or name in TOLD_ALREADY


@cache
def _fields(kind: str) -> Fields:
    """The fields of the model whose things the trail calls by this kind, by name."""
    for model in apps.get_models():
        if "-".join(re.findall(r"[A-Z][a-z0-9]*", model.__name__)).lower() == kind:
            return {field.name: field for field in model._meta.fields}
    return {}


def _label(name: str, fields: Fields) -> Text:
    said = getattr(fields.get(name), "verbose_name", None)
    return PARTICULARS.get(name) or (said if isinstance(said, Promise) else name)


def _word(name: str, value: str, fields: Fields) -> str:
    """A code in words: of a list of its own, of what changed its status, of the choices its field has."""
    for known in LISTED.get(name, ()):
        if value in known:
            return str(known[value])
    if name in WORDED and value in VALUES:
        return str(VALUES[value])
    if name == "ground":
        return next((book.phrase(each.name) for each in GROUNDS if each.code == value), value)
    field = fields.get("status" if name in ("was", "now") else name)
    return str(dict(getattr(field, "flatchoices", ())).get(value, value))


def _text(value: str) -> str:
    """A text as people read it: moments in local time, persons by name, things by their word."""
    if moment := _moment(value):
        return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
    if found := _THING.fullmatch(value):
        kind, number = found.groups()
        return _person(int(number), monotonic() // 60) if kind == "person" else f"{THINGS.get(kind, kind)} {number}"
    return value


def _moment(value: str) -> datetime | None:
    if not _MOMENT.fullmatch(value):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if timezone.is_aware(found) else None


@lru_cache(1000)
def _person(pk: int, _minute: float) -> str:
    """A person's name, asked for once a minute."""
    found = Person.objects.filter(pk=pk).first()
    return str(found) if found else f"{THINGS['person']} {pk}"


def _value(name: str, value: Any, fields: Fields) -> str:
    if value is None or value == "" or value == []:
        return ""
    if name in ("post", "duty"):
        held = value if isinstance(value, list) else [value]
        return ", ".join(str(POST_LABELS[Post(post)]) for post in held if post in list(Post))
    if name == "reasons" and isinstance(value, list):
        return ", ".join(str(book.REASONS.get(str(code), code)) for code in value)
    if isinstance(value, str) and (word := _word(name, value, fields)) != value:
        return word
    if name in AMOUNTS and isinstance(value, str) and _NUMBER.fullmatch(value):
        return f"{Decimal(value):,.2f}"
    if isinstance(value, list):
        told = ["—" if each in (None, "") else _value(name, each, fields) for each in value]
        return (", " if name == "names" else " → ").join(told)
    if isinstance(value, dict):
        return "; ".join(f"{_label(key, fields)} {_value(key, each, fields)}" for key, each in value.items())
    if isinstance(value, str):
        return _text(value)
    return str(_("yes") if value else _("no")) if isinstance(value, bool) else str(value)
