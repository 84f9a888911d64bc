"""The card editor: a draft written on the pages, tried on customers, put in force by the usual two steps (B2.1)."""

import threading
import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from shouxin.lib import yaml_text
from shouxin.office import clock, drafts, policies
from shouxin.office.models import Person, PolicyDraft, PolicyVersion
from shouxin.office.refusals import Moved
from shouxin.rules.policy import Policy
from tests.people import TODAY, member
from tests.records import seed
from tests.records.test_rating_pages import browser, with_statement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day")]


@pytest.fixture(autouse=True)
def policy_in_force(db: None) -> None:
    policies.ensure()


def draft(person: Person) -> drafts.Draft:
    return drafts.of(person, TODAY)


def question(policy: Policy, key: str) -> Any:
    return next(q for group in policy.scorecard for q in group.questions if q.key == key)


SCALE = {"up_to_0": "0.4", "points_0": "8", "up_to_1": "0.6", "points_1": "4", "points_last": "0"}
DEBT = {"text_zh": "资产负债率", "text_en": "Debt to assets", "group": "finance", "unknown_points": "2",
        "fresh_days": "400", "version": "0", **SCALE}  # fmt: skip


def post(client: Client, name: str, form: dict[str, Any], *args: Any, status: int = 302, query: str = "") -> str:
    answer = client.post(reverse(f"credit:{name}", args=args) + query, form)
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer.content.decode()


@pytest.mark.clause("B2.1")
def test_a_question_is_changed_and_everything_else_stays_as_it_was_written(cy: Person) -> None:
    post(browser(cy), "card_question", DEBT, "debt")
    mine = draft(cy)
    changed = question(mine.policy, "debt")
    assert [(band.up_to, band.points) for band in changed.bands] == [
        (Decimal("0.4"), 8), (Decimal("0.6"), 4), (None, 0)
    ]  # fmt: skip
    assert (changed.fresh_days, changed.unknown_points, changed.points_max) == (400, 2, 8)
    assert {change.path.split(".")[0] for change in mine.changes} == {"scorecard"}
    assert all(change.path.startswith("scorecard.finance.questions.debt") for change in mine.changes), mine.changes
    assert "# 降级阶梯 The downgrade ladder (B2.5)." in mine.text
    assert mine.faults == []


def test_a_save_and_the_page_after_it_read_the_new_text_once(cy: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    client, texts, read = browser(cy), [], yaml_text.read
    policies.parse.cache_clear(), policies._read.cache_clear()
    client.get(reverse("credit:card"))  # the policy in force is known from here on
    monkeypatch.setattr(yaml_text, "read", lambda text: texts.append(text) or read(text))
    post(client, "card_question", DEBT, "debt")
    client.get(reverse("credit:card"))
    assert texts == [draft(cy).text]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"up_to_1": "0.3"}, "overlaps", id="a bound that does not ascend"),
        pytest.param({"points_1": ""}, "bound and its worth", id="half a band"),
        pytest.param({"points_last": ""}, "required", id="nothing above the last bound: a gap"),
        pytest.param({"points_0": "-1"}, "greater than", id="points below nothing"),
        pytest.param({"group": "+"}, "both languages", id="a new group without a name"),
        pytest.param({"text_en": ""}, "required", id="no words"),
    ],
)
def test_a_scale_with_a_gap_or_an_overlap_is_refused_and_said_while_she_writes(
    cy: Person, wrong: dict[str, str], said: str
) -> None:
    client = browser(cy)
    assert said in post(client, "card_question", DEBT | wrong, "debt", status=422)
    assert said in post(client, "card_question", DEBT | wrong | {"act": "look"}, "debt", status=200)
    assert not PolicyDraft.objects.exists()


def test_the_look_says_the_scale_and_what_the_card_would_be_worth(cy: Person) -> None:
    said = post(browser(cy), "card_question", DEBT | {"points_0": "11", "act": "look"}, "debt", status=200)
    assert "≤ 0.4: 11" in said
    assert "the card would make 103" in said
    assert "they must add up to 100" in said
    beyond = post(browser(cy), "card_question", DEBT | {"points_0": "90", "act": "look"}, "debt", status=200)
    assert "scorecard.1.weight" in beyond or "weight" in beyond
    assert not PolicyDraft.objects.exists()


