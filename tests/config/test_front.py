"""The front: bodies are taken in before a thread works on them, and nobody who is slow holds one."""

import contextlib
import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import houses

from . import http2

pytestmark = [pytest.mark.invariant("T5")]
SLOW = b"Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nlogin="


@contextlib.contextmanager
def probe(**more: str) -> Iterator[int]:
    """The bare application behind the front in a server of its own; answers its port."""
    port = houses.free_port()
    words = ["--interface", "asginl", "--workers", "1", "--log-level", "error", "--workers-kill-timeout", "5"]
    command = [sys.executable, "-m", "granian", *words, "--port", str(port), "tests.config.probe_front:served"]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(command, env={**os.environ, **more}, cwd=root)
    try:
        assert houses.soon(lambda: quick(port) or process.poll() is not None, 60 * houses.busy())
        assert process.poll() is None
        yield port
    finally:
        process.terminate()
        assert process.wait(30) == 0


def quick(port: int) -> Any:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return asked(port, "GET", "/quick", seconds=2 * houses.busy())
    return None


def asked(port: int, method: str, path: str, body: Any = None, seconds: float = 30.0, **headers: str) -> dict[str, Any]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    with contextlib.closing(link):
        link.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
        found: dict[str, Any] = json.loads(link.getresponse().read())
        return found


def opened(port: int, said: bytes) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), 30)
    link.sendall(said)
    return link


