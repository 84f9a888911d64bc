"""Run in a home: a letter that waits, a job that waits, and restores that go wrong; prints what came of it."""

import json
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core import mail

from shouxin.collection import notices, rounds
from shouxin.collection.models import Notice
from shouxin.config import restore
from shouxin.customers.models import Customer
from shouxin.lib import archive
from shouxin.lib.jobs import enqueue
from shouxin.office import clock, jobs, posts
from shouxin.receivables import bulk
from shouxin.receivables.papers import InvoiceRow


def write() -> None:
    """Somebody has owed for seventy days; the daily run writes the letter, which waits in the outbox."""
    today, at = clock.today(), clock.now()
    customer = Customer.objects.order_by("id")[0]
    Customer.objects.filter(pk=customer.pk).update(email="nobody@example.com")
    due, amount = today - timedelta(days=70), Decimal("1000.00")
    row = InvoiceRow(
        customer_id=customer.pk, source_system="", doc_no="INV-OLD", kind="invoice", dated_on=due - timedelta(days=30),
        instalments=((1, due, amount),), amount=amount, currency="CNY", order_no="",
    )  # fmt: skip
    bulk.post_invoices([row], by=posts.system(), at=at, today=today)
    rounds.run(as_of=today, by=posts.system(), at=at)
    assert Notice.objects.filter(status="waiting").count() == 1


def send() -> str:
    """Try to send what waits, and a mail of another kind; answers why not."""
    fault = notices.send_waiting(by=posts.system(), at=clock.now()).fault
    try:
        mail.EmailMessage("subject", "body", to=["nobody@example.com"]).send()
    except OSError as error:
        return f"{fault} {error}"
    return "sent"


def job() -> None:
    """A job that fails loudly as soon as a worker touches it, and the outbox's own."""
    from shouxin.collection.jobs import send as outbox

    enqueue(jobs.take_over_file, run_id=0)
    enqueue(outbox, once="collection.send")


def done() -> int:
    """How many jobs a worker has touched."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    return int(ProcrastinateJob.objects.exclude(status="todo").count())


def broken(source: str) -> str:
    """A restore whose last statement fails."""
    restore.PAUSE += "SELECT 1/0;"
    try:
        restore.restore(Path(source), replace=True, at=clock.now())
    except restore.RestoreError as error:
        return str(error)
    return "restored"


def other_manifest(source: str) -> dict[str, Any]:
    """A restore by a manifest that promises one posting more."""
    unpack = archive.unpack

    def promising(*words: Any, **more: Any) -> dict[str, Any]:
        manifest = unpack(*words, **more)
        manifest["tables"]["credit_posting"]["rows"] += 1
        return manifest

    archive.unpack = promising  # type: ignore[assignment]
    return restore.restore(Path(source), at=clock.now()).as_row()


VERBS = {"write": write, "send": send, "job": job, "done": done, "broken": broken, "other-manifest": other_manifest}


if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:]), default=str))  # type: ignore[operator]