def test_a_question_in_words_a_new_group_a_veto_bounds_and_methods(cy: Person) -> None:
    client = browser(cy)
    audited = {"text_zh": "经审计", "text_en": "Audited", "group": "+", "group_zh": "报表", "group_en": "Statements",
               "unknown_points": "0", "points_true": "3", "points_false": "0", "version": "0"}  # fmt: skip
    post(client, "card_question_new", audited, query="?fact=statements_audited")
    veto = {"text_zh": "巨额亏损", "text_en": "Heavy loss", "fact": "net_margin", "when": "more_than", "value": "0.9",
            "grade": "D", "version": "1"}  # fmt: skip
    post(client, "card_trigger_new", veto)
    post(client, "card_bounds", {"A": "88", "B": "72", "C": "61", "version": "2"})
    limits = client.get(reverse("credit:card_limits")).context["form"]
    form = {name: limits[name].value() for name in limits.fields} | {"use": ["sales_volume", "feature_analysis"]}
    form |= {"orientation": "finance", "sales_payment": "11.5", "concentration_max": "", "version": "3"}
    post(client, "card_limits", form)
    policy = draft(cy).policy
    assert [band.value for band in question(policy, "statements_audited").bands] == [True, False]
    assert (policy.scorecard[-1].text.en, policy.scorecard[-1].weight) == ("Statements", 3)
    assert (policy.triggers[-1].more_than, policy.triggers[-1].grade.value) == (Decimal("0.9"), "D")
    assert [policy.grades[g].score_min for g in policy.grades] == [88, 72, 61, 0]
    assert (policy.limits.use, policy.limits.concentration_max) == (("sales_volume", "feature_analysis"), None)
    assert (policy.features.orientation, policy.features.weights["sales"]["payment"]) == ("finance", Decimal("11.5"))
    assert [fault.path for fault in draft(cy).faults] == ["scorecard"]
    page = client.get(reverse("credit:card")).content.decode()
    assert "add up to 103" in page
    for key in ("statements_audited", "lawsuits"):
        post(client, "card_drop", {"version": str(draft(cy).version)}, "question", key)
    assert sum(group.weight for group in draft(cy).policy.scorecard) == 94
    assert len(draft(cy).policy.scorecard) == 5


@pytest.mark.parametrize(
    "wrong",
    [{"A": "70"}, {"C": "0"}, {"B": "x"}, {"A": "101"}],
    ids=["A not above B", "C at nothing", "no number", "above a hundred"],
)
def test_bounds_that_do_not_fall_are_refused(cy: Person, wrong: dict[str, str]) -> None:
    post(browser(cy), "card_bounds", {"A": "88", "B": "72", "C": "61", "version": "0"} | wrong, status=422)
    assert not PolicyDraft.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"fact": "net_margin", "when": "true"},
        {"fact": "tax_grade", "when": "equals", "value": "Z"},
        {"fact": "tax_grade", "when": "more_than", "value": "3"},
    ],
)
def test_a_veto_that_could_never_hold_is_refused(cy: Person, wrong: dict[str, str]) -> None:
    form = {"text_zh": "否决", "text_en": "Veto", "grade": "D", "version": "0"} | wrong
    post(browser(cy), "card_trigger_new", form, status=422)


def test_two_windows_of_one_person_do_not_overwrite_each_other(cy: Person) -> None:
    post(browser(cy), "card_question", DEBT, "debt")
    post(browser(cy), "card_question", DEBT | {"unknown_points": "1"}, "debt", status=409)
    assert question(draft(cy).policy, "debt").unknown_points == 2
    with pytest.raises(Moved):
        drafts.change(lambda chapters: None, version=0, by=cy, on=TODAY, at=clock.now())


def test_a_draft_is_hers_alone_and_can_be_forgotten(cy: Person) -> None:
    post(browser(cy), "card_question", DEBT, "debt")
    assert draft(member("vi")).changes == ()
    post(browser(cy), "card_drop", {}, "draft", "all")
    assert draft(cy).changes == ()


def test_a_draft_follows_the_policy_in_force(cy: Person) -> None:
    """What others put meanwhile is not undone by her draft."""
    post(browser(cy), "card_question", DEBT, "debt")
    text = policies.shipped().replace("quiet_days: 7", "quiet_days: 9").replace("points: 14", "points: 13")
    policies.put(text, since=TODAY, why="", by=member("vi"), on=TODAY, at=clock.now())
    mine = draft(cy)
    assert mine.base == 2
    assert mine.policy.dunning.quiet_days == 9
    assert question(mine.policy, "debt").fresh_days == 400


