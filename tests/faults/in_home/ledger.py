"""Run in a home: what its database holds of the orders, read past the product's own faces; prints it."""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import django

django.setup()

from shouxin.credit.models import Reservation
from shouxin.orders.models import CreditDecision
from shouxin.receivables import proof


def held() -> dict[str, Any]:
    """Order -> its decisions and what it reserves; how many buckets the proof finds to differ."""
    orders: dict[str, dict[str, Any]] = defaultdict(lambda: {"decisions": [], "reserved": Decimal("0.00")})
    for number, pk in CreditDecision.objects.order_by("id").values_list("order_no", "id"):
        orders[number]["decisions"].append(pk)
    for number, reserved in Reservation.objects.values_list("order_no", "reserved"):
        orders[number]["reserved"] += reserved
    return {"orders": orders, "differences": len(proof.differences())}


if __name__ == "__main__":
    print(json.dumps(held(), default=str))
