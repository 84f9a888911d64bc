"""What people type is text wherever it is shown: thirty ways to run a script, on every page that shows free text (T16).

The content security policy is switched off in this browser, so that the pages alone must hold.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shouxin.collection.models import Task
from shouxin.customers import facts, registry, standing
from shouxin.customers.models import Customer
from shouxin.office import clock, posts, tokens
from shouxin.receivables.bulk import InvoiceRow, ReceiptRow, post_invoices, post_receipts
from tests.people import TODAY, acme, member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RUN = "window.__pwned=1"

PAYLOADS = [
    f"<script>{RUN}</script>",
    f"\"><script>{RUN}</script>",
    f"'><script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"\"><img src=x onerror={RUN}>",
    f"'><img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<body onload={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"\" autofocus onfocus=\"{RUN}",
    f"' autofocus onfocus='{RUN}",
    f"\" onmouseover=\"{RUN}\" x=\"",
    f"`onfocus={RUN} autofocus",
    f"javascript:{RUN}",
    f"\";{RUN};//",
    f"';{RUN};//",
    f"\\\";{RUN};//",
    f"${{{RUN}}}",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"&lt;script&gt;{RUN}&lt;/script&gt;<math href=\"javascript:{RUN}\">",
]  # fmt: skip


def session_of(username: str) -> str:
    client = Client()
    client.force_login(member(username), backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


def fed(payload: str) -> Customer:
    """The payload in every free-text field there is."""
    bo, cy = member("bo"), member("cy")
    call = {"by": bo, "on": TODAY, "at": clock.now()}
    customer = acme()
    text = payload[:80]
    registry.change(
        customer, name=payload[:200], short_name=text, legal_representative=text, address=payload, region=text,
        contact=text, bank=payload[:120], credit_standard=payload, telephone=payload[:40], bank_account=payload[:40],
        **call,
    )  # fmt: skip
    registry.add_name(customer, payload, source="import", **call)
    facts.add(customer, "note", payload, source="visit", as_of=TODAY, note=payload, **call)
    standing.set_standing(customer, "watched", why=payload, by=cy, on=TODAY, at=clock.now())
    tokens.create(cy, label=text, by=cy, at=clock.now())
    today = clock.today()
    kept: dict[str, Any] = {"by": None, "at": clock.now(), "today": today}
    due, amount = today - timedelta(days=40), Decimal(100)
    post_invoices([InvoiceRow(customer.pk, "", text, "invoice", due, ((1, due, amount),), amount, "CNY")], **kept)
    post_receipts([ReceiptRow(customer.pk, "", text, today, Decimal(5), "CNY")], match=False, **kept)
    Task.objects.create(customer=customer, kind="call", post="sales", note=payload, due_on=today, made_on=today,
                        amount=Decimal(1))  # fmt: skip
    member("ann").__class__.objects.filter(username="ann").update(name=text, department=text)
    return customer


def pages(customer: Customer) -> list[str]:
    file = f"/customers/{customer.pk}/"
    tabs = ("", "?tab=line", "?tab=exposure", "?tab=orders", "?tab=invoices", "?tab=facts", "?tab=standing",
            "?tab=timeline")  # fmt: skip
    return [
        *(file + tab for tab in tabs), f"{file}sheet", f"{file}edit", f"{file}who-saw", f"{file}unmask/telephone",
        "/customers/", "/office/trail/", "/receivables/invoices/", "/receivables/receipts/", "/receivables/aging/",
        reverse("collection:worklist"), reverse("collection:task", args=[Task.objects.get().pk]), "/",
        "/office/account/",
    ]  # fmt: skip


@pytest.mark.parametrize("batch", [0, 11])
def test_nothing_typed_is_ever_run(visit: Any, batch: int) -> None:
    posts.system()
    customer = fed(PAYLOADS[batch])
    page = visit("/", session=session_of("cy"), bypass_csp=True, language="en")
    for payload in PAYLOADS[batch % 2 :: 2]:
        Customer.objects.filter(pk=customer.pk).update(name=payload, short_name=payload[:80], contact=payload[:80],
                                                       address=payload, credit_standard=payload)  # fmt: skip
        page.goto(f"{visit.home}/customers/{customer.pk}/")
        page.wait_for_timeout(50)
        assert page.evaluate("window.__pwned") is None, payload
    for address in pages(customer):
        answer = page.goto(visit.home + address)
        assert answer.status == 200, address
        page.wait_for_timeout(50)
        assert page.evaluate("window.__pwned") is None, address
    page.goto(visit.home + "/customers/?q=" + "%3Cscript%3Ewindow.__pwned%3D1%3C%2Fscript%3E")
    assert page.evaluate("window.__pwned") is None
    visit.wrongs.clear()


def test_the_payloads_do_run_where_they_are_not_escaped(visit: Any) -> None:
    page = visit("/accounts/login/", bypass_csp=True)
    ran = 0
    for payload in PAYLOADS:
        shown = page.context.new_page()
        shown.set_content(
            f"<title>{payload}</title><p>{payload}</p><input value=\"{payload}\"><input value='{payload}'>"
        )
        shown.wait_for_timeout(80)
        ran += shown.evaluate("window.__pwned") is not None
        shown.close()
    assert ran >= 18, f"only {ran} of {len(PAYLOADS)} run: the check would not see much"
    visit.wrongs.clear()
