from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouxin.rules.authority import (
    RequestedLine,
    allows_amount,
    at_least,
    kind_beside,
    may_approve,
    weightiest,
    who_may,
)
from shouxin.rules.line import Limit
from shouxin.rules.policy import Grade, Post
from tests.book import book, changed

HEAD, VICE, LEGAL = Post.CREDIT_MANAGER, Post.VICE_PRESIDENT, Post.LEGAL_REPRESENTATIVE
UNLIMITED = Limit.unlimited()


def money(amount):
    return Limit.of(Decimal(amount))


def needs(total, *, grade=Grade.B, kind="new", over=False, split="0", limit=None, policy=None):
    total = money(total) if isinstance(total, str) else total
    request = RequestedLine(limit or total, grade, kind, over)
    return who_may(policy or book(), request, total, Decimal(split))


def refusals(holds, wanted, approver="cy", applicant="ann", editors=(), salesperson="ann"):
    return may_approve(holds, wanted, approver=approver, applicant=applicant, editors=editors, salesperson=salesperson)


@pytest.mark.clause("C2")
@pytest.mark.invariant("I-15")
@pytest.mark.parametrize(
    ("total", "post"),
    [
        ("0", HEAD),
        ("100000", HEAD),
        ("100000.01", VICE),
        ("1000000", VICE),
        ("1000000.01", LEGAL),
        ("9999999999999.99", LEGAL),
    ],
)
def test_the_lowest_post_that_suffices(total, post):
    assert needs(total).post is post


def test_higher_posts_may_do_what_lower_ones_may():
    assert needs("5000").posts == (HEAD, VICE, LEGAL)


@pytest.mark.parametrize(
    ("case", "why"),
    [
        pytest.param({"total": UNLIMITED}, ("amount", "unlimited"), id="unlimited"),
        pytest.param({"total": "10", "limit": UNLIMITED}, ("amount", "unlimited"), id="unlimited is asked for"),
        pytest.param({"total": "10", "grade": Grade.D}, ("amount", "grade_d"), id="grade D"),
        pytest.param({"total": "10", "over": True}, ("amount", "over_suggestion"), id="over the suggestion"),
        pytest.param(
            {"total": "10", "over": True, "grade": Grade.D}, ("amount", "grade_d", "over_suggestion"), id="two"
        ),
    ],
)
def test_cases_that_go_to_a_certain_post(case, why):
    found = needs(**case)
    assert (found.post, found.why) == (LEGAL, why)


def test_the_certain_post_is_a_setting():
    policy = changed({"approval.grade_d_by": "vice-president"})
    assert needs("10", grade=Grade.D, policy=policy).post is VICE
    assert needs("2000000", grade=Grade.D, policy=policy).post is LEGAL


@pytest.mark.clause("B2.5")
def test_taking_credit_from_a_bad_payer_does_not_wait_for_the_highest_post():
    assert needs("0", grade=Grade.D, kind="lower").post is HEAD
    assert needs("0", grade=Grade.D, kind="renewal").post is HEAD
    assert needs("0", grade=Grade.D, kind="new").post is LEGAL
    assert needs("10", grade=Grade.D, kind="renewal").post is LEGAL
    assert needs("10", grade=Grade.D, kind="lower").post is LEGAL


@pytest.mark.invariant("I-15")
def test_split_requests_are_added_up():
    assert needs("60000", split="40000").post is HEAD
    found = needs("60000", split="40000.01")
    assert (found.post, found.amount) == (VICE, money("100000.01"))


def test_nobody_may_when_no_post_reaches_so_far():
    policy = changed({"approval.authority": [{"post": "credit-manager", "amount_max": 5}]})
    found = needs("10", policy=policy)
    assert (found.post, found.posts, found.why) == (None, (), ("nobody",))
    assert refusals({HEAD: None}, found) == ("no_post",)


def test_a_certain_post_outside_the_table_is_never_reached():
    policy = changed({"approval.grade_d_by": "finance"})
    assert needs("10", grade=Grade.D, policy=policy).post is None


@pytest.mark.parametrize(
    ("total", "reserved_for", "post", "why"),
    [
        pytest.param("5000", VICE, VICE, ("amount", "exception"), id="higher than the amount asks"),
        pytest.param("2000000", VICE, LEGAL, ("amount", "exception"), id="lower than the amount asks"),
        pytest.param("5000", Post.FINANCE, None, ("nobody", "exception"), id="a post without authority"),
    ],
)
def test_a_case_reserved_to_a_post(total, reserved_for, post, why):
    found = at_least(book(), needs(total), reserved_for)
    assert (found.post, found.why) == (post, why)
    assert found.posts[:1] == ((post,) if post else ()) and set(found.posts) <= set(needs(total).posts)


