"""Run in a home: a small company with lines far larger than its orders; prints tokens and the customers' codes."""

import json
import sys
from decimal import Decimal

import django

django.setup()

from shouxin.config import migrating
from shouxin.credit.models import Line
from shouxin.customers.models import Customer
from shouxin.office import clock, posts, tokens
from tests.people import member


def found(count: int, limit: Decimal) -> dict[str, object]:
    """The company, founded once; limits in the customers' currency."""
    migrating.bring_up()
    today, at = clock.today(), clock.now()
    codes = [f"F{number}" for number in range(count)]
    for code in codes:
        customer = Customer.objects.create(code=code, name=f"故障{code}", currency="CNY", created_at=at)
        Line.objects.create(
            customer=customer, grade="B", limit_kind="amount", limit=limit, currency="CNY", term_days=30, since=today,
            why="faults", cause="request", policy_version=1, at=at,
        )  # fmt: skip
    manager, finance = (tokens.create(member(name), by=posts.system(), at=at)[1] for name in ("cy", "fi"))
    return {"token": manager, "finance": finance, "customers": codes}


if __name__ == "__main__":
    print(json.dumps(found(int(sys.argv[1]), Decimal(sys.argv[2]))))