@pytest.mark.clause("B2.1")
def test_the_draft_is_tried_on_customers_before_it_is_put_in_force(cy: Person) -> None:
    customer = with_statement()
    client = browser(cy)
    post(client, "card_bounds", {"A": "30", "B": "20", "C": "10", "version": "0"})
    before = PolicyVersion.objects.count()
    page = client.get(reverse("credit:card_preview")).content.decode()
    assert customer.name in page
    assert "Suggested limits in sum" in page
    assert "1 of 1 customers" in page
    assert PolicyVersion.objects.count() == before
    assert not customer.ratings.exists()
    checked = client.post(reverse("office:policy_draft"), {"act": "check", "text": draft(cy).text})
    assert "grades.A.score_min" in checked.content.decode()


def test_a_draft_is_gone_once_it_is_put(cy: Person) -> None:
    post(browser(cy), "card_question", DEBT, "debt")
    sent = draft(cy).text.replace("\n", "\r\n")
    policies.put(sent, since=TODAY, why="better", by=cy, on=TODAY, at=clock.now())
    assert not PolicyDraft.objects.exists()
    assert question(policies.in_force(TODAY).policy, "debt").fresh_days == 400


@pytest.mark.parametrize("name", ["card", "card_limits", "card_preview"])
def test_whose_pages_these_are(name: str) -> None:
    seed.trading()
    assert browser(member("cy")).get(reverse(f"credit:{name}")).status_code == 200
    assert browser(member("bo")).get(reverse(f"credit:{name}")).status_code == (200 if name == "card" else 403)


ITEM = {"text_zh": "净利率", "text_en": "Net margin", "up_to_0": "0", "share_0": "-0.05", "up_to_1": "0.1",
        "share_1": "0.05", "share_last": "0.2", "version": "0"}  # fmt: skip


@pytest.mark.clause("B2.1")
def test_lines_of_the_net_worth_card_are_written_added_and_taken_off(cy: Person) -> None:
    client = browser(cy)
    assert "Net margin" in client.get(reverse("credit:card_limits")).content.decode()
    post(client, "card_item", ITEM, "margin")
    changed = next(each for each in draft(cy).policy.limits.net_worth_card if each.key == "margin")
    assert [(band.up_to, band.share) for band in changed.bands] == [
        (0, Decimal("-0.05")), (Decimal("0.1"), Decimal("0.05")), (None, Decimal("0.2"))
    ]  # fmt: skip
    assert {each.path.split(".")[0] for each in draft(cy).changes} == {"limits"}
    word = {"text_zh": "抽查合格", "text_en": "Passed", "share_true": "0.1", "share_false": "0", "version": "1",
            "fact": "takes_discount"}  # fmt: skip
    post(client, "card_item_new", word)
    added = draft(cy).policy.limits.net_worth_card[-1]
    assert [(band.value, band.share) for band in added.bands] == [(True, Decimal("0.1")), (False, 0)]
    post(client, "card_drop", {"version": "2"}, "item", added.key)
    assert added.key not in {each.key for each in draft(cy).policy.limits.net_worth_card}
    assert draft(cy).faults == []
    assert client.get(reverse("credit:card_preview")).status_code == 200


@pytest.mark.clause("B2.1")
def test_bands_of_working_assets_are_written_and_bad_ones_refused(cy: Person) -> None:
    client = browser(cy)
    bands = {"up_to_0": "-1", "share_0": "0", "up_to_1": "0.5", "share_1": "0.1", "share_last": "0.3", "version": "0"}
    assert "overlaps" in post(client, "card_bands", bands | {"up_to_1": "-2"}, status=422)
    post(client, "card_bands", bands | {"share_1": "1.5"}, status=422)
    post(client, "card_bands", bands | {"share_1": ""}, status=422)
    post(client, "card_bands", bands)
    assert draft(cy).policy.limits.working_assets == (
        (-1, 0), (Decimal("0.5"), Decimal("0.1")), (None, Decimal("0.3"))
    )  # fmt: skip
    assert draft(cy).faults == []
    assert browser(member("bo")).get(reverse("credit:card_bands")).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_two_windows_that_begin_a_draft_at_once_one_is_told_to_look_again(cy: Person) -> None:
    inside, told = threading.Event(), []

    def write(window: int) -> None:
        def edit(chapters: dict[str, Any]) -> None:
            inside.set()
            time.sleep(0.5 * (window == 1))
            chapters["limits"]["sales_months"] = window

        try:
            drafts.change(edit, version=0, by=cy, on=TODAY, at=clock.now())
        except Moved:
            told.append(window)
        finally:
            connections.close_all()

    windows = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    windows[0].start()
    assert inside.wait(10)
    windows[1].start()
    for each in windows:
        each.join()
    assert told == [2] and draft(cy).policy.limits.sales_months == 1
