"""Related parties of the demo company: groups as trees, one with a pool in force, persons, powers, a case on appeal."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shouxin.credit.models import Line
from shouxin.customers import agents, blacklist, facts, groups, persons
from shouxin.customers.models import Customer, Fact
from shouxin.office import policies
from shouxin.office.models import Person
from shouxin.rules import groups as tree
from shouxin.rules.days import add_months

from .company import DemoCustomer

CONTROLLER = "11010519491231002X"
"""An identity number of the standard's own example, nobody's."""
KINDS = (("subsidiary", Decimal(80)), ("branch", None), ("controlled", None))


class Related:
    """One loading of what lies between customers."""

    def __init__(self, customers: Sequence[DemoCustomer], ids: Mapping[str, int], *, today: date, at: datetime) -> None:
        self.customers, self.ids, self.today, self.at = customers, ids, today, at

    def _by(self, name: str) -> dict[str, Any]:
        return {"by": Person.objects.get(username=name), "on": self.today, "at": self.at}

    def _customer(self, code: str) -> Customer:
        return Customer.objects.get(pk=self.ids[code])

    def groups(self) -> None:
        """Members hang beneath their heads; the first group has a branch of its subsidiary and a pool in force."""
        members = [each for each in self.customers if each.group_head]
        ties = [
            tree.Tie(self.ids[each.code], self.ids[each.group_head], *KINDS[number % len(KINDS)])
            for number, each in enumerate(members)
        ]
        if members:
            ties.append(self._branch(members[0]))
        groups.tie_many(ties, source="demo", **self._by("bo"))

    def _branch(self, subsidiary: DemoCustomer) -> tree.Tie:
        """The fourth member: the last customer that belongs to nobody."""
        heads = {each.group_head for each in self.customers}
        alone = [each for each in self.customers if not each.group_head and each.code not in heads]
        return tree.Tie(self.ids[alone[-1].code], self.ids[subsidiary.code], "branch", None)

    def pool(self) -> None:
        """One limit for the first group, in force."""
        head = next(
            (each for each in self.customers if any(one.group_head == each.code for one in self.customers)), None
        )
        if head is None:
            return
        Line.objects.create(
            customer_id=self.ids[head.code], grade=head.habit.grade, limit_kind="amount", limit=head.limit * 4,
            currency="CNY", term_days=head.term_days, since=add_months(self.today, -3),
            until=add_months(self.today, 9), pool=True, why="集团共用额度 one limit for the group", cause="request",
            requested_by=self._by("ann")["by"], approved_by=self._by("le")["by"], policy_version=1, at=self.at,
        )  # fmt: skip

    def people_and_powers(self) -> None:
        """A controller of two companies, three powers of attorney of which one has expired, a look at the register."""
        first, second = (self._customer(each.code) for each in self.customers[2:4])
        for customer in (first, second):
            persons.add(customer, "钱志远", "controller", id_number=CONTROLLER, percent=Decimal(60), **self._by("bo"))
        day = self.today
        powers = [
            ("王立新", ("place_order", "take_delivery"), -60, 300, Decimal(50000), True),
            ("赵敏", ("sign_contract", "confirm_debt"), -340, 20, Decimal(200000), True),
            ("孙海", ("place_order",), -400, -35, None, True),
            ("李悦", ("negotiate",), -5, 360, None, False),
        ]
        for name, matters, since, until, amount, seen in powers:
            power = agents.NewAgent(
                name, matters, scope="轴承及配件的日常采购", since=day + timedelta(since), until=day + timedelta(until),
                amount_max=amount, sealed=True, original_seen=seen, evidence="档案室 A-3 柜",
            )  # fmt: skip
            agents.record(first, power, **self._by("bo"))
        known = {"registration_status": "in_business", "licence_until": "长期", "scope_covers": True,
                 "abnormal_operation": False, "dishonest_debtor": False, "serious_offender": False}  # fmt: skip
        moment = {"source": "registry", "as_of": add_months(self.today, -1), **self._by("bo")}
        Fact.objects.bulk_create(facts.checked(first.pk, key, value, **moment) for key, value in known.items())

    def case(self) -> None:
        """Proposed by finance, signed by the vice-president, objected to by the customer: the appeal waits."""
        failing = [each for each in self.customers if each.habit.name == "failing"]
        if len(failing) < 3:
            return
        customer, edition = self._customer(failing[2].code), policies.in_force(self.today)
        asked = blacklist.Proposal(
            "malicious_default",
            "三次书面承诺付款均未履行，账户有资金往来，有能力而拒不付款。",
            "1. 对账函及回执；2. 三份付款承诺书；3. 催款函与送达证明。",
            persons=(blacklist.Named("吴德昌"),),
        )
        case = blacklist.propose(customer, asked, edition=edition, **self._by("fi"))
        case = blacklist.approve(case, version=case.version, reason="证据充分", edition=edition, **self._by("vi"))
        reason = "我司已于本月付清其中两笔，余款因质量争议暂缓，请求撤销。"
        blacklist.appeal(case, version=case.version, reason=reason, **self._by("ann"))
