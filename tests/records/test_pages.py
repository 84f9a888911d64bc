"""The customer pages: who sees what, what they say, how many queries they take."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from shouxin.credit.models import LineRequest, Rating
from shouxin.customers import facts, groups, registry
from shouxin.customers.models import Customer, Standing
from shouxin.office import clock, policies
from shouxin.office.models import Person, TrailEntry
from shouxin.records.customer_views import TABS
from tests.people import CAST, SOUTH, member
from tests.records import seed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def browser(person: Person, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


SEERS = [name for name in CAST if name not in ("di", "sy", "se")]


@pytest.mark.invariant("I-33")
@pytest.mark.parametrize("name", CAST)
def test_the_file_is_for_those_who_see_the_customer(name: str) -> None:
    customer = seed.trading()
    for address in (reverse("customers:file", args=[customer.pk]), reverse("customers:sheet", args=[customer.pk])):
        assert browser(member(name)).get(address).status_code == (200 if name in SEERS else 404)
    listed = customer.name in text(browser(member(name)).get(reverse("customers:list")))
    assert listed == (name in SEERS)
    suggested = customer.name in text(browser(member(name)).get(reverse("customers:suggest"), {"q": "艾克米"}))
    assert suggested == (name in SEERS)
    found = customer.name in text(browser(member(name)).get("/"))
    assert found == (name in SEERS)


def test_nobody_looks_without_signing_in() -> None:
    customer = seed.customer()
    for address in ("/", reverse("customers:list"), reverse("customers:file", args=[customer.pk])):
        assert Client().get(address).status_code == 302


@pytest.mark.clause("A6")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("tab", TABS)
def test_every_part_of_the_file_within_twenty_five_queries(
    tab: str, language: str, bo: Person, django_assert_max_num_queries: Any
) -> None:
    customer, client = seed.trading(), browser(bo, language)
    client.post(reverse("credit:rate", args=[customer.pk]))
    with django_assert_max_num_queries(25):
        text(client.get(reverse("customers:file", args=[customer.pk]), {"tab": tab}))


def test_the_parties_of_a_group_within_twenty_five_queries(bo: Person, django_assert_max_num_queries: Any) -> None:
    head = seed.trading("HEAD", name="北方集团有限公司")
    seed.line(head, "900000", pool=True)
    members = [seed.trading(f"N{n}", name=f"北方{n}有限公司") for n in range(4)]
    for each in members:
        groups.tie(each, groups.NewTie(head), by=bo, on=clock.today(), at=clock.now())
    client = browser(bo)
    with django_assert_max_num_queries(25):
        shown = text(client.get(reverse("customers:file", args=[members[0].pk]), {"tab": "parties"}))
    assert "北方3有限公司" in shown and "900,000.00" in shown


@pytest.mark.clause("B2.2")
def test_the_credit_sheet_holds_the_fields_of_the_regulation(bo: Person) -> None:
    customer = seed.customer(
        address="上海市静安区", legal_representative="王明", telephone="13800138000",
        registered_capital=Decimal("5000000"), credit_standard="不低于B级",
    )  # fmt: skip
    seed.line(customer)
    shown = text(browser(bo, "zh-hans").get(reverse("customers:sheet", args=[customer.pk])))
    for part in (customer.name, "上海市静安区", "王明", "5,000,000.00", "不低于B级", "100,000.00"):
        assert part in shown
    assert "13800138000" not in shown, "the telephone is masked"


@pytest.mark.clause("A7")
def test_a_fact_past_its_limit_says_that_the_rating_does_not_count_it(bo: Person) -> None:
    customer, today = seed.customer(), clock.today()
    for days, key in ((551, "debt_to_assets"), (550, "current_ratio")):
        facts.add(customer, key, Decimal("0.5"), source="statement", as_of=today - timedelta(days=days), by=bo,
                  on=today, at=clock.now())  # fmt: skip
    shown = text(browser(bo).get(reverse("customers:file", args=[customer.pk]), {"tab": "facts"}))
    assert "551 / 550" in shown and "550 / 550" in shown
    assert shown.count("Too old: the rating counts it as unknown") == 1


@pytest.mark.clause("B2.1")
def test_the_list_shows_grade_room_and_overdue(ann: Person) -> None:
    seed.trading()
    shown = text(browser(ann).get(reverse("customers:list")))
    for part in ("100,000.00", "35,000.00", "65,000.00", "30,000.00", "grade-b"):
        assert part in shown


def test_the_list_does_not_ask_more_for_more_rows(bo: Person, django_assert_max_num_queries: Any) -> None:
    for n in range(15):
        seed.trading(f"N{n:02}", name=f"客户{n:02}有限公司")
    client = browser(bo)
    with django_assert_max_num_queries(19):
        text(client.get(reverse("customers:list")))


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        pytest.param({"q": "北方"}, {"NORTH"}, id="two characters"),
        pytest.param({"q": "beifang"}, {"NORTH"}, id="pinyin"),
        pytest.param({"q": "NORTH"}, {"NORTH"}, id="code"),
        pytest.param({"grade": "A"}, {"SOUTH"}, id="grade"),
        pytest.param({"standing": "watched"}, {"SOUTH"}, id="standing"),
        pytest.param({"standing": "good"}, {"NORTH", "NEW"}, id="good although nobody said so"),
        pytest.param({"flag": "overdue"}, {"NORTH"}, id="overdue"),
        pytest.param({"flag": "over"}, {"SOUTH"}, id="over the limit"),
        pytest.param({"flag": "no_line"}, {"NEW"}, id="no line yet"),
        pytest.param({"flag": "expired"}, set(), id="run out"),
        pytest.param({"sort": "-used_now"}, {"NORTH", "SOUTH", "NEW"}, id="sorted by exposure"),
        pytest.param({"sort": "limit_now"}, {"NORTH", "SOUTH", "NEW"}, id="sorted by limit"),
        pytest.param({"sort": "-overdue_now"}, {"NORTH", "SOUTH", "NEW"}, id="sorted by overdue"),
    ],
)
def test_what_the_query_form_finds(query: dict[str, str], codes: set[str], bo: Person) -> None:
    today = clock.today()
    seed.trading("NORTH", name="北方钢铁有限公司")
    south = seed.customer("SOUTH", name="南海电子有限公司")
    seed.line(south, "1000", grade="A")
    seed.invoice(south, "S1", "1000.01", dated=today, due=today + timedelta(days=30))
    Standing.objects.create(customer=south, standing="watched", since=today, why="late", at=clock.now())
    seed.customer("NEW", name="新华贸易有限公司")
    shown = text(browser(bo).get(reverse("customers:list"), query))
    assert {code for code in ("NORTH", "SOUTH", "NEW") if f">{code}<" in shown.replace(" ", "")} == codes


@pytest.mark.parametrize("order", ["limit_now", "-used_now", "-overdue_now"])
def test_a_list_by_computed_sums_is_paged_to_its_end_and_begins_anew_at_a_mark_that_is_none(
    order: str, bo: Person
) -> None:
    for code in ("NORTH", "SOUTH", "WEST"):
        seed.trading(code)
    seed.customer("NEW")
    client, codes = browser(bo), []
    address = f"{reverse('customers:list')}?size=1&sort={order}"
    while address:
        listing = client.get(address).context["listing"]
        codes += [row.code for row in listing.rows]
        address = listing.next_address and reverse("customers:list") + listing.next_address
    assert sorted(codes) == ["NEW", "NORTH", "SOUTH", "WEST"]
    begun = client.get(f"{reverse('customers:list')}?size=1&sort={order}&after=WyJ0cnVlIiwgNV0")  # ["true", 5]
    assert [row.code for row in begun.context["listing"].rows] == codes[:1]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_list_goes_out_with_what_she_sees_alone(kind: str, ann: Person) -> None:
    seed.trading()
    seed.customer("OTHER", name="别家有限公司", salesperson=member("di"), department=SOUTH)
    answer = browser(ann).get(reverse("customers:list"), {"export": kind})
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code == 200 and len(content) > 100
    if kind == "csv":
        assert "艾克米" in content.decode("utf-8-sig") and "别家" not in content.decode("utf-8-sig")


# --- registering and changing --------------------------------------------------------------------

SHEET = {"name": "宁波海天塑机有限公司", "currency": "CNY"}


@pytest.mark.clause("B2.2")
def test_register_a_customer(bo: Person) -> None:
    answer = browser(bo).post(reverse("customers:create"), SHEET | {"code": "H1"})
    customer = Customer.objects.get(code="H1")
    assert (answer.status_code, answer["Location"]) == (302, reverse("customers:file", args=[customer.pk]))


def test_an_alike_name_is_shown_before_it_is_saved(bo: Person) -> None:
    first = seed.customer("H1", name="宁波海天塑机有限公司")
    shown = text(browser(bo).post(reverse("customers:create"), SHEET | {"code": "H2"}), 422)
    assert first.name in shown and not Customer.objects.filter(code="H2").exists()
    browser(bo).post(reverse("customers:create"), SHEET | {"code": "H2", "seen_doubles": "1"})
    assert Customer.objects.filter(code="H2").exists()


@pytest.mark.clause("B2.2")
def test_a_credit_code_that_fails_needs_a_reason(bo: Person) -> None:
    wrong = SHEET | {"code": "H1", "uscc": "91350100M000100Y44"}
    shown = text(browser(bo).post(reverse("customers:create"), wrong), 422)
    assert "check character" in shown and not Customer.objects.exists()
    browser(bo).post(reverse("customers:create"), wrong | {"uscc_confirmed": "seen on the licence"})
    assert Customer.objects.get(code="H1").uscc_confirmed == "seen on the licence"


def test_everything_wrong_with_a_customer_is_told_at_once(bo: Person) -> None:
    wrong = SHEET | {"code": "H 1", "email": "nowhere", "uscc": "91350100M000100Y44", "registered_capital": "much"}
    answer = browser(bo).post(reverse("customers:create"), wrong)
    assert answer.status_code == 422 and not Customer.objects.exists()
    assert set(answer.context["form"].errors) == {"code", "email", "uscc", "registered_capital"}
    customer = seed.customer()
    changed = {"version": customer.version, "name": customer.name, "currency": "CNY", "uscc": "1", "founded_on": "soon"}
    answer = browser(bo).post(reverse("customers:edit", args=[customer.pk]), changed)
    assert answer.status_code == 422 and set(answer.context["form"].errors) == {"uscc", "founded_on"}


@pytest.mark.clause("B2.6")
def test_sales_change_contacts_alone(ann: Person) -> None:
    customer = seed.customer()
    form = {"version": customer.version, "name": customer.name, "currency": "CNY",
            "salesperson": customer.salesperson_id, "department": customer.department,
            "customer_since": "2020-01-01", "contact": "李雷"}  # fmt: skip
    address = reverse("customers:edit", args=[customer.pk])
    assert browser(ann).post(address, form).status_code == 302
    assert Customer.objects.get(pk=customer.pk).contact == "李雷"
    text(browser(ann).post(address, form | {"version": customer.version + 1, "name": "改名有限公司"}), 403)


def test_a_change_to_an_old_version_is_refused(bo: Person) -> None:
    customer = seed.customer()
    registry.change(customer, region="上海", by=bo, on=clock.today(), at=clock.now())
    form = {"version": 1, "name": customer.name, "currency": "CNY", "region": "北京"}
    text(browser(bo).post(reverse("customers:edit", args=[customer.pk]), form), 409)


def test_the_edit_form_does_not_show_telephone_and_account_in_full(ann: Person) -> None:
    customer = seed.customer(telephone="13800138000", bank_account="6222021234567890123")
    shown = text(browser(ann).get(reverse("customers:edit", args=[customer.pk])))
    assert "13800138000" not in shown and "6222021234567890123" not in shown


@pytest.mark.clause("A7")
def test_note_a_fact_with_its_source(bo: Person) -> None:
    customer = seed.customer()
    address = reverse("customers:add_fact", args=[customer.pk])
    given = {"key": "lawsuits", "value": "3", "source": "registry", "as_of": clock.today().isoformat()}
    assert browser(bo).post(address, given).status_code == 302
    assert browser(bo).post(address, given | {"key": "dissolved", "value": "是"}).status_code == 302
    shown = text(browser(bo).get(reverse("customers:file", args=[customer.pk]), {"tab": "facts"}))
    assert "Lawsuits as defendant" in shown and "Public registry" in shown
    assert "must be a number" in text(browser(bo).post(address, given | {"value": "many"}), 422)


@pytest.mark.clause("B2.6")
def test_a_quick_note_stands_in_the_timeline(ann: Person) -> None:
    customer = seed.customer()
    browser(ann).post(reverse("customers:add_note", args=[customer.pk]), {"note": "warehouse is empty"})
    shown = text(browser(ann).get(reverse("customers:file", args=[customer.pk]), {"tab": "timeline"}))
    assert "warehouse is empty" in shown


@pytest.mark.invariant("I-20")
def test_lifting_a_blacklisting_takes_two(cy: Person, vi: Person, ann: Person) -> None:
    customer = seed.customer()
    address = reverse("customers:set_standing", args=[customer.pk])
    text(browser(ann).post(address, {"standing": "blacklisted", "reason": "fraud"}), 403)
    browser(cy).post(address, {"standing": "blacklisted", "reason": "fraud"})
    browser(cy).post(address, {"standing": "good", "reason": "paid"})
    assert Standing.objects.latest("pk").standing == "blacklisted"
    file = reverse("customers:file", args=[customer.pk])
    assert "Confirm" in text(browser(vi).get(file, {"tab": "standing"}))
    release = customer.standing_releases.get()
    browser(cy).post(reverse("customers:decide_release", args=[release.pk, "confirm"]))
    assert Standing.objects.latest("pk").standing == "blacklisted"
    browser(vi).post(reverse("customers:decide_release", args=[release.pk, "confirm"]))
    assert Standing.objects.latest("pk").standing == "good"


# --- rating --------------------------------------------------------------------------------------


@pytest.mark.clause("B2.3")
def test_rate_from_the_file_and_see_every_question(bo: Person) -> None:
    customer = seed.trading()
    browser(bo).post(reverse("credit:rate", args=[customer.pk]))
    rating = Rating.objects.get()
    shown = text(browser(bo).get(reverse("customers:file", args=[customer.pk]), {"tab": "rating"}))
    for question in ("Share paid on time", "Debt to assets", "Tax credit grade", "Weighted collections"):
        assert question in shown
    assert str(rating.score) in shown


@pytest.mark.clause("C3.4")
def test_rate_those_ticked_and_everybody(bo: Person, ed: Person) -> None:
    ticked, other = seed.trading("T1", name="甲有限公司"), seed.trading("T2", name="乙有限公司")
    foreign = seed.trading("T3", name="丙有限公司", salesperson=member("di"), department=SOUTH)
    browser(member("ann")).post(reverse("credit:rate_selected"), {"selected": [ticked.pk, foreign.pk]})
    assert set(Rating.objects.values_list("customer", flat=True)) == {ticked.pk}
    browser(bo).post(reverse("credit:rate_selected"), {"everything": "1", "query": "q=T2"})
    assert Rating.objects.filter(customer=other).count() == 1
    text(browser(ed).get(reverse("credit:rate_everybody")), 403)
    assert "3 / 3" in text(browser(bo).post(reverse("credit:rate_everybody"), {"total": 3}))
    assert Rating.objects.count() == 5


# --- line requests on pages ----------------------------------------------------------------------


def ask(person: Person, customer: Customer, **changes: Any) -> Any:
    form = {"grade": "B", "limit_kind": "amount", "limit": "90000", "currency": "CNY", "term_days": "30",
            "reason": "spring"} | changes  # fmt: skip
    return browser(person).post(reverse("credit:ask", args=[customer.pk]), form)


@pytest.mark.clause("B2.1")
def test_ask_see_sign(ann: Person, cy: Person) -> None:
    customer = seed.trading()
    assert ask(ann, customer).status_code == 302
    request = LineRequest.objects.get()
    address = reverse("credit:line_request", args=[request.pk])
    shown = text(browser(ann).get(address))
    assert "You asked for this line yourself" in shown and "100,000.00 CNY" in shown and "90,000.00 CNY" in shown
    approve = reverse("credit:move", args=[request.pk, "approve"])
    assert "somebody else has to sign" in text(browser(ann).post(approve, {"version": 1}), 403)
    assert TrailEntry.objects.filter(verb="refuse").count() == 1
    assert "Home" in text(browser(cy).get("/")) and customer.name in text(browser(cy).get("/"))
    assert f"#{request.pk}" in text(browser(cy).get(reverse("credit:line_requests"), {"whose": "me"}))
    assert f"#{request.pk}" not in text(browser(ann).get(reverse("credit:line_requests"), {"whose": "me"}))
    text(browser(cy).post(approve, {"version": 7}), 409)
    text(browser(cy).post(approve, {}), 422)
    assert browser(cy).post(approve, {"version": 1}).status_code == 302
    assert "Approved" in text(browser(ann).get(address))


def test_a_temporary_limit_is_shown_on_top_of_the_line(ann: Person) -> None:
    until = (clock.today() + timedelta(days=30)).isoformat()
    ask(ann, seed.trading(), limit="12000", temporary="on", until=until)
    shown = text(browser(ann).get(reverse("credit:line_request", args=[LineRequest.objects.get().pk])))
    assert "+ 12,000.00 CNY" in shown and "112,000.00" in shown


def test_faults_stand_at_their_fields(ann: Person) -> None:
    customer = seed.trading()
    shown = text(ask(ann, customer, term_days="46", limit="", until="2001-01-01"), 422)
    assert "Say how much." in shown
    shown = text(ask(ann, customer, term_days="46", until="2001-01-01"), 422)
    assert "bears at most 45 days" in shown and "cannot end before it begins" in shown
    assert not LineRequest.objects.exists()


def test_the_form_begins_with_the_suggestion(bo: Person) -> None:
    customer = seed.trading()
    browser(bo).post(reverse("credit:rate", args=[customer.pk]))
    rating = Rating.objects.get()
    shown = text(browser(bo).get(reverse("credit:ask", args=[customer.pk])))
    assert f'value="{rating.term_days}"' in shown and (rating.limit is None or f"{rating.limit:.2f}" in shown)


@pytest.mark.invariant("I-33")
def test_foreign_requests_do_not_exist(ann: Person, di: Person) -> None:
    ask(ann, seed.trading())
    pk = LineRequest.objects.get().pk
    for name, args in (("line_request", [pk]), ("change", [pk])):
        text(browser(di).get(reverse(f"credit:{name}", args=args)), 404)
    text(browser(di).post(reverse("credit:move", args=[pk, "approve"]), {"version": 1}), 404)
    text(browser(di).get(reverse("credit:ask", args=[LineRequest.objects.get().customer_id])), 404)
    assert f"#{pk}" not in text(browser(di).get(reverse("credit:line_requests")))


# --- home ----------------------------------------------------------------------------------------


def test_an_empty_house_says_what_to_do_first(bo: Person, sy: Person) -> None:
    assert "Bring in your customers" in text(browser(bo).get("/"))
    assert "takes no part in the business" in text(browser(sy).get("/"))


def test_home_in_a_bounded_number_of_queries(cy: Person, ann: Person, django_assert_max_num_queries: Any) -> None:
    for n in range(12):
        of = seed.trading(f"N{n:02}", name=f"客户{n:02}有限公司")
        seed.line(of, until=clock.today() + timedelta(days=n))
        ask(ann, of)
    client = browser(cy)
    with django_assert_max_num_queries(45):
        shown = text(client.get("/"))
    assert "Lines that run out" in shown and "420,000.00" in shown


@pytest.mark.clause("B2.1")
def test_everybody_is_rated_as_of_a_day_and_the_lines_suggested_come_as_a_file(bo: Person) -> None:
    seed.trading()
    client, address = browser(bo), reverse("credit:rate_everybody")
    before = clock.today() - timedelta(days=1)
    told = text(client.post(address, {"as_of": before.isoformat()}))
    assert (Rating.objects.get().as_of, f"?as_of={before}" in told) == (before, True)
    rows = list(
        csv.DictReader(io.StringIO(text(client.get(f"/credit/rate/lines.csv?as_of={before}")).lstrip("\ufeff")))
    )
    assert [(row["customer_code"], row["since"]) for row in rows] == [("C001", before.isoformat())]
    assert len(text(client.get("/credit/rate/lines.csv")).splitlines()) == 1, "nobody was rated today"
    assert client.post(address, {"as_of": "2999-01-01"}).status_code == 422
    assert browser(member("ar")).get("/credit/rate/lines.csv").status_code == 403
    assert len(text(browser(member("di")).get(f"/credit/rate/lines.csv?as_of={before}")).splitlines()) == 1
