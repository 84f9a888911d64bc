"""Callers over HTTP for the bench, in a process of their own: raw sockets kept open, so that calling costs little.

`python callers.py PORT TOKEN CALLERS SECONDS SIZE ACCOUNTS` prints how many decisions came back with a status of 2xx.
"""

import itertools
import json
import random
import socket
import sys
import threading
import time

Address = tuple[str, int]


def call(port: int, token: str, size: int, accounts: int, number: int, until: float, done: list[int]) -> None:
    """One caller: asks again as soon as she is answered."""
    chance, orders = random.Random(number), itertools.count()
    path = "/api/v1/credit-checks" if size == 1 else "/api/v1/credit-checks/batch"
    with socket.create_connection(("127.0.0.1", port)) as link:
        answers = link.makefile("rb")
        while time.time() < until:
            checks = [
                {
                    "customer": f"B{chance.randrange(accounts):06d}",
                    "order_no": f"H{number}-{until}-{next(orders)}",
                    "amount": "1.00",
                }
                for _ in range(size)
            ]
            body = json.dumps(checks[0] if size == 1 else {"checks": checks}).encode()
            link.sendall(
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            done[number] += size if answered(answers).startswith(b"2") else 0


def answered(answers) -> bytes:  # type: ignore[no-untyped-def]
    """The status of the next answer, its body read to the end."""
    status = answers.readline().split()[1]
    length = 0
    while (line := answers.readline().strip()) != b"":
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    answers.read(length)
    return bytes(status)


def main(port: int, token: str, callers: int, seconds: float, size: int, accounts: int) -> int:
    """How many decisions all callers have been answered together."""
    until, done = time.time() + seconds, [0] * callers
    threads = [
        threading.Thread(target=call, args=(port, token, size, accounts, number, until, done))
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)


if __name__ == "__main__":
    port, token, callers, seconds, size, accounts = sys.argv[1:]
    print(main(int(port), token, int(callers), float(seconds), int(size), int(accounts)))
