"""Callers that write down what they asked and what they were told, and the judgement of it afterwards.

Every call is ok (2xx: promised for ever), refused (a documented 503 with Retry-After, nothing promised), or unknown
(no answer: it may have happened or not). Whatever else comes is a fault of the house.
"""

import http.client
import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import houses

AWAY = (OSError, http.client.HTTPException)
CHECKS = "/api/v1/credit-checks"
CARELESS = os.pathsep.join([str(Path(__file__).with_name("careless")), houses.surroundings(Path("/"))["PYTHONPATH"]])
"""The path of a house without its guards of durability, for controls."""


@dataclass
class Call:
    """One order and what was answered; `seconds` it took."""

    body: dict[str, Any]
    key: str
    status: int = 0
    answer: Any = None
    seconds: float = 0.0
    retry_after: str | None = None

    @property
    def ok(self) -> bool:
        return self.status == 201

    @property
    def refused(self) -> bool:
        return self.status == 503 and bool(self.retry_after)

    @property
    def unknown(self) -> bool:
        return self.status == 0


@dataclass
class Load:
    """`callers` threads that send orders to a port until told to stop; with a seed, to be repeated."""

    port: Callable[[], int]
    token: str
    customers: list[str]
    callers: int = 4
    keyed: bool = True
    pause: float = 0.0
    seed: int = 0
    calls: list[Call] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self.threads = [threading.Thread(target=self._go, args=(n,)) for n in range(self.callers)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_why: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _go(self, caller: int) -> None:
        dice = random.Random(f"{self.seed}/{caller}")
        while not self.over.is_set():
            number = f"SO-{self.seed}-{next(self.numbers)}"
            body = {"customer": dice.choice(self.customers), "order_no": number, "amount": "100.00"}
            one = self.send(Call(body, f"key-{number}"))
            self.calls.append(one)
            if not one.ok:
                time.sleep(0.4)
            time.sleep(self.pause)

    def send(self, one: Call, seconds: float = 20.0) -> Call:
        """Send it (again, under its own key) and write down what came."""
        began = time.monotonic()
        keyed = {"Idempotency_Key": one.key} if self.keyed else {}
        try:
            bearer = f"Bearer {self.token}"
            one.status, one.answer, headers = houses.call(
                self.port(), "POST", CHECKS, one.body, seconds=seconds, Authorization=bearer, **keyed
            )
            one.retry_after = headers.get("Retry-After") or headers.get("retry-after")
        except AWAY:
            one.status = 0
        one.seconds = time.monotonic() - began
        return one

    def faults(self) -> list[Call]:
        """Answers nobody documented."""
        return [one for one in self.calls if not (one.ok or one.refused or one.unknown)]

    def told(self) -> Counter[str]:
        """How often each kind of answer came."""
        return Counter("ok" if one.ok else "unknown" if one.unknown else str(one.status) for one in self.calls)

    def settle(self) -> None:
        """Ask again, under the same key, for everything not answered: now the house is calm and must answer."""
        for one in self.calls:
            for _again in range(50):
                if one.ok:
                    break
                self.send(one)
                if not one.ok:
                    time.sleep(0.2)
            assert one.ok, (one.body, one.status, one.answer)


def judge(home: Any, load: Load) -> dict[str, int]:
    """What was promised against what is there: answers lost, doubled and changed decisions, doubled reservations."""
    kept = houses.module(home, "tests.faults.in_home.ledger")
    promised = {one.body["order_no"]: one.answer for one in load.calls if one.ok}
    lost = [number for number in promised if number not in kept["orders"]]
    rows = {number: kept["orders"][number] for number in promised if number in kept["orders"]}
    return {
        "lost": len(lost),
        "doubled": sum(len(each["decisions"]) > 1 for each in rows.values()),
        "changed": sum(promised[number]["id"] not in each["decisions"] for number, each in rows.items()),
        "reserved_twice": sum(each["reserved"] != "100.00" for each in rows.values()),
        "strangers": len(kept["orders"].keys() - {one.body["order_no"] for one in load.calls}),
        "proof": kept["differences"],
    }


CLEAN = {"lost": 0, "doubled": 0, "changed": 0, "reserved_twice": 0, "strangers": 0, "proof": 0}
