"""Names: what two spellings share, whom a name on a paper means, and finding by what people type."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from shouxin.customers import names, registry, search
from shouxin.customers.models import Customer
from shouxin.office import clock
from shouxin.office.models import Person
from tests.people import TODAY, acme


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("上海艾克米机械有限公司", ("上海", "艾克米机械")),
        ("上海市浦东新区艾克米机械（集团）股份有限公司", ("上海", "艾克米机械")),
        ("艾克米机械（上海）有限责任公司", ("上海", "艾克米机械")),
        ("ＡＣＭＥ Trading Co., Ltd.", ("", "acmetrading")),
        ("华为技术有限公司", ("", "华为技术")),
        ("公司", ("", "")),
    ],
)
def test_the_core_of_a_name(name: str, core: tuple[str, str]) -> None:
    assert names.core(name) == core


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("上海艾克米机械有限公司", "艾克米机械（上海）股份有限公司", True, id="other legal form"),
        pytest.param("艾克米机械有限公司", "上海艾克米机械有限公司", True, id="place left out"),
        pytest.param("上海艾克米机械设备有限公司", "上海艾克米机械设各有限公司", True, id="one character misread"),
        pytest.param("上海艾克米机械有限公司", "北京艾克米机械有限公司", False, id="another place"),
        pytest.param("上海艾克米机械有限公司", "上海宏达贸易有限公司", False, id="another company"),
    ],
)
def test_whether_a_person_should_look(one: str, other: str, same: bool) -> None:
    assert (names.alike(one, other) >= names.ALIKE_MIN) is same


def found(text: str) -> list[str]:
    """The codes of the customers found by what somebody typed."""
    return sorted(search.find(text, Q()).values_list("code", flat=True))


@pytest.fixture
def register(cy: Person) -> None:
    for code, name, short in [
        ("C00012", "重庆华联机械有限公司", "重华"), ("K7-09", "上海艾克米机械有限公司", "ACME"),
        ("C00300", "西安长安汽车有限公司", ""), ("C00301", "吕梁绿源食品有限公司", ""),
        ("C00302", "广西安居置业有限公司", ""),
    ]:  # fmt: skip
        registry.create(code=code, name=name, short_name=short, by=cy, on=TODAY, at=clock.now())


@pytest.mark.django_db
@pytest.mark.usefixtures("register")
@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        pytest.param("华联", ["C00012"], id="two characters in the middle"),
        pytest.param("庆", ["C00012"], id="one character"),
        pytest.param("重庆华联机械有限公司", ["C00012"], id="the whole name"),
        pytest.param("联华", [], id="the characters the other way round"),
        pytest.param("chongqing", ["C00012"], id="pinyin"),
        pytest.param("zhongqing", ["C00012"], id="pinyin, the character's other reading"),
        pytest.param("CHONGQINGHUALIAN", ["C00012"], id="pinyin in capitals"),
        pytest.param("chongqi", ["C00012"], id="pinyin still being typed"),
        pytest.param("hualianji", ["C00012"], id="pinyin from the middle"),
        pytest.param("qinghe", [], id="pinyin of other characters"),
        pytest.param("cqhl", ["C00012"], id="initials"),
        pytest.param("hljx", ["C00012"], id="initials from the middle"),
        pytest.param("zqhl", ["C00012"], id="initials by the other reading"),
        pytest.param("xian", ["C00300", "C00302"], id="xi'an, of two places"),
        pytest.param("changan", ["C00300"], id="an apostrophe nobody types"),
        pytest.param("lvliang", ["C00301"], id="ü typed v"),
        pytest.param("c00012", ["C00012"], id="code"),
        pytest.param("C0001", ["C00012"], id="code begun"),
        pytest.param("12", ["C00012"], id="the number of the code"),
        pytest.param("k7-09", ["K7-09"], id="code with a hyphen"),
        pytest.param("acm", ["K7-09"], id="latin word begun"),
        pytest.param("acme 机械", ["K7-09"], id="two words, both found"),
        pytest.param("acme 汽车", [], id="two words, one not found"),
        pytest.param("acme机械", ["K7-09"], id="both in one word"),
        pytest.param("ＡＣＭＥ", ["K7-09"], id="full width"),
        pytest.param("%", [], id="nothing to look for"),
        pytest.param("' OR 1=1 --", [], id="nothing to inject into"),
    ],
)
def test_what_people_type(typed: str, codes: list[str]) -> None:
    assert found(typed) == codes


@pytest.mark.django_db
@pytest.mark.usefixtures("register")
def test_a_renamed_customer_is_found_by_both_names(cy: Person) -> None:
    customer = Customer.objects.get(code="C00012")
    registry.change(customer, name="成都天府机械有限公司", by=cy, on=TODAY, at=clock.now())
    assert found("天府") == found("重庆") == found("tianfu") == ["C00012"]


@pytest.mark.django_db
def test_keys_written_by_the_batch_are_the_same(cy: Person, django_assert_max_num_queries: Any) -> None:
    one = registry.create(name="重庆华联机械有限公司", by=cy, on=TODAY, at=clock.now())
    registry.add_name(one, "渝华联", source="import", by=cy, on=TODAY, at=clock.now())
    kept = Customer.objects.get().search_keys
    Customer.objects.update(search_keys=[])
    with django_assert_max_num_queries(4):
        assert search.recompute(Customer.objects.all()) == 1
    assert Customer.objects.get().search_keys == kept
    assert "渝华" in kept


@pytest.mark.django_db
def test_the_keys_of_a_name_stay_few(cy: Person) -> None:
    longest = registry.create(name="长行重乐" * 12, by=cy, on=TODAY, at=clock.now())
    assert len(longest.search_keys) < 400
    assert max(map(len, longest.search_keys)) <= search.KEY_LENGTH


@pytest.mark.django_db
def test_search_can_be_answered_by_the_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a handful of rows is read through faster,
        cursor.execute("DROP INDEX customer_listed")  # and so is this one, which counts read
    for text in ("重庆", "chongqing"):
        assert "customer_search" in Customer.objects.filter(search._wanted(text)).explain()


# --- whom a name means ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_names_on_papers_mean_customers(django_assert_num_queries: Any) -> None:
    one, two, three = (acme(code=f"C{number}", name=name) for number, name in enumerate(["甲", "乙（上海）", "甲"]))
    one.other_names.create(name="旧名", source="import", since=TODAY)
    two.other_names.create(name="甲", source="import", since=TODAY)
    with django_assert_num_queries(2):
        meant = names.resolve(["甲", "乙(上海)", "旧名", "没有", " 旧名 "])
    assert meant == {
        "甲": (one.pk, three.pk), "乙(上海)": (two.pk,), "旧名": (one.pk,), "没有": (), " 旧名 ": (one.pk,)
    }  # fmt: skip


@pytest.mark.invariant("I-33")
@pytest.mark.django_db
def test_a_name_out_of_sight_means_nobody() -> None:
    one = acme(name="甲")
    one.other_names.create(name="旧名", source="import", since=TODAY)
    assert names.resolve(["甲", "旧名"], Q(department="华南")) == {"甲": (), "旧名": ()}
