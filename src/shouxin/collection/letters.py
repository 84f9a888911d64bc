"""A dunning letter put together from facts: values in, the finished parts out. Nothing here reads or writes a row.

The parts are kept with the notice as they were, so that the paper, the page and the e-mail of a letter stay the same
whatever the policy, the customer or the contact become later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from shouxin.rules import dunning
from shouxin.rules.aging import OpenItem
from shouxin.rules.daily import Letter
from shouxin.rules.money import in_words
from shouxin.rules.policy import DunningStage, Policy

from . import wording

ZERO = Decimal(0)
SIGNS = {"CNY": "人民币"}


@dataclass(frozen=True)
class Addressee:
    """Who is written to, in which language."""

    name: str
    code: str
    address: str = ""
    contact: str = ""
    language: str = "zh-hans"


@dataclass(frozen=True)
class Contact:
    """Whom to call with us."""

    name: str = ""
    telephone: str = ""


def compose(
    policy: Policy,
    letter: Letter,
    *,
    to: Addressee,
    contact: Contact,
    items: Iterable[OpenItem],
    overdue_days: int | None,
    number: str,
    today: date,
) -> dict[str, Any]:
    """The letter's parts, ready for JSON: amounts and dates as text. `items` are all open items of the customer."""
    stage = next(page for page in policy.dunning.stages if page.stage == letter.stage)
    language = wording.spoken(to.language)
    tone, labels = wording.tone_of(policy, stage), wording.LABELS[language]
    items = [item for item in items if item.currency in letter.claims]
    spoken_of = [item for item in items if item.amount > 0 and _belongs(policy, letter, item, today)]
    ledgers = [_ledger(currency, claim, spoken_of, items, today) for currency, claim in sorted(letter.claims.items())]
    company = policy.company
    house = company.name.en if language == "en" else company.name.zh
    values = {
        "company": house,
        "today": shown_day(today, language),
        "deadline": shown_day(letter.deadline, language) if letter.deadline else "",
        "days": overdue_days,
        "account": labels["account_below" if company.account else "account_agreed"],
        "history": wording.history(tone, language, house, warned=letter.warned),
        "claims": labels["and"].join(_claim_in_words(each["currency"], each["claimed"], language) for each in ledgers),
    }
    return {
        "number": number,
        "stage": letter.stage,
        "tone": tone,
        "language": language,
        "title": _title(stage, language),
        "date": shown_day(today, language),
        "on": today.isoformat(),
        "company": {
            "name": house,
            "bank": company.bank,
            "account": company.account,
            "telephone": company.telephone,
            "address": company.address,
        },
        "customer": {"name": to.name, "code": to.code, "address": to.address, "contact": to.contact},
        "contact": {"name": contact.name, "telephone": contact.telephone or company.telephone},
        "greeting": labels["greeting"] % {"customer": to.name},
        "paragraphs": wording.paragraphs(tone, language, values),
        "ledgers": ledgers,
        "has_contested": any(item.contested_part for item in spoken_of),
        "has_undated": any(item.due_on is None for item in spoken_of),
        "deadline": values["deadline"],
        "labels": dict(labels),
    }


def _belongs(policy: Policy, letter: Letter, item: OpenItem, today: date) -> bool:
    """Whether the letter speaks of the item: it is overdue, or, for a reminder, falls due soon."""
    days = item.overdue_days(today)
    return days > 0 or (letter.soon and days < 0 and dunning.stage_at(policy, days) is not None)


def _ledger(
    currency: str, claim: Decimal, spoken_of: Sequence[OpenItem], items: Sequence[OpenItem], today: date
) -> dict[str, Any]:
    """One currency's table: the items, what is netted against them, what is claimed."""
    rows = [item for item in spoken_of if item.currency == currency]
    credits = [item for item in items if item.currency == currency and item.amount < 0]
    credit = sum((item.amount for item in credits), ZERO)
    rows.sort(key=lambda item: (item.falls_due_on, item.document, item.instalment))
    return {
        "currency": currency,
        "items": [_row(item, today) for item in rows],
        "sum": money(_uncontested(rows)),
        "credits": [
            {"document": item.document, "on": item.dated_on.isoformat(), "amount": money(item.amount)}
            for item in sorted(credits, key=lambda item: (item.dated_on, item.document))
        ],
        "credit": money(credit) if credit else "",
        "claimed": money(claim),
        "in_words": in_words(claim) if currency == "CNY" else "",
    }