def head(words: str, *headers: str) -> bytes:
    """A request's first line and headers, after which the connection ends."""
    return "\r\n".join([f"{words} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]).encode()


def rest(link: socket.socket, seconds: float = 30.0) -> bytes:
    """Everything until the other side closes."""
    link.settimeout(seconds)
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while more := link.recv(65536):
            found += more
    link.close()
    return found


def held(links: list[socket.socket]) -> int:
    """How many the server has neither answered nor closed."""
    count = 0
    for link in links:
        link.setblocking(False)
        try:
            link.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with probe() as found:
        yield found


# --- what is taken in ----------------------------------------------------------------------------


def test_a_large_body_arrives_byte_for_byte(port: int) -> None:
    body = os.urandom(15 << 20)
    told = asked(port, "POST", "/echo", body)
    assert (told["length"], told["got"]) == (str(len(body)), len(body))
    assert told["digest"] == hashlib.sha256(body).hexdigest()


def test_a_body_in_chunks_arrives_with_its_length(port: int) -> None:
    told = asked(port, "POST", "/echo", iter([b"abc", b"defg"]))
    assert (told["length"], told["got"]) == ("7", 7)


def test_a_body_longer_than_announced_is_cut_there_and_the_rest_is_no_request(port: int) -> None:
    link = opened(port, b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabcdefgh\r\n\r\n")
    answers = rest(link)
    assert b'"got": 3' in answers and answers.count(b"HTTP/1.1 200") == 1 and b"HTTP/1.1 400" in answers


def test_requests_one_after_the_other_without_waiting_are_answered_in_their_order(port: int) -> None:
    each = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {0}\r\n{1}\r\n{2}"
    said = "".join(each.format(n, "" if n < 3 else "Connection: close\r\n", "x" * n) for n in (1, 2, 3))
    answers = rest(opened(port, said.encode()))
    assert [answers.index(f'"got": {n}'.encode()) for n in (1, 2, 3)] == sorted(
        answers.index(f'"got": {n}'.encode()) for n in (1, 2, 3)
    )


def test_whoever_asks_first_whether_to_go_on_is_told_so(port: int) -> None:
    link = opened(port, head("POST /echo", "Expect: 100-continue", "Content-Length: 3"))
    assert link.recv(100).startswith(b"HTTP/1.1 100 Continue")
    link.sendall(b"abc")
    assert b'"got": 3' in rest(link)
    refused = rest(opened(port, head("POST /echo", "Expect: 100-continue", f"Content-Length: {100 << 20}")))
    assert refused.startswith(b"HTTP/1.1 413"), "before anything is sent"


def test_a_body_that_is_or_turns_out_too_large_is_refused(port: int) -> None:
    said = rest(opened(port, head("POST /api/v1/x", "Content-Length: 99999999999", "X-Request-ID: front-12345")))
    assert said.startswith(b"HTTP/1.1 413") and b'"code": "too_large"' in said and b"front-12345" in said
    link = opened(port, head("POST /api/v1/x", "Transfer-Encoding: chunked"))
    sent = 0
    with contextlib.suppress(OSError):
        for _ in range(200):
            link.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
            sent += 1
    assert 64 <= sent < 200 and quick(port)


LARGE = f"Content-Length: {60 << 20}\r\n\r\n".encode()
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + bytes(65536) + b"\r\n") * 3
"""A body that says it is large, and one that turns out to be."""


@pytest.mark.parametrize("body", [LARGE, CHUNKED], ids=["announced", "chunked"])
@pytest.mark.parametrize("path", ["/form/used", "/%66orm/used"])
def test_a_form_that_cannot_be_opened_says_so_before_its_body_is_sent(port: int, path: str, body: bytes) -> None:
    link = opened(port, f"POST {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + body)
    said = rest(link, 2 * houses.busy())
    assert said.startswith(b"HTTP/1.1 410") and said.endswith(b"used") and b"connection: close" in said.lower()


def test_a_form_that_can_be_opened_takes_its_body(port: int) -> None:
    body = os.urandom(15 << 20)
    told = asked(port, "POST", "/form/live", body)
    assert (told["method"], told["got"]) == ("POST", len(body))
    assert asked(port, "POST", "/form/live", iter([b"abc", b"defg"]))["got"] == 7


@pytest.mark.parametrize("body", [LARGE, CHUNKED], ids=["announced", "chunked"])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_a_large_body_of_nobody_is_turned_away_at_the_door(port: int, method: str, body: bytes) -> None:
    link = opened(port, f"{method} /desk?a=1 HTTP/1.1\r\nHost: localhost\r\n".encode() + body)
    said = rest(link, 2 * houses.busy())
    assert said.startswith(b"HTTP/1.1 302") and b"location: /sign-in" in said.lower()


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_over_http2_too(port: int, method: str) -> None:
    taken, answered = http2.send(port, method, "/desk", 40 << 20)
    assert answered and taken < 4 << 20
    assert http2.send(port, method, "/desk", 40 << 20, cookie="known") == (40 << 20, True)


def test_a_small_body_of_nobody_needs_no_length(port: int) -> None:
    assert asked(port, "POST", "/desk", iter([b"abc", b"defg"]))["got"] == 7


def test_large_bodies_leave_room_for_small_ones_and_for_other_addresses() -> None:
    said = "POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {}\r\nContent-Length: {}\r\n\r\n"
    with probe(
        PROBE_SHARE_MAX=str(1 << 20), PROBE_LARGE_MAX=str(2 << 20), PROBE_SECONDS="20", PROBE_PROXIES="1"
    ) as port:

        def half_sent(address: str) -> socket.socket:
            return opened(port, said.format(address, 1_000_000).encode() + bytes(900_000))

        links = [half_sent("1.1.1.1"), half_sent("2.2.2.2")]
        assert houses.soon(lambda: (quick(port) or {}).get("held") == 1_800_000, 15 * houses.busy())
        assert rest(half_sent("1.1.1.1")).startswith(b"HTTP/1.1 503"), "one address has its share"
        assert rest(half_sent("3.3.3.3")).startswith(b"HTTP/1.1 503"), "and all have theirs"
        assert asked(port, "POST", "/echo", bytes(1000))["got"] == 1000
        links[0].setblocking(True)
        links[0].sendall(bytes(100_000))
        assert links[0].recv(100).startswith(b"HTTP/1.1 200")
        assert asked(port, "POST", "/echo", bytes(900_000))["got"] == 900_000, "what has come in leaves room"


def test_a_body_that_stops_is_cut_however_much_has_come(port: int) -> None:
    began = time.monotonic()
    link = opened(port, b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" + bytes(8_000_000))
    assert rest(link, 60).startswith(b"HTTP/1.1 408") and time.monotonic() - began < 20 * houses.busy()


@pytest.mark.parametrize("who", ["known", "narrow"])
def test_a_large_body_of_somebody_comes_in(port: int, who: str) -> None:
    body = os.urandom(1 << 20)
    told = asked(port, "POST", "/desk?a=1", body, Cookie=who)
    assert (told["method"], told["path"], told["got"]) == ("POST", "/desk", len(body))


def test_cookies_and_proxies_reach_the_application_joined_and_no_header_passes_for_another(port: int) -> None:
    sent = ("Cookie: a=1", "Cookie: b=2", "X-Forwarded-For: 1.1.1.1", "X_Forwarded_For: 6.6.6.6")
    answer = rest(opened(port, head("GET /echo", *sent)))
    told = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    assert (told["cookie"], told["forwarded"]) == ("a=1; b=2", "1.1.1.1")
    assert answer.lower().count(b"set-cookie:") == 2


@pytest.mark.parametrize(
    "said", [b"Content-Length: 1000\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
def test_a_request_whose_caller_hangs_up_halfway_is_not_carried_out(port: int, said: bytes) -> None:
    link = opened(port, b"POST /flood?1 HTTP/1.1\r\nHost: localhost\r\n" + said)
    before = len(asked(port, "GET", "/quick")["ended"])
    link.close()
    time.sleep(0.5)
    assert len(asked(port, "GET", "/quick")["ended"]) == before


# --- what does not come --------------------------------------------------------------------------


def test_chunks_without_end_are_cut(port: int) -> None:
    link = opened(port, head("POST /echo", "Transfer-Encoding: chunked"))
    began = time.monotonic()
    link.setblocking(False)
    while not (answer := _peeked(link)) and time.monotonic() - began < 20 * houses.busy():
        with contextlib.suppress(OSError):
            link.send(b"1\r\nx\r\n")
        time.sleep(0.1)
    assert answer.startswith(b"HTTP/1.1 408") and time.monotonic() - began > 1.5
    link.close()


def _peeked(link: socket.socket) -> bytes:
    try:
        return link.recv(4096)
    except BlockingIOError:
        return b""


def test_a_slow_line_that_keeps_up_is_waited_for(port: int) -> None:
    """Twice the time of a body, with more bytes than it must keep up with."""
    size, steps = 100_000, 20
    link = opened(
        port, f"POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n".encode()
    )
    for _ in range(steps):
        time.sleep(0.2)
        link.sendall(bytes(size // steps))
    assert f'"got": {size}'.encode() in rest(link)


def test_an_address_has_only_so_many_waiting_and_others_go_on() -> None:
    said = "POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {}\r\nContent-Length: 9\r\n\r\nx"
    with probe(PROBE_WAITING_MAX="4", PROBE_SECONDS="20", PROBE_PROXIES="1") as port:
        links = [opened(port, said.format("9.9.9.9, 1.1.1.1").encode()) for _ in range(7)]
        assert houses.soon(lambda: held(links) == 4, 15 * houses.busy()), held(links)
        refused = [rest(link) for link in links if not held([link])]
        assert len(refused) == 3 and all(each.startswith(b"HTTP/1.1 503") for each in refused)
        other = opened(port, said.format("9.9.9.9, 2.2.2.2").encode())
        time.sleep(2)
        assert held([other]) == 1, "the count is of one address, as the trusted proxy saw it"
        other.setblocking(True)
        other.sendall(bytes(8))
        assert other.recv(100).startswith(b"HTTP/1.1 200")


# --- what is told --------------------------------------------------------------------------------


def test_an_answer_in_pieces_comes_as_it_is_made(port: int) -> None:
    link = opened(port, head("GET /steps?5"))
    began, found, came = time.monotonic(), b"", []
    while more := link.recv(4096):
        found += more
        came.append(time.monotonic() - began)
    assert b"0;" in found and b"4;" in found
    assert came[-1] - came[0] > 0.6, "the first was here before the last was made"


def test_slow_readers_hold_no_thread_and_those_that_hang_up_end_their_answer() -> None:
    with probe() as port:
        ask = head("GET /flood?400")
        readers = [opened(port, ask) for _ in range(6)]
        assert houses.soon(lambda: len(asked(port, "GET", "/quick")["ended"]) == 6, 30 * houses.busy())
        assert rest(opened(port, ask), 60).count(b"\0") == 400 * 65536
        for link in readers:
            link.close()
        endless = opened(port, head("GET /flood?99999999"))
        endless.recv(4096)
        endless.close()
        assert houses.soon(lambda: len(asked(port, "GET", "/quick")["ended"]) == 8, 30 * houses.busy())


def test_whoever_reads_nothing_of_an_answer_without_end_is_left_after_a_while() -> None:
    with probe(PROBE_READER_SECONDS="5") as port:
        readers = [opened(port, head("GET /flood?99999999")) for _ in range(2)]
        assert houses.soon(lambda: len((quick(port) or {"ended": ()})["ended"]) == 2, 60 * houses.busy())
        for link in readers:
            link.close()


def test_an_answer_that_breaks_off_is_not_taken_for_whole(port: int) -> None:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    link.request("GET", "/breaks?2")
    with pytest.raises((http.client.IncompleteRead, OSError)):
        link.getresponse().read()
    link.close()


def test_what_breaks_is_told_as_such(port: int) -> None:
    assert rest(opened(port, b"GET /broken HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).startswith(
        b"HTTP/1.1 500"
    )


# --- the house -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = houses.furnish(tmp_path_factory.mktemp("front"))
    yield home
    houses.stop_database(home)


@pytest.fixture(scope="module")
def company(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = houses.module(home, "tests.faults.in_home.company", "2", "9000000.00")
    return found


@pytest.fixture(scope="module")
def house(home: Path, company: dict[str, Any]) -> Iterator[int]:
    with houses.open_house(home, "--no-worker", SHOUXIN_BODY_SECONDS="8") as (_minder, port):
        yield port


def figures(port: int) -> str:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(link):
        link.request("GET", "/metrics")
        return link.getresponse().read().decode()


def flood(port: int, count: int = 40) -> list[socket.socket]:
    return [opened(port, b"POST /accounts/login/ HTTP/1.1\r\n" + SLOW) for _ in range(count)]


def goes_on(port: int, company: dict[str, Any]) -> bool:
    """Whether life, readiness and decisions are answered within two seconds each (on a machine of our own)."""
    patience = 2.0 * houses.busy()
    headers = {"Authorization": f"Bearer {company['token']}"}
    order = {"customer": company["customers"][0], "order_no": f"F{time.monotonic_ns()}", "amount": "1.00"}
    calls: list[tuple[Any, ...]] = [
        ("GET", "/healthz"), ("GET", "/readyz"), ("POST", "/api/v1/credit-checks", order),
    ]  # fmt: skip
    told = [houses.call(port, *call, seconds=patience, **headers)[0] for call in calls]
    return told == [200, 200, 201]


def test_slow_bodies_stop_nobody_and_are_cut(home: Path, house: int, company: dict[str, Any]) -> None:
    assert goes_on(house, company)
    links = flood(house)
    time.sleep(2)
    for link in links:
        link.sendall(b"x")
    assert held(links) == len(links) and goes_on(house, company)
    answers = [rest(link, 30 * houses.busy()) for link in links]
    assert all(each.startswith(b"HTTP/1.1 408") and b"connection: close" in each.lower() for each in answers)
    assert 'shouxin_bodies_cut_total{status="408"} 40.0' in figures(house)
    assert houses.log_of(home).read_text().count('"body cut"') == 40


def test_an_upload_of_fifteen_megabytes_arrives_whole(house: int, company: dict[str, Any]) -> None:
    content = "".join(f"X{n},{n}\n" for n in range(1_200_000)).encode()[: 15 << 20]
    edge, named = (
        "front-edge",
        'Content-Disposition: form-data; name="file"; filename="x.csv"\r\nContent-Type: text/csv',
    )
    body = f"--{edge}\r\n{named}\r\n\r\n".encode() + content + f"\r\n--{edge}--\r\n".encode()
    kind = f"multipart/form-data; boundary={edge}"
    headers = {"Authorization": f"Bearer {company['token']}", "Content-Type": kind}
    link = http.client.HTTPConnection("127.0.0.1", house, timeout=120)
    link.request("POST", "/api/v1/imports/invoices", body, headers)
    answer = link.getresponse()
    told = json.loads(answer.read())
    assert answer.status == 202, told
    assert (len(content), told["digest"]) == (15 << 20, hashlib.sha256(content).hexdigest())


def test_a_link_that_is_none_takes_no_large_file(house: int) -> None:
    for path in ("/credit/form/forged", "/credit/reference/forged"):
        length = f"Host: localhost\r\nContent-Length: {60 << 20}"
        said = rest(opened(house, f"POST {path} HTTP/1.1\r\n{length}\r\n\r\n".encode()), 4 * houses.busy())
        assert said.startswith(b"HTTP/1.1 404") and b"<html" in said


@pytest.mark.parametrize(
    ("path", "sent", "answer"),
    [
        ("/accounts/login/", "", b"302"),
        ("/imports/new", "Cookie: sessionid=forged\r\n", b"302"),
        ("/nowhere", "", b"302"),
        ("/api/v1/imports", "", b"401"),
        ("/api/v1/imports", "Authorization: Bearer forged\r\n", b"401"),
    ],
)
def test_a_stranger_sends_nothing_large(house: int, path: str, sent: str, answer: bytes) -> None:
    length = f"Host: localhost\r\n{sent}Content-Length: {60 << 20}"
    said = rest(opened(house, f"POST {path} HTTP/1.1\r\n{length}\r\n\r\n".encode()), 4 * houses.busy())
    assert said.startswith(b"HTTP/1.1 " + answer), said[:300]


def test_methods_that_do_not_exist_share_one_figure(house: int) -> None:
    for number in range(30):
        assert rest(opened(house, head(f"M{number} /healthz"))).startswith(b"HTTP/1.1 4")
    told = figures(house)
    assert 'method="M' not in told
    (line,) = [each for each in told.splitlines() if each.startswith('shouxin_request_seconds_count{method="other"')]
    assert line.endswith(" 30.0")


def test_the_control_slow_bodies_with_time_stay_and_still_stop_nobody_nor_the_end(
    home: Path, company: dict[str, Any]
) -> None:
    with houses.open_house(home, "--no-worker", SHOUXIN_BODY_SECONDS="3600") as (minder, port):
        links = flood(port)
        for _ in range(3):
            assert goes_on(port, company)
            time.sleep(2)
        assert held(links) == len(links)
        minder.terminate()
        assert minder.wait(25 * houses.busy()) == 0
        for link in links:
            link.close()
