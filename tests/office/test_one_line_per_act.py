"""Each act leaves its line in the trail, in its own transaction, and no other act's (I-22): every verb counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from shouxin.collection import notices, worklist
from shouxin.collection.models import Notice, Task
from shouxin.credit import (
    applications,
    decisions,
    form_links,
    line_requests,
    opinions,
    references,
    securities,
)
from shouxin.credit.models import LineRequest, Rating
from shouxin.customers import (
    agents,
    blacklist,
    dossier,
    evidence,
    facts,
    features,
    groups,
    mails,
    parties_api,
    persons,
    registry,
    standing,
    statements,
)
from shouxin.customers.models import BlacklistCase, Customer, Fact, PersonTie, StandingRelease
from shouxin.office import clock, policies, posts, rates, sign_in, tokens
from shouxin.office.models import DataSharing, ImpactAssessment, Person, TrailEntry
from shouxin.office.privacy import assessments, sharings
from shouxin.office.refusals import NotYourDuty
from shouxin.orders import holds
from shouxin.orders.models import Hold
from shouxin.receivables import grade_reviews, invoices, ratings, receipts
from shouxin.records import assessing
from shouxin.reviews import annual
from shouxin.reviews.models import Review
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post
from tests.collection import world
from tests.credit import applying
from tests.faults import test_every_statement as money
from tests.faults.test_every_statement import D, acting, acts, decide, issued, open_for_business, taken
from tests.people import TODAY, acme, member
from tests.reviews import world as year_in_review
from tests.rules.test_privacy import BUREAU, GRADING
from tools.reference import flows

pytestmark = [pytest.mark.django_db, pytest.mark.invariant("I-22"), pytest.mark.clause("A13")]
Verb = Callable[[], object]
__all__ = ["open_for_business"]


def office(by: str = "sy") -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def asked() -> LineRequest:
    terms = line_requests.LineTerms(limit=Limit.of(D(90000)), currency="CNY", term_days=30, grade=Grade.B)
    return line_requests.ask(acme(), terms, reason="season", **acting("ann"))


STATEMENT = {
    "total_assets": D(9), "current_assets": D(5), "total_liabilities": D(4), "current_liabilities": D(3),
    "net_worth": D(5), "revenue": D(9),
}  # fmt: skip


def with_a_fact(act: Callable[[Fact], object]) -> Callable[[], Verb]:
    """The act on a fact that Ann noted."""

    def prepared() -> Verb:
        fact = facts.add(acme(), "employees", 9, source="visit", as_of=TODAY, **office("ann"))
        return lambda: act(fact)

    return prepared


def changing() -> Verb:
    row = asked()
    terms = line_requests.LineTerms(limit=Limit.of(D(80000)), currency="CNY", term_days=30, grade=Grade.B)
    return lambda: line_requests.change(row, terms, reason="less", version=row.version, **acting("ann"))


def _rated_person() -> Rating:
    person = acme(code="P1", name="王芳", natural_person=True)
    return ratings.rate([person.pk], as_of=TODAY, edition=policies.in_force(TODAY), **office("bo")).kept[0]


def confirming_a_grade() -> Verb:
    review = _rated_person().review
    return lambda: grade_reviews.confirm(review, grade=None, reason="seen", **office("cy"))


def rating_a_person_again() -> Verb:
    _rated_person()
    return _rated_person


def declining() -> Verb:
    row = asked()
    return lambda: line_requests.decline(row, reason="no", version=row.version, **acting("cy"))


def withdrawing() -> Verb:
    row = asked()
    return lambda: line_requests.withdraw(row, **acts("ann"))


def secured(verb: str, by: str, *, active: bool = False) -> Callable[[], Verb]:
    def prepared() -> Verb:
        terms = securities.SecurityTerms("deposit", D(500), "CNY", "王伟", "deposit", "D-1", TODAY)
        row = securities.propose(acme(), terms, reason="season", **acts("bo"))
        if active:
            row = securities.approve(row, version=row.version, **acting("cy"))
        given = acting(by) if verb in ("approve", "release") else acts(by)
        return lambda: getattr(securities, verb)(row, version=row.version, reason="because", **given)

    return prepared


def securing(replacing: bool = False) -> Verb:
    terms = securities.SecurityTerms("deposit", D(500), "CNY", "王伟", "deposit", "D-1", TODAY)
    if not replacing:
        return lambda: securities.propose(acme(), terms, reason="season", **acts("bo"))
    old = securities.propose(acme(), terms, reason="season", **acts("bo"))
    old = securities.approve(old, version=old.version, **acting("cy"))
    new = securities.propose(acme(), terms, reason="renewed", replaces=old, **acts("bo"))
    return lambda: securities.approve(new, version=new.version, **acting("cy"))


def letting_a_security_run_out() -> Verb:
    terms = securities.SecurityTerms("deposit", D(500), "CNY", "王伟", "deposit", "D-1", TODAY, until=TODAY)
    row = securities.propose(acme(), terms, reason="season", **acts("bo"))
    securities.approve(row, version=row.version, **acting("cy"))
    return lambda: securities.expire(today=TODAY + timedelta(days=1), at=clock.now(), by=posts.system())


def on_hold() -> Hold:
    decide("20000.00")
    return Hold.objects.get()


def rechecking() -> Verb:
    row = on_hold()
    return lambda: holds.recheck(row, **acting("cy"))


def blacklisted() -> StandingRelease:
    standing.set_standing(acme(), "blacklisted", why="fled", **office("cy"))
    found = standing.set_standing(acme(), "watched", why="came back and paid", **office("cy"))
    assert isinstance(found, StandingRelease)
    return found


def proposing() -> Verb:
    standing.set_standing(acme(), "blacklisted", why="fled", **office("cy"))
    return lambda: standing.set_standing(acme(), "watched", why="paid", **office("cy"))


def deciding_a_release(verb: str, by: str) -> Callable[[], Verb]:
    def prepared() -> Verb:
        row = blacklisted()
        return lambda: standing.decide_release(row, verb, **office(by))

    return prepared


def letter(status: str = "waiting") -> Notice:
    world.owe()
    world.run(world.after(40))
    row = Notice.objects.order_by("-pk")[0]
    Notice.objects.filter(pk=row.pk).update(status=status, to="" if status == "no_address" else "a@example.com")
    registry.change(row.customer, email="a@example.com", version=row.customer.version, **office("bo"))
    row.refresh_from_db()
    return row


def holding_a_letter() -> Verb:
    row = letter()
    return lambda: notices.hold(row, why="wait", **office("cy"))


def letting_a_letter_go(status: str) -> Callable[[], Verb]:
    def prepared() -> Verb:
        row = letter(status)
        return lambda: notices.release(row, **office("cy"))

    return prepared


def sending_again() -> Verb:
    row = mails.write(kind="credit_reply", about="application:1", to="", subject="s", body="b", by=None, at=clock.now(),
                      customer=acme())  # fmt: skip
    return lambda: mails.resend(row, to="a@example.com", **office("bo"))


def applying_to(status: str, act: Callable[..., object], by: str, **said: Any) -> Callable[[], Verb]:
    """An application as far as the status, and the verb that comes next."""

    def prepared() -> Verb:
        found = applying.brought_to(status, customer=acme(code="N1", natural_person=True))
        return lambda: act(found, **said, **acting(by))

    return prepared


def asking_another(verb: Callable[..., object]) -> Callable[[], Verb]:
    def prepared() -> Verb:
        found = applying.brought_to("assessed")
        return lambda: verb(found, member("vi"), **acting("bo"))

    return prepared


def granting() -> Verb:
    found = applying.ready()
    return lambda: decisions.approve(found, decisions.Grant(), reason="season", **acting("cy"))


def inviting() -> Verb:
    return lambda: form_links.invite(acme(), "new", address=str, **acting("ann"))


def filling_in() -> Verb:
    made = form_links.invite(acme(), "new", address=str, **acting("ann"))
    given = {name: text for name, text in applying.DETAILS.items() if name != "sales_opinion"}
    call = {name: value for name, value in acting("ann").items() if name != "by"}
    return lambda: form_links.apply(made.token, applying.wanted(details=given), **call)


def asking_a_referee() -> Verb:
    found = applying.brought_to("accepted")
    return lambda: references.ask(found, kind="bank", name="Bank", email="b@example.com", address=str, **acting("bo"))


def reminding_a_referee() -> Verb:
    found = applying.brought_to("accepted")
    given = acting("bo")
    asked_then = given | {"at": given["at"] - timedelta(days=3)}
    row = references.ask(found, kind="bank", name="Bank", email="b@example.com", address=str, **asked_then)
    return lambda: references.remind(row, address=str, **given)


def without_edition(verb: Callable[..., object]) -> Callable[..., object]:
    return lambda *args, edition, **rest: verb(*args, **rest)


def handing_over() -> Verb:
    row = letter()
    return lambda: notices.hand_over(row, how="courier", **office("cy"))


def settling_a_task(verb: Callable[..., Task]) -> Callable[[], Verb]:
    def prepared() -> Verb:
        letter()
        row = Task.objects.filter(status="open")[0]
        return lambda: verb(row, result="spoke to them", **office("cy"))

    return prepared


def unmatching() -> Verb:
    issued()
    row = taken(match=True)
    return lambda: receipts.unmatch(row, **acts("fi"))


def settling_a_contest() -> Verb:
    invoice = issued()
    invoices.contest(invoice, why="damaged", amount=D(300), **acts("fi"))
    return lambda: invoices.settle_contest(invoice, outcome="upheld", **acts("fi"))


def newcomer() -> Person:
    return posts.add_person("newcomer", password="a long enough one", **office())


def with_token() -> Verb:
    bo = member("bo")
    token, _text = tokens.create(bo, by=bo, at=clock.now())
    return lambda: tokens.revoke(token, **office("bo"))


def proposed() -> BlacklistCase:
    asked = blacklist.Proposal("fraud", "took the goods and went", "police report")
    return blacklist.propose(acme(), asked, edition=policies.in_force(TODAY), **office("fi"))


def listed() -> BlacklistCase:
    row = proposed()
    return blacklist.approve(row, version=row.version, reason="", edition=policies.in_force(TODAY), **office("cy"))


def appealed() -> BlacklistCase:
    row = listed()
    return blacklist.appeal(row, version=row.version, reason="we paid", **office("ann"))


def step(prepare: Callable[[], BlacklistCase], verb: str, by: str, **given: Any) -> Callable[[], Verb]:
    def prepared() -> Verb:
        row = prepare()
        told = {"reason": "because", "kind": "watched", "conditions": "pays first", "months": 12} | given
        return lambda: parties_api.act(row, verb, told, version=row.version, call=office(by))

    return prepared


def deciding_a_return(verb: str) -> Callable[[], Verb]:
    def prepared() -> Verb:
        row = listed()
        blacklist.leave(row, "readmit", version=row.version, reason="paid", conditions="cash", **office("vi"))
        release = StandingRelease.objects.get()
        return lambda: standing.decide_release(release, verb, **office("le"))

    return prepared


def revoking() -> Verb:
    row = agents.record(acme(), agents.NewAgent("王五", ("place_order",)), **office("bo"))
    return lambda: agents.revoke(row, why="told by telephone", **office("bo"))


def tied() -> Customer:
    return groups.tie(acme(), groups.NewTie(acme(code="TOP")), **office("bo"))


def behind() -> PersonTie:
    return persons.add(acme(), "李四", "controller", note="seen", **office("bo"))


def reviewing(verb: str) -> Callable[[], Verb]:
    """A verb of the annual review, with everything it needs in place."""

    def prepared() -> Verb:
        year_in_review.line(acme(code="Y1", name="年审客户有限公司"))
        if verb == "open_year":
            return lambda: annual.open_year(2026, **office("bo"))
        if verb == "prepare":
            campaign = annual.open_year(2026, **office("bo"))
            return lambda: annual.prepare(campaign, on=TODAY, at=clock.now())
        year_in_review.opened()
        row = Review.objects.select_related("campaign", "request").get(customer__code="Y1")
        given = {"edition": policies.in_force(TODAY), "version": 1}
        if verb == "close":
            LineRequest.objects.update(status="declined")
        acts: dict[str, Verb] = {
            "renew": lambda: annual.renew(row, **office("bo")),
            "assess": lambda: annual.assess(row, "seen", **office("ann")),
            "approve": lambda: annual.approve(row, **given, **office("cy")),
            "decline": lambda: annual.decline(row, reason="no", **given, **office("cy")),
            "close": lambda: annual.close(row.campaign, **office("cy")),
        }
        return acts[verb]

    return prepared


def sharing(act: Callable[[DataSharing], object]) -> Callable[[], Verb]:
    """The act on an entry of the sharing register."""

    def prepared() -> Verb:
        row = sharings.enter(BUREAU, **office("bo"))
        return lambda: act(row)

    return prepared


def written(series: ImpactAssessment | None = None) -> ImpactAssessment:
    return assessments.write(GRADING, before=series, **office("bo"))


def assessed(verb: str, by: str, *, again: bool = False) -> Callable[[], Verb]:
    """A step of an assessment; `again`: of its second version, while the first is in force."""

    def prepared() -> Verb:
        row = written()
        if again:
            row = written(assessments.review(row, **office("cy")))
        return lambda: assessments.act(row, verb, note="because", **office(by))

    return prepared


def closing() -> Verb:
    row = assessments.review(written(), **office("cy"))
    return lambda: assessments.close(row, note="over", **office("bo"))


def disposing() -> Verb:
    row = assessments.send_back(written(), note="more", **office("cy"))
    later = office("vi") | {"on": TODAY.replace(year=TODAY.year + 3)}
    return lambda: assessments.dispose(row, **later)


def writing_again() -> Verb:
    row = written()
    return lambda: written(row)


# What is prepared, and the lines its act leaves: verb -> how many.
ACTS: list[tuple[Callable[[], Verb], dict[str, int]]] = [
    (money.deciding, {"check.approve": 1}),
    (money.deciding_again, {"check.approve": 1}),
    (money.delivering, {"reservation.deliver": 1}),
    (money.billing, {"invoice.issue": 1}),
    (money.cancelling, {"reservation.cancel": 1}),
    (money.extending, {"reservation.extend": 1}),
    (money.releasing, {"release": 1, "check.approve": 1}),
    (money.rejecting, {"reject": 1}),
    (rechecking, {"check.hold": 1}),
    (money.issuing, {"invoice.issue": 1}),
    (money.matching, {"receipt.match": 1}),
    (unmatching, {"receipt.unmatch": 1}),
    (money.reversing_an_invoice, {"invoice.reverse": 1}),
    (money.reversing_a_receipt, {"receipt.reverse": 1}),
    (money.contesting, {"invoice.contest": 1}),
    (settling_a_contest, {"invoice.settle_contest": 1}),
    (money.crediting, {"invoice.apply_credit": 1}),
    (lambda: asked, {"line_request.ask": 1}),
    (changing, {"change": 1}),
    (money.approving_a_line, {"approve": 1, "line.begin": 1}),
    (declining, {"decline": 1}),
    (confirming_a_grade, {"confirm_grade": 1}),
    (rating_a_person_again, {"rate": 1, "supersede": 1}),
    (withdrawing, {"withdraw": 1}),
    (reviewing("open_year"), {"open_year": 1}),
    (reviewing("prepare"), {"review_year": 1, "rate": 2, "line_request.ask": 2}),
    (reviewing("renew"), {"renew_review": 1, "withdraw": 1, "rate": 1, "line_request.ask": 1}),
    (reviewing("assess"), {"assess_review": 1}),
    (reviewing("approve"), {"approve": 1, "line.begin": 1}),
    (reviewing("decline"), {"decline": 1}),
    (reviewing("close"), {"close_year": 1}),
    (securing, {"security.propose": 1}),
    (lambda: securing(replacing=True), {"approve": 1, "replace": 1}),
    (secured("approve", "cy"), {"approve": 1}),
    (secured("decline", "cy"), {"decline": 1}),
    (secured("withdraw", "bo"), {"withdraw": 1}),
    (secured("release", "cy", active=True), {"release": 1}),
    (secured("void", "bo", active=True), {"void": 1}),
    (letting_a_security_run_out, {"expire": 1}),
    (proposing, {"propose_release": 1}),
    (deciding_a_release("confirm", "vi"), {"confirm": 1, "set_standing": 1}),
    (deciding_a_release("decline", "vi"), {"decline": 1}),
    (deciding_a_release("withdraw", "cy"), {"withdraw": 1}),
    (lambda: lambda: standing.set_standing(acme(), "stopped", why="late", **office("bo")), {"set_standing": 1}),
    (holding_a_letter, {"hold": 1}),
    (letting_a_letter_go("held"), {"release": 1}),
    (letting_a_letter_go("failed"), {"retry": 1}),
    (letting_a_letter_go("no_address"), {"readdress": 1}),
    (lambda: lambda: applying.applied(), {"application.create": 1}),
    (applying_to("draft", applications.submit, "ann"), {"submit": 1}),
    (applying_to("submitted", applications.accept, "bo"), {"accept": 1}),
    (
        applying_to("accepted", without_edition(applications.investigate), "bo", findings=applying.FINDINGS),
        {"investigate": 1},
    ),
    (applying_to("investigated", assessing.assess, "bo"), {"assess": 1, "rate": 1}),
    (applying_to("assessed", without_edition(applications.confirm_grade), "bo", reason="seen"), {"confirm_grade": 1}),
    (applying_to("assessed", opinions.opine, "bo"), {"opine": 1}),
    (asking_another(opinions.delegate), {"delegate": 1}),
    (asking_another(opinions.countersign), {"countersign": 1}),
    (granting, {"approve": 2, "line_request.ask": 1, "line.begin": 1}),
    (applying_to("assessed", decisions.decline, "cy", reason="no"), {"decline": 1}),
    (applying_to("assessed", decisions.send_back, "bo", reason="more"), {"return": 1}),
    (inviting, {"form_link.make": 1}),
    (filling_in, {"application.create": 1, "submit": 1, "form_link.use": 1}),
    (asking_a_referee, {"reference.ask": 1}),
    (reminding_a_referee, {"reference.remind": 1}),
    (handing_over, {"hand_over": 1}),
    (sending_again, {"resend": 1}),
    (settling_a_task(worklist.done), {"task.done": 1}),
    (settling_a_task(worklist.drop), {"task.dropped": 1}),
    (lambda: lambda: registry.create(name="苏州恒远贸易有限公司", currency="CNY", **office("bo")), {"register": 1}),
    (lambda: lambda: registry.add_name(acme(), "艾克米", source="import", **office("bo")), {"add_name": 1}),
    (lambda: lambda: registry.change(acme(), contact="张三", version=1, **office("bo")), {"change_customer": 1}),
    (
        lambda: (
            lambda: facts.add(acme(), "years_in_business", Decimal(9), source="registry", as_of=TODAY, **office("bo"))
        ),
        {"add_fact": 1},
    ),
    (with_a_fact(lambda fact: dossier.mark(fact, "expired", "old", **office("bo"))), {"mark_fact": 1}),
    (
        with_a_fact(lambda fact: dossier.verify(fact, "online", "forged", checked_on=TODAY, **office("bo"))),
        {"verify_fact": 1},
    ),
    (
        lambda: lambda: evidence.keep(acme(), SimpleUploadedFile("a.txt", b"seen"), **office("bo")),
        {"attach": 1},
    ),
    (
        lambda: lambda: statements.enter(acme(), STATEMENT, as_of=TODAY, audited=True, **office("bo")),
        {"enter_statement": 1},
    ),
    (lambda: newcomer, {"add_person": 1}),
    (
        lambda: (lambda made: lambda: posts.appoint(made, Post.SALES, since=TODAY, **office()))(newcomer()),
        {"appoint": 1},
    ),
    (lambda: lambda: posts.end_appointment(member("ann"), Post.SALES, **office()), {"end_appointment": 1}),
    (lambda: lambda: posts.disable_person(member("ann"), **office()), {"disable_person": 1}),
    (lambda: lambda: tokens.create(member("bo"), by=member("bo"), at=clock.now()), {"create_token": 1}),
    (with_token, {"revoke_token": 1}),
    (
        lambda: (
            lambda: policies.put(
                policies.shipped().replace("quiet_days: 7", "quiet_days: 6"),
                since=TODAY + timedelta(days=1),
                why="sooner",
                **office("cy"),
            )
        ),
        {"put_policy": 1},
    ),
    (
        lambda: lambda: features.score(acme(), {"payment": 8, "bank": 6}, source="visit", as_of=TODAY, **office("bo")),
        {"score_features": 1},
    ),
    (lambda: lambda: rates.put("USD", D("7.1"), since=TODAY, source="bank", **office("fi")), {"put_rate": 1}),
    (lambda: proposed, {"propose_blacklisting": 1}),
    (step(proposed, "stop", "cy"), {"stop": 1, "set_standing": 1}),
    (step(proposed, "approve", "cy"), {"approve": 1, "set_standing": 1}),
    (step(proposed, "decline", "cy"), {"decline": 1}),
    (step(proposed, "withdraw", "fi"), {"withdraw": 1}),
    (step(listed, "appeal", "ann"), {"appeal": 1}),
    (step(appealed, "uphold", "vi"), {"uphold": 1}),
    (step(appealed, "allow", "vi"), {"allow": 1, "propose_release": 1}),
    (step(listed, "readmit", "vi"), {"readmit": 1, "propose_release": 1}),
    (step(listed, "extend", "vi"), {"extend": 1}),
    (deciding_a_return("confirm"), {"confirm": 1, "set_standing": 1, "lift": 1}),
    (deciding_a_return("decline"), {"decline": 1, "keep": 1}),
    (lambda: lambda: agents.record(acme(), agents.NewAgent("王五", ()), **office("bo")), {"record_agent": 1}),
    (revoking, {"revoke_power": 1}),
    (lambda: tied, {"tie": 1}),
    (lambda: (lambda row: lambda: groups.tie(row, groups.NewTie(None), **office("bo")))(tied()), {"untie": 1}),
    (lambda: behind, {"add_person_tie": 1}),
    (lambda: (lambda row: lambda: persons.end(row, **office("bo")))(behind()), {"end_person_tie": 1}),
    (lambda: lambda: sharings.enter(BUREAU, **office("bo")), {"enter_sharing": 1}),
    (
        sharing(lambda row: sharings.correct(row, replace(BUREAU, purpose="a"), why="w", version=1, **office("bo"))),
        {"correct_sharing": 1},
    ),
    (sharing(lambda row: sharings.end(row, why="w", version=1, **office("bo"))), {"end_sharing": 1}),
    (lambda: written, {"write_assessment": 1}),
    (writing_again, {"write_assessment": 1, "replace_assessment": 1}),
    (assessed("review", "cy"), {"review_assessment": 1}),
    (assessed("review", "cy", again=True), {"review_assessment": 1, "replace_assessment": 1}),
    (assessed("send_back", "cy"), {"send_back_assessment": 1}),
    (closing, {"close_assessment": 1}),
    (disposing, {"dispose_assessment": 1}),
    (lambda: lambda: sign_in.put({"profile": "dengbao"}, why="audit", **office()), {"put_sign_in_rules": 1}),
    (lambda: lambda: sign_in.set_password(member("ann"), **office()), {"set_password": 1}),
]


TOLD_OTHERWISE = {"recheck"}
"""Its line is that of the new decision: check.hold or check.approve."""


@pytest.mark.parametrize(("prepared", "wanted"), ACTS, ids=["+".join(lines) for _act, lines in ACTS])
def test_an_act_leaves_its_own_lines_and_no_others(
    prepared: Callable[[], Verb], wanted: dict[str, int], open_for_business: None
) -> None:
    act = prepared()
    last = TrailEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    act()
    assert Counter(TrailEntry.objects.filter(pk__gt=last).values_list("verb", flat=True)) == wanted


def test_every_verb_of_every_flow_is_counted_here() -> None:
    counted = {verb for _act, lines in ACTS for verb in lines} | TOLD_OTHERWISE
    assert {verb for flow in flows() for verb in flow.verbs} <= counted


def test_an_act_refused_leaves_no_line_of_its_own(open_for_business: None) -> None:
    """The control: what is not done is not told as done; the refusal's own line waits for the face."""
    row, before = on_hold(), TrailEntry.objects.count()
    with pytest.raises(NotYourDuty) as refused:
        holds.release(row, reason="please", **acting("ann"))
    assert TrailEntry.objects.count() == before
    assert refused.value.trail_line.verb == "refuse"