def _uncontested(items: Iterable[OpenItem]) -> Decimal:
    return sum((item.uncontested for item in items), ZERO)


def _row(item: OpenItem, today: date) -> dict[str, Any]:
    return {
        "document": item.document,
        "instalment": item.instalment,
        "dated_on": item.dated_on.isoformat(),
        "due_on": item.falls_due_on.isoformat(),
        "undated": item.due_on is None,
        "amount": money(item.amount),
        "contested": money(item.contested_part) if item.contested_part else "",
        "claimed": money(item.uncontested),
        "days": max(0, item.overdue_days(today)),
        "currency": item.currency,
    }


def money(amount: Decimal) -> str:
    """An amount as text, two decimals, no separators."""
    return f"{amount:.2f}"


def grouped(text: str) -> str:
    """The same for readers: 1,234.50."""
    return f"{Decimal(text):,.2f}"


def shown_day(day: date, language: str) -> str:
    """A day as letters write it: 2026年11月24日, 24 November 2026."""
    if language == "en":
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _claim_in_words(currency: str, amount: str, language: str) -> str:
    if language == "en":
        return f"{currency} {grouped(amount)}"
    unit = f"{SIGNS[currency]}{grouped(amount)}元" if currency in SIGNS else f"{currency} {grouped(amount)}"
    return f"{unit}（大写：{in_words(Decimal(amount))}）" if currency == "CNY" else unit


def _title(stage: DunningStage, language: str) -> str:
    """The stage's own name; 函 is added where a Chinese name does not end as a letter does."""
    if language == "en":
        return stage.name.en
    return stage.name.zh if stage.name.zh.endswith(("函", "通知")) else f"{stage.name.zh}函"


def subject(parts: Mapping[str, Any]) -> str:
    """The subject line of the e-mail: what it is, its number, who writes."""
    separator = " – " if parts["language"] == "en" else "　"
    told = separator.join((parts["title"], parts["number"], parts["company"]["name"]))
    return " ".join(told.splitlines())[:200]


def plain(parts: Mapping[str, Any]) -> str:
    """The whole letter as plain text, for the e-mail's body."""
    labels = parts["labels"]
    lines = [f"{labels['number']}: {parts['number']}", parts["greeting"], "", *parts["paragraphs"], ""]
    for ledger in parts["ledgers"]:
        lines += [*_ledger_lines(ledger, labels), ""]
    if parts["has_contested"]:
        lines.append(labels["contested_note"])
    if parts["has_undated"]:
        lines.append(labels["undated_note"])
    lines += [*_account_lines(parts), "", *_signature_lines(parts)]
    return "\n".join(lines)


def _ledger_lines(ledger: Mapping[str, Any], labels: wording.Words) -> Iterable[str]:
    columns = ("document", "dated_on", "due_on", "amount", "contested", "claimed", "days")
    yield " | ".join(labels[column] for column in columns)
    for row in ledger["items"]:
        yield " | ".join(_cell(row, column) for column in columns)
    yield f"{labels['sum']}: {ledger['currency']} {grouped(ledger['sum'])}"
    if ledger["credit"]:
        yield f"{labels['credits']}: {ledger['currency']} {grouped(ledger['credit'])}"
    words = f"（{labels['in_words']}：{ledger['in_words']}）" if ledger["in_words"] else ""
    yield f"{labels['total']}: {ledger['currency']} {grouped(ledger['claimed'])}{words}"


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row[column]
    if column in ("amount", "contested", "claimed"):
        return grouped(value) if value else "–"
    return f"{value}*" if column == "due_on" and row["undated"] else str(value)


def _account_lines(parts: Mapping[str, Any]) -> Iterable[str]:
    labels, company = parts["labels"], parts["company"]
    if company["account"]:
        yield f"{labels['pay_to']}: {company['name']}, {labels['bank']} {company['bank']}, {company['account']}"
    else:
        yield labels["account_missing"]
    if parts["deadline"]:
        yield f"{labels['deadline']}: {parts['deadline']}"
    contact = parts["contact"]
    yield f"{labels['contact']}: {contact['name'] or company['name']} {contact['telephone']}".rstrip()


def _signature_lines(parts: Mapping[str, Any]) -> Iterable[str]:
    yield parts["labels"]["closing"]
    yield parts["company"]["name"]
    yield parts["date"]