def test_what_decided_before_stays_among_the_reasons():
    assert at_least(book(), needs("5000", grade=Grade.D), VICE).why == ("amount", "grade_d", "exception")


def test_no_credit_counts_as_nothing():
    assert allows_amount(Decimal(0), Limit.none())
    assert needs(Limit.none(), split="7").amount == money("7")


@pytest.mark.parametrize(("limit", "total"), [(Limit.unset(), money("5")), (money("5"), Limit.unset())])
def test_what_is_not_set_cannot_be_signed(limit, total):
    with pytest.raises(ValueError, match=r"^authority is asked for a limit that is not set$"):
        who_may(book(), RequestedLine(limit, Grade.B, "new"), total)


@pytest.mark.invariant("I-14")
@pytest.mark.parametrize(
    ("hand", "codes"),
    [
        pytest.param({}, (), id="a second person"),
        pytest.param({"applicant": "cy"}, ("own_application",), id="her own application"),
        pytest.param({"editors": {"bo", "cy"}}, ("own_edit",), id="she edited it"),
        pytest.param({"salesperson": "cy"}, ("own_customer",), id="her own customer"),
        pytest.param({"salesperson": None}, (), id="nobody sells to the customer yet"),
        pytest.param(
            {"applicant": "cy", "editors": ["cy"], "salesperson": "cy"},
            ("own_application", "own_edit", "own_customer"),
            id="all at once",
        ),
    ],
)
def test_four_eyes(hand, codes):
    assert refusals({HEAD: None}, needs("5000"), **hand) == codes


@pytest.mark.invariant("I-15")
@pytest.mark.parametrize(
    ("holds", "total", "codes"),
    [
        pytest.param({HEAD: None}, "100000", (), id="within the post"),
        pytest.param({HEAD: None}, "100000.01", ("no_post",), id="one cent above the post"),
        pytest.param({HEAD: Decimal(50000)}, "50000", (), id="within her own amount"),
        pytest.param({HEAD: Decimal(50000)}, "50000.01", ("own_amount",), id="one cent above her own amount"),
        pytest.param({HEAD: Decimal(500000)}, "200000", ("no_post",), id="an own amount never widens the post"),
        pytest.param({VICE: Decimal(0)}, "1", ("own_amount",), id="an own amount of nothing"),
        pytest.param({HEAD: Decimal(10), VICE: None}, "50000", (), id="two posts: the better one counts"),
        pytest.param({LEGAL: Decimal(10**9)}, UNLIMITED, ("own_amount",), id="unlimited is beyond every amount"),
        pytest.param({LEGAL: None}, UNLIMITED, (), id="without bound"),
        pytest.param({Post.SALES: None}, "1", ("no_post",), id="no such authority"),
        pytest.param({}, "1", ("no_post",), id="no post at all"),
    ],
)
def test_an_own_amount_narrows(holds, total, codes):
    assert refusals(holds, needs(total)) == codes


def test_all_reasons_are_given():
    assert refusals({HEAD: None}, needs("500000"), applicant="cy") == ("own_application", "no_post")


amounts = st.integers(0, 10**12).map(lambda number: Decimal(number).scaleb(-2))


@given(amounts, amounts, st.sampled_from(list(Post)), st.none() | amounts)
def test_nobody_signs_more_than_the_post_and_her_own_amount_hold(total, split, post, own):
    found = needs(Limit.of(total), split=str(split))
    bounds = {row.post: row.amount_max for row in book().approval.authority}
    if not refusals({post: own}, found):
        assert post in bounds
        assert bounds[post] is None or total + split <= bounds[post]
        assert own is None or total + split <= own


@given(amounts, st.booleans(), st.sampled_from(Grade))
def test_posts_that_suffice_are_all_from_the_lowest_up(total, over, grade):
    found = needs(Limit.of(total), over=over, grade=grade)
    table = [row.post for row in book().approval.authority]
    assert found.posts == tuple(table[table.index(found.post) :])


@given(st.decimals(0, 10**9, places=2), st.decimals(0, 10**9, places=2))
def test_what_is_asked_raises_lowers_or_renews_what_is_held(asked, held):
    kind = kind_beside(asked, held)
    assert kind == {1: "raise", 0: "renewal", -1: "lower"}[(asked > held) - (asked < held)]


@pytest.mark.parametrize(
    ("kinds", "found"),
    [("lower raise", "raise"), ("renewal lower", "renewal"), ("raise new", "new"), ("lower", "lower")],
)
def test_of_several_things_a_request_is_what_may_take_the_higher_signature(kinds, found):
    assert weightiest(kinds.split()) == found == weightiest(kinds.split()[::-1])
