"""From application to reply (B2.3): verbs × statuses × posts, opinions in order, four eyes, limits nobody passes."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shouxin.credit import applications, decisions, opinions
from shouxin.credit.decisions import Grant
from shouxin.credit.models import Application, Line, LineRequest
from shouxin.customers import standing
from shouxin.customers.models import Customer, Mail
from shouxin.office import clock, policies, posts
from shouxin.office.models import Person, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotYourDuty, Refusal
from shouxin.records import application_verbs
from shouxin.records.application_verbs import Said
from shouxin.rules import application as rules
from shouxin.rules import authority
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Policy, Post
from tests.people import CAST, EAST, SOUTH, TODAY, acme, member, person

from .applying import FINDINGS, act, applied, approved, brought_to, edition, rating, ready, spoken

pytestmark = pytest.mark.django_db
SAID = {
    "submit": Said(), "accept": Said(), "investigate": Said(findings=FINDINGS), "assess": Said(),
    "confirm_grade": Said(reason="seen"), "opine": Said(), "delegate": Said(to="vi"), "countersign": Said(to="vi"),
    "approve": Said(reason="yes"), "decline": Said(reason="no"), "return": Said(reason="more"), "withdraw": Said(),
}  # fmt: skip


@pytest.fixture(autouse=True)
def office(db: None) -> None:
    """Everybody is at work, and the policy is in force."""
    policies.ensure()
    for name in CAST:
        member(name)


# --- the whole table -----------------------------------------------------------------------------


@pytest.mark.clause("B2.3")
@pytest.mark.parametrize("verb", [verb for verb in rules.FLOW.verbs if verb != "change"])
def test_every_verb_in_every_status_by_every_post(verb: str) -> None:
    """Whoever's duty it is not gets 403 whatever the status; whoever's it is 409 in every status the table lacks, and
    in each of the others somebody does it."""
    found = applied() if verb == "submit" else brought_to("assessed") if verb == "opine" else ready()
    if verb == "confirm_grade":
        Customer.objects.update(natural_person=True)
    done = set()
    for status in rules.FLOW.statuses:
        Application.objects.filter(pk=found.pk).update(status=status)
        for name, (post, _department) in CAST.items():
            fresh = Application.objects.select_related("customer", "requested_by").get(pk=found.pk)
            outcome = _tried(fresh, verb, name)
            duty = frozenset().union(*(step.duty for step in rules.FLOW.steps if step.verb == verb))
            step = rules.FLOW.step(verb, status)
            if (verb == "withdraw" and name != "ann") or post not in duty:
                assert outcome is NotYourDuty, (verb, status, name)
            elif step is None:
                assert outcome is Moved, (verb, status, name)
            else:
                assert outcome is None or issubclass(outcome, Refusal), (verb, status, name, outcome)
                done |= {status} if outcome is None else set()
    assert done == {status for status in rules.FLOW.statuses if rules.FLOW.step(verb, status)}


def _tried(found: Application, verb: str, by: str) -> type[Refusal] | None:
    """What came of it; whatever was written is taken back."""
    from django.db import transaction

    try:
        with transaction.atomic():
            application_verbs.act(found, verb, SAID[verb], edition=edition(), **act(by))
            transaction.set_rollback(True)
    except Refusal as refusal:
        return type(refusal)
    return None


def test_a_word_that_is_no_verb_and_a_field_the_verb_does_not_read_are_refused() -> None:
    found = applied()
    with pytest.raises(Refusal) as refused:
        application_verbs.act(found, "bless", Said(), edition=edition(), **act("ann"))
    assert refused.value.status == 404
    with pytest.raises(BadForm):
        application_verbs.act(found, "submit", Said(limit=Decimal(1)), given=["limit"], edition=edition(), **act("ann"))


# --- the way -------------------------------------------------------------------------------------


@pytest.mark.parametrize("since", [date(9999, 12, 31), date(9999, 6, 1)])
def test_it_is_not_granted_from_a_day_more_than_a_year_ahead(since: date) -> None:
    with pytest.raises(BadForm) as refused:
        approved(ready(), grant=Grant(since=since))
    assert [field for field, _message in refused.value.errors] == ["effective_from"]
    assert not Line.objects.exists()


@pytest.mark.clause("B2.3")
@pytest.mark.clause("B2.1")
def test_from_application_to_line_and_letter(settings: Any) -> None:
    found = ready()
    line = approved(found)
    found.refresh_from_db()
    assert (line.limit, line.grade, line.requested_by, line.approved_by) == (80000, "B", member("ann"), member("cy"))
    assert (found.status, found.line_request, found.score) == ("approved", line.request, Decimal("75.50"))
    assert line.request.suggested["limit"] == "100000.00" and Line.objects.count() == 1
    (letter,) = decisions.letters(found)
    assert letter.to == "ap@acme.example" and letter.status == "waiting"
    for needed in ("80,000.00元", "捌万元整", "30天", "循环使用", "2026年11月24日", "2027年11月24日"):
        assert needed in letter.body, needed


@pytest.mark.clause("B2.3")
def test_less_than_asked_is_a_letter_of_its_own() -> None:
    found = ready()
    approved(found, grant=Grant(limit=Decimal(50000), conditions="提供保证"))
    (letter,) = decisions.letters(found)
    assert letter.subject.startswith("授信额度核定通知书")
    assert "伍万元整" in letter.body and "80,000.00" in letter.body and "提供保证" in letter.body


@pytest.mark.clause("B2.3")
def test_a_refusal_names_the_kind_of_reason_and_nothing_from_the_file() -> None:
    found = brought_to("assessed")
    decisions.decline(found, category="payment_record", reason="工商银行说其逾期", edition=edition(), **act("cy"))
    (letter,) = decisions.letters(found)
    assert "付款记录" in letter.body and "款到发货" in letter.body and "2027年5月24日" in letter.body
    assert "工商银行" not in letter.body and "工商银行" not in str(letter.paper)
    assert not LineRequest.objects.exists()


@pytest.mark.clause("B2.3")
def test_a_returned_paper_comes_back_with_a_new_clock_and_new_opinions() -> None:
    found = spoken(brought_to("assessed"), "bo")
    decisions.send_back(found, reason="缺审计报告", tell_customer=True, edition=edition(), **act("bo"))
    found.refresh_from_db()
    assert found.status == "returned" and "缺审计报告" in decisions.letters(found)[0].body
    assert applications.clock_of(found, policy=edition().policy, today=TODAY) is None
    found = brought_to("assessed", found)
    state = opinions.round_of(found, edition=edition(), today=TODAY)
    assert found.turn == 2 and [each.post for each in state.given] == ["sales"]
    assert state.waiting == (Post.CREDIT_ADMINISTRATOR, Post.FINANCE)


def test_one_open_application_of_a_kind() -> None:
    first = applied()
    with pytest.raises(Moved) as refused:
        applied()
    assert refused.value.code == "applied_already" and first.number in str(refused.value)
    applications.withdraw(first, **act("ann"))
    assert applied().number != first.number


@pytest.mark.parametrize(
    ("kind", "limit", "line", "field"),
    [
        pytest.param("raise", "60000", None, "request_type", id="nothing to raise"),
        pytest.param("raise", "50000", "50000", "requested_limit", id="a raise to what it is"),
        pytest.param("lower", "50000", "50000", "requested_limit", id="lowered to what it is"),
        pytest.param("new", "0", None, "requested_limit", id="nothing asked for"),
        pytest.param("new", "-1", None, "requested_limit", id="below nothing"),
    ],
)
def test_what_contradicts_the_line_is_refused(kind: str, limit: str, line: str | None, field: str) -> None:
    if line:
        _line(acme(), line)
    with pytest.raises(BadForm) as refused:
        applied(kind=kind, limit=limit)
    assert field in dict(refused.value.errors)


def _line(customer: Customer, limit: str, grade: str = "B") -> Line:
    return Line.objects.create(
        customer=customer, grade=grade, limit_kind="amount", limit=Decimal(limit), currency="CNY", term_days=30,
        since=TODAY - timedelta(100), until=TODAY + timedelta(200), why="t", cause="request", policy_version=1,
        at=clock.now(),
    )  # fmt: skip


def test_every_change_of_every_box_is_kept(bo: Person) -> None:
    from shouxin.credit import application_papers

    from .applying import DETAILS, wanted

    found = applied()
    new = wanted("90000", details=DETAILS | {"telephone": "13800001234", "contact": "李四"})
    applications.change(found, new, version=1, **act("bo"))
    told = {str(label): (old, value) for _at, _by, label, old, value in application_papers.history(found)}
    assert ("80000.00", "90000.00") in told.values() and ("王芳", "李四") in told.values()
    assert ("", "…1234") in told.values(), "secrets are masked"
    with pytest.raises(Moved):
        applications.change(found, new, version=1, **act("ann"))


# --- opinions and signature ----------------------------------------------------------------------


@pytest.mark.clause("C2")
@pytest.mark.parametrize(
    ("limit", "speakers", "signer"),
    [
        pytest.param("100000", ("bo", "fi"), "cy", id="the manager up to her amount"),
        pytest.param("100000.01", ("bo", "fi", "cy"), "vi", id="one cent beyond it"),
        pytest.param("1000000.01", ("bo", "fi", "cy", "vi"), "le", id="the legal representative without bound"),
    ],
)
def test_opinions_go_up_to_who_signs(limit: str, speakers: tuple[str, ...], signer: str) -> None:
    found = brought_to("assessed", limit=limit, suggested="2000000.00")
    for place, name in enumerate(speakers):
        with pytest.raises(Moved) as early:
            approved(found, by=signer)
        assert early.value.code == "opinions_missing"
        for other in speakers[place + 1 :]:
            with pytest.raises(Moved) as out_of_turn:
                opinions.opine(found, edition=edition(), **act(other))
            assert out_of_turn.value.code == "not_your_turn"
        found = spoken(found, name)
    assert approved(found, by=signer).limit == Decimal(limit)


@pytest.mark.invariant("I-14")
@pytest.mark.parametrize(
    ("prepare", "signer", "code"),
    [
        pytest.param(
            lambda: spoken(brought_to("assessed", by="cy"), "ann", "bo", "fi"),
            "cy",
            "own_application",
            id="her own application",
        ),
        pytest.param(lambda: _investigated_by("cy"), "cy", "own_edit", id="she investigated it"),
        pytest.param(
            lambda: ready(customer=acme(code="C9", salesperson=member("cy"))), "cy", "own_customer", id="hers"
        ),
        pytest.param(lambda: ready(limit="100000.01", suggested="900000.00"), "cy", "no_post", id="beyond her post"),
    ],
)
def test_who_may_not_sign(prepare: Callable[[], Application], signer: str, code: str) -> None:
    found = prepare()
    with pytest.raises(NotYourDuty) as refused:
        approved(found, by=signer)
    assert refused.value.code == code and not Line.objects.filter(request__isnull=False).exists()


def _investigated_by(name: str) -> Application:
    found = brought_to("accepted")
    applications.investigate(found, FINDINGS, **act(name))
    found.refresh_from_db()
    applications.assess(found, rating(found.customer), **act("bo"))
    found.refresh_from_db()
    return spoken(found, "bo", "fi")


def test_nobody_speaks_twice_and_one_who_spoke_does_not_sign() -> None:
    found = brought_to("assessed", limit="200000", suggested="900000.00")
    found = spoken(found, "bo", "fi", "cy")
    with pytest.raises(Moved):
        opinions.opine(found, edition=edition(), **act("fi"))
    with pytest.raises(BadForm):
        opinions.delegate(found, member("cy"), reason="出差", edition=edition(), **act("vi"))


def test_a_signature_is_lent_with_its_authority_and_no_more() -> None:
    """Le lends Vi her signature on this paper; nobody lends what he does not hold, nor to whom could not sign."""
    found = spoken(brought_to("assessed", limit="1000000.01", suggested="9000000.00"), "bo", "fi", "cy")
    with pytest.raises(BadForm):
        opinions.delegate(found, member("ann"), edition=edition(), **act("vi"))
    with pytest.raises(BadForm):
        opinions.delegate(found, member("le"), reason="出差", edition=edition(), **act("vi"))
    person("lu", Post.LEGAL_REPRESENTATIVE)
    opinions.delegate(found, member("le"), reason="出差", edition=edition(), **act("vi"))
    with pytest.raises(NotYourDuty):
        approved(found, by="vi")
    opinions.opine(found, edition=edition(), **act("le"))
    spoke = found.opinions.get(post="vice-president")
    assert (spoke.by, spoke.on_behalf_of) == (member("le"), member("vi"))
    with pytest.raises(NotYourDuty) as refused:
        approved(found, by="le")
    assert refused.value.code == "own_opinion"


@pytest.mark.parametrize("verb", [opinions.delegate, opinions.countersign])
def test_nobody_helps_who_is_waited_for_herself(verb: Any) -> None:
    """Cy, the only credit manager, would have spoken already when her own turn comes."""
    found = brought_to("assessed", limit="200000", suggested="900000.00")
    with pytest.raises(BadForm):
        verb(found, member("cy"), edition=edition(), **act("bo"))
    person("cai", Post.CREDIT_MANAGER)
    verb(found, member("cy"), edition=edition(), **act("bo"))


def test_nobody_is_asked_as_well_whose_own_opinion_would_be_missing() -> None:
    found = spoken(brought_to("assessed"), "bo")
    with pytest.raises(BadForm):
        opinions.countersign(found, member("fi"), edition=edition(), **act("cy"))
    fo = person("fo", Post.FINANCE)
    opinions.countersign(found, member("fi"), edition=edition(), **act("cy"))
    with pytest.raises(BadForm):  # of the two who could speak for finance one is asked already
        opinions.countersign(found, fo, edition=edition(), **act("cy"))
    assert opinions.opine(found, edition=edition(), **act("fi")).post == "finance", "it is her own turn"
    assert opinions.round_of(found, edition=edition(), today=TODAY).complete
    assert approved(found).limit == 80000


def test_one_person_of_two_posts_is_waited_for_once() -> None:
    """Who has spoken as one post does not speak as another; where nobody else holds that, it is not waited for."""
    from shouxin.office.models import Appointment

    Appointment.objects.filter(post=Post.CREDIT_MANAGER).delete()
    person("bo", Post.CREDIT_MANAGER)
    found = brought_to("assessed", limit="200000", suggested="900000.00")
    assert Post.CREDIT_MANAGER in opinions.round_of(found, edition=edition(), today=TODAY).waiting
    opinions.opine(found, edition=edition(), **act("bo"))
    waiting = opinions.round_of(found, edition=edition(), today=TODAY).waiting
    assert Post.CREDIT_MANAGER not in waiting and Post.FINANCE in waiting


def test_a_lent_signature_signs() -> None:
    found = spoken(brought_to("assessed", limit="200000", suggested="900000.00"), "bo", "fi", "cy")
    opinions.delegate(found, member("le"), reason="出差", edition=edition(), **act("vi"))
    now = opinions.round_of(found, edition=edition(), today=TODAY)
    assert opinions.holds_of(found, now, member("le"), TODAY).keys() == {
        Post.LEGAL_REPRESENTATIVE, Post.VICE_PRESIDENT,
    }  # fmt: skip
    assert approved(found, by="le").approved_by == member("le")


@pytest.mark.invariant("I-14")
def test_what_was_lent_is_worth_nothing_once_its_lender_may_not_sign() -> None:
    found = spoken(brought_to("assessed", limit="200000", suggested="900000.00"), "bo", "fi", "cy")
    cai = person("cai", Post.CREDIT_MANAGER)
    opinions.delegate(found, cai, reason="出差", edition=edition(), **act("vi"))
    now = opinions.round_of(found, edition=edition(), today=TODAY)
    assert Post.VICE_PRESIDENT in opinions.holds_of(found, now, cai, TODAY)
    found.customer.salesperson = member("vi")
    assert Post.VICE_PRESIDENT not in opinions.holds_of(found, now, cai, TODAY)
    assert "no_post" in opinions.why_not_sign(found, now, by=cai, today=TODAY)


def test_one_asked_as_well_is_waited_for() -> None:
    found = ready()
    opinions.countersign(found, member("vi"), reason="请会签", edition=edition(), **act("cy"))
    with pytest.raises(Moved) as refused:
        approved(found)
    assert refused.value.code == "opinions_missing"
    opinions.opine(found, verdict="conditional", text="需担保", edition=edition(), **act("vi"))
    assert approved(found).limit == 80000


@pytest.mark.invariant("I-18")
def test_nobody_waits_for_one_asked_as_well_who_can_speak_no_more() -> None:
    found = ready()
    opinions.countersign(found, fo := person("fo", Post.FINANCE), edition=edition(), **act("cy"))
    opinions.countersign(found, xu := person("xu", Post.SALES, department=EAST), edition=edition(), **act("cy"))
    posts.disable_person(fo, by=member("se"), on=TODAY, at=clock.now())
    assert [each.to for each in opinions.round_of(found, edition=edition(), today=TODAY).asked] == [xu]
    Person.objects.filter(pk=xu.pk).update(department=SOUTH)
    assert opinions.round_of(found, edition=edition(), today=TODAY).complete
    assert approved(found).limit == 80000


def test_a_disagreement_is_overruled_in_writing() -> None:
    found = spoken(brought_to("assessed"), "bo")
    opinions.opine(found, verdict="disagree", text="逾期多", edition=edition(), **act("fi"))
    with pytest.raises(BadForm):
        decisions.approve(found, Grant(), edition=edition(), **act("cy"))
    assert decisions.approve(found, Grant(), reason="有担保", edition=edition(), **act("cy")).limit == 80000


def test_a_small_company_waits_for_no_post_that_nobody_holds() -> None:
    from shouxin.office.models import Appointment

    Appointment.objects.filter(post=Post.FINANCE).update(until=TODAY)
    assert approved(spoken(brought_to("assessed"), "bo")).limit == 80000


@pytest.mark.clause("B2.1")
def test_a_natural_persons_grade_is_confirmed_by_a_person() -> None:
    found = ready(customer=acme(code="P1", name="王芳", natural_person=True))
    with pytest.raises(Moved) as refused:
        approved(found)
    assert refused.value.code == "grade_unconfirmed"
    applications.confirm_grade(found, reason="核对了流水", **act("bo"))
    assert approved(found).limit == 80000


def test_what_is_missing_is_excused_in_writing() -> None:
    found = ready(details={"consent": True, "email": "a@b.example", "sales_opinion": "好"})
    assert "trade_references" in applications.missing(found, policy=edition().policy, today=TODAY)
    with pytest.raises(BadForm):
        decisions.approve(found, Grant(), edition=edition(), **act("cy"))
    decisions.approve(found, Grant(), reason="老客户", edition=edition(), **act("cy"))
    found.refresh_from_db()
    assert found.excused == "老客户"


def test_the_blacklisted_get_nothing() -> None:
    found = ready()
    standing.set_standing(found.customer, "blacklisted", why="fled", by=member("cy"), on=TODAY, at=clock.now())
    with pytest.raises(Moved) as refused:
        approved(found, by="vi")
    assert refused.value.code == "blacklisted"


# --- what may be granted -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "field"),
    [
        pytest.param(Grant(limit=Decimal("80000.01")), "limit", id="one cent more than asked"),
        pytest.param(Grant(term_days=31), "term_days", id="one day longer than asked"),
    ],
)
def test_never_more_than_asked(grant: Grant, field: str) -> None:
    found = ready()
    with pytest.raises(BadForm) as refused:
        approved(found, grant=grant)
    assert field in dict(refused.value.errors)


def test_never_over_the_cap_of_the_grade() -> None:
    cap = edition().policy.grades[Grade.C].limit_max
    assert cap is not None
    found = brought_to("assessed", limit=str(cap + Decimal("0.01")), grade="C", suggested="9000000.00")
    found = spoken(found, "bo", "fi", "cy", "vi")
    with pytest.raises(BadForm) as refused:
        approved(found, by="le", grant=Grant(term_days=15))
    assert "limit" in dict(refused.value.errors)
    assert approved(found, by="le", grant=Grant(limit=cap, term_days=15)).limit == cap


def test_a_temporary_limit_ends_on_its_day_and_counts_on_top() -> None:
    _line(acme(), "50000")
    found = ready(kind="temporary", limit="50000", requested_until=TODAY + timedelta(30))
    line = approved(found)
    assert line.temporary and line.until == TODAY + timedelta(30) and line.limit == 50000
    assert "一次性使用" in decisions.letters(found)[0].body


amounts = st.decimals(min_value=0, max_value=20_000_000, places=2, allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(asked=amounts, granted=amounts, beside=amounts, grade=st.sampled_from(list(Grade)),
       kind=st.sampled_from(["new", "raise", "temporary", "renewal"]), post=st.sampled_from(list(Post)),
       bound=st.none() | amounts)  # fmt: skip
def test_what_passes_never_exceeds_authority_cap_or_what_was_asked(
    asked: Decimal, granted: Decimal, beside: Decimal, grade: Grade, kind: Any, post: Post, bound: Decimal | None
) -> None:
    """Whatever is asked for, granted and signed by whomever: where nothing refuses, nothing is exceeded."""
    policy: Policy = edition().policy
    total = granted + beside
    limit = Limit.of(granted)
    found = list(rules.faults(policy, rules.Asked(kind, asked, 30), rules.Granted(limit, 30, grade, total)))
    needed = authority.who_may(policy, authority.RequestedLine(limit, grade, kind), Limit.of(total))
    refused = authority.may_approve({post: bound}, needed, approver=1, applicant=2)
    assume(not found and not refused)
    assert granted <= asked
    row = next(each for each in policy.approval.authority if each.post == post)
    assert row.amount_max is None or total <= row.amount_max
    assert bound is None or total <= bound
    cap = policy.grades[grade].limit_max
    assert not granted or cap is None or total <= cap


# --- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "left", "late"),
    [
        pytest.param(TODAY, 10, False, id="the day it was handed in is not counted"),
        pytest.param(date(2026, 12, 8), 0, False, id="the day due is in time"),
        pytest.param(date(2026, 12, 9), -1, True, id="one day too late"),
    ],
)
def test_the_clock_counts_working_days(today: date, left: int, late: bool) -> None:
    found = brought_to("submitted")
    told = applications.clock_of(found, policy=edition().policy, today=today)
    assert told is not None and (told.due_on, told.left, told.late) == (date(2026, 12, 8), left, late)
    assert found.due_on == told.due_on


def test_missing_items_by_kind_of_request() -> None:
    bare: dict[str, Any] = {"details": {}, "reason": ""}
    assert "consent" in applications.missing(applied(**bare), policy=edition().policy, today=TODAY)
    _line(acme(), "100000")
    lowered = applied(kind="lower", limit="1", **bare)
    assert applications.missing(lowered, policy=edition().policy, today=TODAY) == ("reason",)


# --- two at once ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.invariant("I-17")
@pytest.mark.parametrize("guarded", [pytest.param(True, id="guarded"), pytest.param(False, id="control: no guard")])
def test_two_approvers_make_one_line(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vi and Le sign the same paper at the same moment: one line. Without lock, version and status: two requests."""
    policies.ensure()
    for name in CAST:
        member(name)
    found = ready()
    gate = threading.Barrier(2, timeout=20)
    plain = decisions.locked

    def unguarded(application: Application, version: int | None = None) -> Application:
        fresh = Application.objects.select_related("customer", "requested_by").get(pk=application.pk)
        gate.wait()
        return fresh

    def gated(application: Application, version: int | None = None) -> Application:
        return plain(application, version)

    monkeypatch.setattr(decisions, "locked", gated if guarded else unguarded)
    if not guarded:
        from shouxin.office import moves

        monkeypatch.setattr(decisions.exposure, "lock", lambda ids: None)
        monkeypatch.setattr(moves, "_update", lambda row, step, seen, changes: 1)
        monkeypatch.setattr(Application.line_request.field.remote_field, "multiple", True, raising=False)
    results: list[object] = []

    def sign(by: str) -> None:
        try:
            if guarded:
                gate.wait()
            results.append(approved(Application.objects.get(pk=found.pk), by=by))
        except Exception as refusal:
            results.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sign, args=(name,)) for name in ("vi", "le")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    made = [each for each in results if isinstance(each, Line)]
    if guarded:
        assert len(made) == 1 and Line.objects.count() == 1
        assert [type(each) for each in results if not isinstance(each, Line)] == [Moved]
        assert Mail.objects.count() == 1
        assert TrailEntry.objects.filter(verb="line.begin").count() == 1
    else:
        assert len(made) == 2, results


def test_the_policy_says_from_which_step_on_nothing_may_be_missing() -> None:
    strict = replace(edition(), policy=edition().policy.model_copy(update={
        "applications": edition().policy.applications.model_copy(update={"complete_before": "submit"})}))  # fmt: skip
    found = applied(details={})
    with pytest.raises(BadForm) as refused:
        applications.submit(found, edition=strict, **act("ann"))
    assert "reason" in dict(refused.value.errors)
