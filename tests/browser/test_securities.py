"""Two journeys in a real browser: a security from the register to its end; a good payer from the list to the digest."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from shouxin.credit import securities
from shouxin.credit.models import Line, Security
from shouxin.office import attachments, clock, policies, posts
from shouxin.office.models import Attachment
from shouxin.rules.digest import period_of
from tests.people import CAST, acme, member
from tests.records import seed

from .conftest import PHONE, session
from .test_kit import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def office(db: None) -> None:
    policies.ensure()
    for name in CAST:
        member(name)


def text(page: Any) -> str:
    found: str = page.locator("main").inner_text()
    return found


@pytest.mark.clause("B2.1")
def test_a_security_is_entered_raises_the_line_is_warned_of_and_ends(visit: Any, tmp_path: Path) -> None:
    seed.line(acme(), "100000")
    last = clock.today() + timedelta(days=5)
    contract = tmp_path / "contract.txt"
    contract.write_text("保证金合同 BZJ-1", encoding="utf-8")

    page = visit(f"/credit/customers/{acme().pk}/secure", session=session("bo"))
    page.select_option("[name=kind]", "deposit")
    for name, value in {"value": "40000", "provider": "王伟", "subject": "履约保证金", "document": "BZJ-1",
                        "until": last.isoformat(), "reason": "旺季加额"}.items():  # fmt: skip
        page.fill(f"[name={name}]", value)
    page.set_input_files("[name=file]", contract)
    picture(page, "security-form-1440")
    page.click("form.form-card .btn-primary")
    page.wait_for_load_state()
    row = Security.objects.get()
    assert "contract.txt" in text(page) and "100,000.00" in text(page)

    signer = visit(f"/credit/securities/{row.pk}/", session=session("le"), size=PHONE)
    assert signer.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    signer.click("[data-open=approve]")
    signer.locator("#approve .box-foot .btn-primary").click()
    signer.wait_for_load_state()
    assert "140,000.00" in text(signer)
    picture(signer, "security-390")

    home = visit("/", session=session("bo"), language="en")
    assert "Securities that run out" in text(home) and "in 5 days" in text(home)
    picture(home, "home-1440")
    ending = visit("/credit/securities/?which=ending", session=session("bo"))
    assert "BZJ-1" in text(ending)

    with time_machine.travel(clock.now() + timedelta(days=6), tick=True):
        assert securities.expire(today=clock.today(), at=clock.now(), by=posts.system()) == 1
        later = visit(f"/credit/securities/{row.pk}/", session=session("bo"), language="en")
        assert "Expired" in text(later) and "140,000.00" not in text(later)
        file = visit(f"/customers/{acme().pk}/?tab=line", session=session("bo"))
        assert "100,000.00" in text(file) and "140,000.00" not in text(file)
    kept = Attachment.objects.get(customer=acme())
    assert attachments.content_of(kept).decode() == "保证金合同 BZJ-1"


@pytest.mark.clause("A8", "C3.7", "B2.6")
def test_a_good_payer_is_recommended_in_a_letter_and_told_in_the_digest(visit: Any) -> None:
    today, known = clock.today(), acme()
    seed.line(known, "100000")
    for n in range(10):
        due = today - timedelta(days=670 - 30 * n)
        seed.invoice(known, f"G-{n}", "100", dated=due - timedelta(days=30), due=due, settled_on=due)
    page = visit("/records/recommended/", session=session("cy"))
    assert known.name in text(page)
    picture(page, "recommended-1440")
    with page.expect_download() as got:
        page.evaluate(f"location.href = '/records/recommended/{known.pk}/letter.docx'")
    assert Path(got.value.path()).read_bytes()[:2] == b"PK"
    chances = visit("/records/opportunities/", session=session("ann"), size=PHONE)
    assert chances.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert known.name in text(chances)
    assert Line.objects.filter(customer=known).exists()
    digest = visit("/records/digests/preview", session=session("cy"), language="en")
    assert str(period_of(policies.in_force(today).policy, today).first) in text(digest)
    picture(digest, "digest-1440")
