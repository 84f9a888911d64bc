"""Run in a home: customers who pay late; the daily run, killed behind one of its statements; what came of it."""

import json
import os
import signal
import sys
from collections import Counter
from datetime import date
from typing import Any

import django

django.setup()

from django.db import connection

from shouxin.collection import rounds
from shouxin.config import migrating
from shouxin.office import clock, posts
from shouxin.office.models import TrailEntry
from shouxin.receivables import proof
from tests.collection import world
from tests.people import acme


class KilledBehind:
    """Lets statements pass until the n-th has been carried out, then the process is dead; 0: never."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, execute: Any, statement: str, parameters: Any, many: bool, context: Any) -> Any:
        answer = execute(statement, parameters, many, context)
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def found(count: int) -> int:
    """The company, founded once: all owe since the same day, the first that was run."""
    migrating.bring_up()
    for number in range(count):
        customer = acme(code=f"F{number}", name=f"迟付{number}号商行")
        world.line("B", customer=customer)
        world.owe(doc_no=f"S-{number}", customer=customer)
    world.run(world.DUE)
    return count


def run(as_of: str, killed_behind: str = "0") -> str:
    """The daily run of a day, after the days missed; the state of the day."""
    with connection.execute_wrapper(KilledBehind(int(killed_behind))):
        try:
            return rounds.run(as_of=date.fromisoformat(as_of), by=posts.system(), at=clock.now()).status
        except rounds.AlreadyRunning:
            return "running"


def killed(*points: str) -> list[int]:
    """Runs, each in a process of its own that dies behind a statement (`DAY:NUMBER`); the signals they died of."""
    return [_killed(*point.split(":")) for point in points]


def _killed(as_of: str, behind: str) -> int:
    connection.close()
    connection.close_pool()  # no connection may be of two processes
    pid = os.fork()
    if not pid:
        run(as_of, behind)
        os._exit(0)
    return -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def came() -> dict[str, Any]:
    """What all runs together have left."""
    verbs = Counter(TrailEntry.objects.values_list("verb", flat=True))
    return {"state": world.end_state(), "trail": verbs, "differences": len(proof.differences())}


if __name__ == "__main__":
    verbs = {"found": lambda: found(int(sys.argv[2])), "run": lambda: run(*sys.argv[2:]),
             "killed": lambda: killed(*sys.argv[2:]), "came": came}  # fmt: skip
    print(json.dumps(verbs[sys.argv[1]](), default=str))
