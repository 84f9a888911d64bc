"""Webhooks: told in the act's transaction, signed, retried, in the owner's sight, and never to a private address."""

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from shouxin.customers import data_requests, standing
from shouxin.customers.models import Customer
from shouxin.lib import outgoing
from shouxin.office import posts, trail
from shouxin.office.models import Delivery, Person, TrailEntry, Webhook
from shouxin.office.refusals import Moved
from shouxin.office.webhooks import events, hooks, sending
from tests.api import Caller
from tests.people import TODAY, acme

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class Listener:
    """A program that is told: what came in, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.location = ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.connected = 0
        accept = self.server.get_request

        def counted() -> Any:
            found = accept()
            self.connected += 1
            return found

        self.server.get_request = counted  # type: ignore[method-assign]
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def allowed(settings: Any) -> None:
    """The installation allows its own machine."""
    settings.WEBHOOK_NETWORKS = LOOPBACK


def act(person: Person) -> dict[str, Any]:
    return {"by": person, "on": TODAY, "at": timezone.now()}


def hook(by: Person, url: str, *told: str, **options: Any) -> Webhook:
    return hooks.create(url, told or tuple(events.EVENTS), **options, **act(by))


def watch(customer: Customer, by: Person, stand: str = "watched") -> None:
    standing.set_standing(customer, stand, why="迟付", **act(by))


def due_now() -> None:
    """Time passes until everything that waits is due."""
    Delivery.objects.filter(status="waiting").update(next_at=timezone.now() - timedelta(seconds=1))


# --- telling -------------------------------------------------------------------------------------


def test_a_change_of_standing_is_told_signed(listener: Listener, allowed: None, cy: Person) -> None:
    customer, made = acme(), hook(cy, listener.url, "standing.changed")
    watch(customer, cy)
    assert sending.send_waiting() == sending.Sent(sent=1)
    ((headers, body),) = listener.got
    told = json.loads(body)
    assert told["type"] == "standing.changed" and told["data"]["customer"] == customer.pk
    assert (told["data"]["was"], told["data"]["now"]) == ("good", "watched")
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert Delivery.objects.get().status == "sent"
    assert sending.send_waiting() == sending.Sent(), "once"


def test_what_is_rolled_back_is_not_told(listener: Listener, allowed: None, cy: Person) -> None:
    hook(cy, listener.url)
    customer = acme()
    with pytest.raises(RuntimeError), transaction.atomic():
        watch(customer, cy)
        assert Delivery.objects.count() == 1
        raise RuntimeError
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("event", "line"), [(event, line) for event, lines in events.EVENTS.items() for line in lines])
def test_every_event_is_put_beside_its_line_however_the_line_is_written(cy: Person, event: str, line: str) -> None:
    with_event = Webhook.objects.create(
        url="https://example.com", secret=hooks.fresh_secret(), events=[event], watches=events.watches([event]),
        owner=cy, made_by=cy, created_at=timezone.now(),
    )  # fmt: skip
    kind, _slash, verb = line.partition("/")
    told = {"by": cy, "at": timezone.now()}
    trail.record(verb, about=f"{kind}:1", **told)
    trail.record_many([trail.line(verb, about=f"{kind}:2", **told), trail.line("other", about=f"{kind}:3", **told)])
    assert list(with_event.deliveries.values_list("event", "entry__about").order_by("id")) == [
        (event, f"{kind}:1"),
        (event, f"{kind}:2"),
    ]


def test_a_hook_that_rests_is_told_nothing(cy: Person, listener: Listener, allowed: None) -> None:
    made = hook(cy, listener.url)
    hooks.change(made, state="paused", **act(cy))
    watch(acme(), cy)
    assert not Delivery.objects.exists()


# --- trying again --------------------------------------------------------------------------------


def test_a_failure_is_tried_again_later_under_the_same_id(listener: Listener, allowed: None, cy: Person) -> None:
    hook(cy, listener.url, "standing.changed")
    watch(acme(), cy)
    listener.answers = [500, 204]
    assert sending.send_waiting() == sending.Sent(failed=1)
    waits = Delivery.objects.get()
    assert waits.status == "waiting" and waits.answered == 500 and waits.next_at > timezone.now()
    assert sending.send_waiting() == sending.Sent(), "not before its time"
    due_now()
    assert sending.send_waiting() == sending.Sent(sent=1)
    first, second = listener.got
    assert first[0]["webhook-id"] == second[0]["webhook-id"] and first[1] == second[1]
    assert Webhook.objects.get().failures == 0


def test_pauses_grow_and_after_the_last_it_has_failed(listener: Listener, allowed: None, cy: Person) -> None:
    hook(cy, listener.url, "standing.changed")
    watch(acme(), cy)
    listener.answers = [503] * 20
    waits = []
    while Delivery.objects.get().status == "waiting":
        due_now()
        began = timezone.now()
        sending.send_waiting()
        waits.append((Delivery.objects.get().next_at - began).total_seconds())
    assert len(listener.got) == len(sending.PAUSES) + 1
    assert waits[:-1] == sorted(waits[:-1]) and Delivery.objects.get().status == "failed"


def test_a_hook_that_fails_again_and_again_is_stopped_and_begins_anew(
    listener: Listener, allowed: None, cy: Person, settings: Any
) -> None:
    settings.WEBHOOK_FAILURES = 3
    posts.system()
    made = hook(cy, listener.url, "standing.changed")
    watch(acme(), cy)
    listener.answers = [500] * 3
    for _turn in range(5):
        due_now()
        sending.send_waiting()
    made.refresh_from_db()
    assert (made.state, made.failures, len(listener.got)) == ("stopped", 3, 3)
    assert TrailEntry.objects.filter(verb="webhook.stop").count() == 1
    hooks.change(made, state="active", **act(cy))
    due_now()
    assert sending.send_waiting() == sending.Sent(sent=1)


def test_gone_stops_it_at_once(listener: Listener, allowed: None, cy: Person) -> None:
    posts.system()
    made = hook(cy, listener.url, "standing.changed")
    watch(acme(), cy)
    listener.answers = [410]
    sending.send_waiting()
    made.refresh_from_db()
    assert made.state == "stopped"


def test_a_crash_while_sending_sends_again(listener: Listener, allowed: None, cy: Person) -> None:
    hook(cy, listener.url, "standing.changed")
    watch(acme(), cy)
    assert sending._borrow(timezone.now()) is not None, "and the sender dies here"
    assert sending.send_waiting() == sending.Sent(), "it is lent"
    due_now()
    assert sending.send_waiting() == sending.Sent(sent=1)


def test_one_that_never_answers_is_cut_off(allowed: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = outgoing.target(f"http://127.0.0.1:{silent.getsockname()[1]}/", networks=LOOPBACK)
        began = timezone.now()
        with pytest.raises(outgoing.Unreachable):
            outgoing.post(to, b"{}", {}, seconds=0.5)
        assert (timezone.now() - began).total_seconds() < 5


@contextmanager
def trickling(said: bytes) -> Iterator[int]:
    """A receiver that says this at once, and then a byte every twentieth of a second; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            with suppress(OSError):
                line, _peer = server.accept()
                with line:
                    line.sendall(said)
                    for _byte in range(200):
                        line.sendall(b"0")
                        time.sleep(0.05)

        speaking = threading.Thread(target=speak, daemon=True)
        speaking.start()
        yield server.getsockname()[1]
    speaking.join()


@pytest.mark.parametrize(
    ("scheme", "said"),
    [("http", b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n"),
     ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
     ("http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n"),
     ("http", b"HTTP/1.1 200 OK\r\nX-Long: "),
     ("http", b"HTTP/1.1 2"),
     ("https", b"\x16\x03\x03\x40\x00")],
    ids=["body of a closing answer", "body", "chunk", "headers", "status", "handshake"],
)  # fmt: skip
def test_one_that_trickles_is_cut_off_in_its_time(scheme: str, said: bytes) -> None:
    with trickling(said) as port:
        to, began = outgoing.Target(scheme, "localhost", port, "/", "127.0.0.1"), time.monotonic()
        with pytest.raises(outgoing.Unreachable):
            outgoing.post(to, b"{}", {}, seconds=0.4)
        assert time.monotonic() - began < 2


def test_what_a_receiver_says_cannot_spoil_the_outbox(listener: Listener, allowed: None, cy: Person) -> None:
    with trickling(b"\x00\x1bBAD\xe9\r\n\r\n") as port:
        bad = hook(cy, f"http://127.0.0.1:{port}/", "standing.changed")
        hook(cy, listener.url, "standing.changed")
        watch(acme(), cy)
        assert sending.send_waiting() == sending.Sent(sent=1, failed=1)
    told = Delivery.objects.get(hook=bad)
    assert told.status == "waiting" and "BAD" in told.fault and told.fault.isprintable()
    bad.refresh_from_db()
    assert bad.failures == 1


def test_what_cannot_be_sent_at_all_keeps_nobody_waiting(
    listener: Listener, allowed: None, cy: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, payload = hook(cy, listener.url, "hold.opened", "standing.changed"), sending.events.payload
    good = hook(cy, listener.url, "standing.changed")
    watch(acme(), cy)

    def broken(*told: Any, **more: Any) -> Any:
        monkeypatch.setattr(sending.events, "payload", payload)
        raise ValueError("no such thing")

    monkeypatch.setattr(sending.events, "payload", broken)
    assert sending.send_waiting() == sending.Sent(sent=1, failed=1)
    assert {each.hook_id: each.fault for each in Delivery.objects.all()} == {bad.pk: "ValueError", good.pk: ""}


# --- sight ---------------------------------------------------------------------------------------


@pytest.mark.invariant("I-33")
def test_a_hook_gets_only_what_its_owner_may_see_today(
    listener: Listener, allowed: None, sy: Person, ann: Person, cy: Person
) -> None:
    made = hook(sy, listener.url, "standing.changed", owner=ann)
    own, foreign = acme(), acme(code="C2", name="重庆华联商贸有限公司", department="华南", salesperson=cy)
    watch(own, cy)
    assert not Delivery.objects.exists(), "nothing before she has accepted it"
    hooks.accept(made, **act(ann))
    watch(own, cy, "stopped")
    watch(foreign, cy)
    assert sending.send_waiting() == sending.Sent(sent=1, dropped=1)
    assert [json.loads(body)["data"]["customer"] for _headers, body in listener.got] == [own.pk]
    watch(own, cy, "cash_only")
    ann.appointments.update(until=TODAY - timedelta(days=1))
    assert sending.send_waiting() == sending.Sent(dropped=1), "her post has ended"


@pytest.mark.invariant("I-33")
def test_her_own_act_on_a_customer_she_has_lost_is_told_no_more(ann: Person) -> None:
    own = acme()
    told = Delivery(entry=trail.record("standing", about=own, by=ann, at=timezone.now()))
    assert sending.in_sight(told, ann, TODAY)
    type(own).objects.update(salesperson=None, department="华南")
    assert not sending.in_sight(told, ann, TODAY)


@pytest.mark.invariant("I-33")
def test_of_a_restricted_customer_nothing_is_told_nor_later(
    listener: Listener, allowed: None, cy: Person, vi: Person
) -> None:
    hook(cy, listener.url, "standing.changed")
    person = acme(natural_person=True)
    watch(person, cy)
    for kind in ("restrict", "lift"):
        asked = data_requests.ask(person, kind, why="本人来函", **act(cy))
        data_requests.decide(asked, "confirm", answer="同意", **act(vi))
        assert sending.send_waiting() == (sending.Sent(dropped=1) if kind == "restrict" else sending.Sent())
    assert not listener.got and Delivery.objects.get().status == "dropped"
    watch(Customer.objects.get(), cy, "stopped")
    assert sending.send_waiting() == sending.Sent(sent=1), "what happens after the restriction is told"


@pytest.mark.invariant("I-20b")
def test_the_system_managers_own_hook_is_told_of_no_customer(listener: Listener, allowed: None, sy: Person,
                                                             cy: Person) -> None:  # fmt: skip
    hook(sy, listener.url)
    watch(acme(), cy)
    assert sending.send_waiting() == sending.Sent(dropped=1) and not listener.got


def test_only_the_owner_accepts_and_a_new_address_must_be_accepted_again(
    listener: Listener, allowed: None, sy: Person, ann: Person, cy: Person
) -> None:
    made = Caller(sy).post("/webhooks", {"url": listener.url, "events": ["hold.opened"], "owner": "ann"}).data
    path = f"/webhooks/{made['id']}"
    assert made["state"] == "proposed"
    assert Caller(sy).post(f"{path}/accept").status_code == 403
    assert Caller(sy).patch(path, {"state": "active"}).status_code == 409
    assert Caller(ann).post(f"{path}/accept").data["state"] == "active"
    assert Caller(sy).patch(path, {"url": listener.url + "2"}).data["state"] == "proposed"


@pytest.mark.invariant("I-16", "I-33")
def test_a_keeper_who_looked_before_the_address_changed_does_not_set_it_to_work(
    listener: Listener, allowed: None, sy: Person, ann: Person
) -> None:
    made = hooks.create(listener.url, ["hold.opened"], owner=ann, **act(sy))
    looked_at = hooks.accept(made, **act(ann))
    hooks.change(made, url=listener.url + "2", **act(sy))
    with pytest.raises(Moved):
        hooks.change(looked_at, state="active", **act(sy))
    assert Webhook.objects.get().state == "proposed"


@pytest.mark.invariant("I-16")
def test_the_owner_accepts_the_address_and_events_she_has_seen(
    listener: Listener, allowed: None, sy: Person, ann: Person
) -> None:
    made = Caller(sy).post("/webhooks", {"url": listener.url, "events": ["hold.opened"], "owner": "ann"}).data
    path, seen = f"/webhooks/{made['id']}", {"url": listener.url, "events": ["hold.opened"]}
    client = Client()
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    assert f'name="url" value="{listener.url}"' in client.get(f"{path}/").content.decode()
    Caller(sy).patch(path, {"events": ["standing.changed"]})
    assert Caller(ann).post(f"{path}/accept", seen).data["code"] == "version_seen"
    assert client.post(f"{path}/accept", seen).status_code == 409
    assert Webhook.objects.get().state == "proposed"
    assert client.post(f"{path}/accept", seen | {"events": ["standing.changed"]}).status_code == 302
    assert Webhook.objects.get().state == "active"


# --- keeping -------------------------------------------------------------------------------------


def test_the_secret_is_shown_once_and_rests_sealed(listener: Listener, allowed: None, cy: Person) -> None:
    caller = Caller(cy)
    made = caller.post("/webhooks", {"url": listener.url, "events": ["hold.opened"]}).data
    path = f"/webhooks/{made['id']}"
    assert made["secret"].startswith("whsec_")
    assert caller.get(path).data["secret"] is None and caller.get("/webhooks").data["items"][0]["secret"] is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM office_webhook")
        assert cursor.fetchone()[0].startswith("sealed/")
    kept = json.dumps(list(TrailEntry.objects.values_list("particulars", flat=True)))
    assert made["secret"] not in kept and "/hook" not in kept
    renewed = caller.patch(path, {"secret": "renew"}).data["secret"]
    assert renewed not in (None, made["secret"])


@pytest.mark.invariant("I-20b")
def test_whoever_renews_the_secret_of_anothers_hook_has_her_accept_it_again(
    listener: Listener, allowed: None, cy: Person, sy: Person
) -> None:
    own = hook(cy, listener.url, "standing.changed")
    assert hooks.renew_secret(own, **act(cy)).state == "active"
    assert hooks.renew_secret(own, **act(sy)).state == "proposed"
    watch(acme(), cy)
    assert not Delivery.objects.exists()
    assert hooks.accept(own, **act(cy)).state == "active"


def test_the_whole_life_over_the_api(listener: Listener, allowed: None, cy: Person) -> None:
    caller = Caller(cy)
    made = caller.post("/webhooks", {"url": listener.url, "events": ["standing.changed"], "label": "ERP"}).data
    path = f"/webhooks/{made['id']}"
    assert caller.post(f"{path}/test").status_code == 202
    watch(acme(), cy)
    sending.send_waiting()
    rows = caller.get(f"{path}/deliveries").data["items"]
    assert [(row["event"], row["status"], row["answered"]) for row in rows] == [
        ("standing.changed", "sent", 204),
        ("test", "sent", 204),
    ]
    assert caller.patch(path, {"state": "paused"}).data["state"] == "paused"
    assert caller.post(f"{path}/test").status_code == 409
    gone = caller.client.delete(f"/api/v1{path}")
    assert gone.status_code == 204 and caller.get(path).status_code == 404


def test_who_keeps_hooks(listener: Listener, allowed: None, ann: Person, bo: Person, ed: Person, sy: Person,
                         cy: Person) -> None:  # fmt: skip
    body = {"url": listener.url, "events": ["hold.opened"]}
    assert [Caller(each).post("/webhooks", body).status_code for each in (ann, bo, ed, sy, cy)] == [
        403, 403, 403, 201, 201,
    ]  # fmt: skip
    pk = Webhook.objects.filter(owner=cy).get().pk
    assert [Caller(each).get(f"/webhooks/{pk}").status_code for each in (ann, bo, ed, sy)] == [404, 404, 200, 200]
    assert Caller(ed).post(f"/webhooks/{pk}/test").status_code == 403
    assert Caller(ann).client.delete(f"/api/v1/webhooks/{pk}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"events": ["no.such"]}, id="unknown event"),
        pytest.param({"events": []}, id="no event"),
        pytest.param({"events": ["hold.opened"], "owner": "nobody"}, id="unknown owner"),
        pytest.param({"events": ["hold.opened"], "secret": "whsec_x"}, id="read-only field"),
    ],
)
def test_what_makes_no_hook(listener: Listener, allowed: None, cy: Person, body: dict[str, Any]) -> None:
    assert Caller(cy).post("/webhooks", {"url": listener.url} | body).status_code == 422


def test_the_pages(listener: Listener, allowed: None, cy: Person, ann: Person) -> None:
    client = Client()
    client.force_login(cy, backend="django.contrib.auth.backends.ModelBackend")
    assert "回调通知" in client.get("/webhooks/").content.decode()
    made = client.post("/webhooks/", {"url": listener.url, "events": ["standing.changed"], "label": "ERP"})
    assert made.status_code == 200 and "whsec_" in made.content.decode()
    pk = Webhook.objects.get().pk
    assert "whsec_" not in client.get(f"/webhooks/{pk}/").content.decode()
    assert client.post(f"/webhooks/{pk}/test").status_code == 302
    sending.send_waiting()
    assert "204" in client.get(f"/webhooks/{pk}/").content.decode()
    for verb in ("pause", "resume"):
        assert client.post(f"/webhooks/{pk}/{verb}").status_code == 302
    assert "whsec_" in client.post(f"/webhooks/{pk}/renew").content.decode()
    assert client.post("/webhooks/", {"url": "http://10.0.0.1/", "events": ["hold.opened"]}).status_code == 422
    client.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/webhooks/{pk}/").status_code == 404
    client.force_login(cy, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(f"/webhooks/{pk}/remove").status_code == 302 and not Webhook.objects.exists()


# --- never inside --------------------------------------------------------------------------------

INSIDE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "localhost", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.0.0.1", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]", "224.0.0.1", "255.255.255.255",
]  # fmt: skip
NO_ADDRESSES = [
    "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "javascript:alert(1)", "//example.com/x",
    "https://user:password@example.com/", "https://example.com/#fragment", "https://example.com/\r\nX: y", "https://",
    "https://exa mple.com/", "https://example.com:99999/", "https://例子.com/", "",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", INSIDE)
def test_nothing_connects_to_an_address_inside(listener: Listener, cy: Person, scheme: str, host: str) -> None:
    url = f"{scheme}://{host}:{listener.port}/hook"
    answer = Caller(cy).post("/webhooks", {"url": url, "events": ["standing.changed"]})
    assert answer.status_code == 422 and answer.data["errors"][0]["field"] == "url"
    Webhook.objects.create(  # as if it had been allowed once
        url=url, secret=hooks.fresh_secret(), events=["standing.changed"],
        watches=events.watches(["standing.changed"]), owner=cy, made_by=cy, created_at=timezone.now(),
    )  # fmt: skip
    watch(acme(), cy)
    assert sending.send_waiting() == sending.Sent(failed=1)
    assert listener.connected == 0 and not listener.got


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_refused(cy: Person, url: str) -> None:
    assert Caller(cy).post("/webhooks", {"url": url, "events": ["hold.opened"]}).status_code == 422


def test_the_guard_is_what_keeps_it_out(listener: Listener, allowed: None, cy: Person) -> None:
    hook(cy, f"http://localhost:{listener.port}/hook", "standing.changed")
    watch(acme(), cy)
    sending.send_waiting()
    assert listener.connected == 1, "with the network allowed the same address is reached"


def test_a_name_that_turns_inside_at_the_second_look_is_not_followed(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, looks = socket.getaddrinfo, []

    def turning(host: str, *rest: Any, **named: Any) -> Any:
        if host != "rebind.example":
            return real(host, *rest, **named)
        looks.append(host)
        return real("198.51.100.9" if len(looks) == 1 else "127.0.0.1", *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    monkeypatch.setattr(outgoing, "is_public", lambda address: str(address) == "198.51.100.9")
    to = outgoing.target(f"https://rebind.example:{listener.port}/")
    assert to.address == "198.51.100.9"
    connected: list[Any] = []

    def noted(address: Any, *_rest: Any, **_named: Any) -> Any:
        connected.append(address)
        raise OSError("no route")

    monkeypatch.setattr(socket, "create_connection", noted)
    with pytest.raises(outgoing.Unreachable):
        outgoing.post(to, b"{}", {})
    assert connected == [("198.51.100.9", listener.port)] and listener.connected == 0
    with pytest.raises(outgoing.NotAllowed):
        outgoing.target(f"https://rebind.example:{listener.port}/")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("fec0::1", False), ("feff::1", False), ("192.88.99.1", False), ("2002:c0a8:0101::1", False),
        ("fd00::1", False), ("::ffff:10.0.0.1", False), ("2606:4700::1111", True), ("192.88.98.1", True),
    ],
)  # fmt: skip
def test_withdrawn_networks_count_as_inside(address: str, public: bool) -> None:
    assert outgoing.is_public(ipaddress.ip_address(address)) is public


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: both)
    with pytest.raises(outgoing.NotAllowed):
        outgoing.target("https://both.example/")


def test_a_redirect_is_an_answer_and_not_followed(listener: Listener, allowed: None, cy: Person) -> None:
    inside = Listener()
    listener.answers, listener.location = [307], inside.url
    hook(cy, listener.url, "standing.changed")
    watch(acme(), cy)
    assert sending.send_waiting() == sending.Sent(failed=1)
    assert Delivery.objects.get().answered == 307 and inside.connected == 0
    inside.server.shutdown()
    inside.server.server_close()


def test_plain_http_only_into_allowed_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: public)
    assert outgoing.target("https://example.com/").port == 443
    with pytest.raises(outgoing.NotAllowed):
        outgoing.target("http://example.com/", networks=LOOPBACK)
