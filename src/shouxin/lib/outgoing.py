"""Requests from the house to an address somebody typed in: only to public hosts, to the very address that was checked.

The name is resolved once, every address it has is looked at, and the connection goes to one of those: a name that
points elsewhere a moment later (DNS rebinding) changes nothing. Redirects are not followed, no proxy is asked.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
URL_LENGTH_MAX = 500
SECONDS_MAX = 10.0
ANSWER_BYTES_MAX = 64 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_OLD_RELAYS = ipaddress.ip_network("192.88.99.0/24")  # 6to4 anycast, withdrawn by RFC 7526: nobody answers there


class NotAllowed(ValueError):
    """The address may not be reached; the message says why, for people."""


class Unreachable(OSError):
    """Nothing came back: no such host, no answer in time, no valid certificate.

    Its text may be the other side's; of that only what can be printed is kept.
    """

    def __init__(self, where: str, error: object) -> None:
        told = "".join(letter if letter.isprintable() else " " for letter in f"{where}: {error}")
        super().__init__(told[:200])


@dataclass(frozen=True)
class Target:
    """An address that has been looked at: where to connect (`address`) and as whom (`host`)."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def target(url: str, *, networks: Iterable[Network] = ()) -> Target:
    """Where a request to this address goes. Raises NotAllowed, Unreachable where the name is unknown.

    `networks`: private ones that are allowed; plain http only there.
    """
    scheme, host, port, path = _parts(url)
    networks = tuple(networks)
    found = _resolved(host, port)
    private = [each for each in found if not is_public(each)]
    if not all(_within(each, networks) for each in private):
        raise NotAllowed(_("The address lies in a private network. SHOUXIN_WEBHOOK_NETWORKS says which are allowed."))
    if scheme == "http" and not all(_within(each, networks) for each in found):
        raise NotAllowed(_("Only https is allowed."))
    return Target(scheme, host, port, path, str(found[0]))


def post(to: Target, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS_MAX) -> int:
    """Send the body; answers the status, whatever it is. Raises Unreachable. The whole exchange has so many seconds."""
    connection = _Pinned(to, seconds)
    alarm = threading.Timer(seconds, connection.cut)
    alarm.daemon = True
    alarm.start()
    try:
        connection.request("POST", to.path, body, {"User-Agent": "Shouxin-Webhooks/1", **headers})
        with connection.getresponse() as answer:
            answer.read(ANSWER_BYTES_MAX)
        connection.require_time()
        return answer.status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(type(error).__name__, error) from error
    finally:
        alarm.cancel()
        connection.close()


def is_public(address: IP) -> bool:
    """Whether the address is one of the open internet's, also where it stands for another inside it."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            return is_public(inner)
        if address.is_site_local:  # withdrawn by RFC 3879, and still routed inside some houses
            return False
    elif address in _OLD_RELAYS:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, under the name it was asked for."""

    def __init__(self, to: Target, seconds: float) -> None:
        super().__init__(to.host, to.port, timeout=seconds)
        self.to = to
        self._line: socket.socket | None = None  # `sock` is forgotten once an answer that ends the connection begins
        self._over = False

    def connect(self) -> None:
        """To the pinned address; with https the certificate must be the name's."""
        self.sock = self._line = socket.create_connection((self.to.address, self.to.port), self.timeout)
        if self.to.scheme == "https":
            wrap = ssl.create_default_context().wrap_socket
            self.sock = self._line = wrap(self.sock, server_hostname=self.to.host, do_handshake_on_connect=False)
        self.require_time()  # it may have run out before there was a line to cut
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def cut(self) -> None:
        """End it from another thread, whatever it is doing: what is read after this is the end."""
        self._over = True
        if self._line is not None:
            try:
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)  # TLS would be taken off first, under the reader
            except OSError:  # it has ended by itself
                return

    def require_time(self) -> None:
        """Raise TimeoutError once it has been cut: a cut answer reads like one that ended."""
        if self._over:
            raise TimeoutError(f"no answer within {self.timeout:g} seconds")


def _parts(url: str) -> tuple[str, str, int, str]:
    if len(url) > URL_LENGTH_MAX or not url.isascii() or any(sign <= " " or sign in '\\"<>^`{|}' for sign in url):
        raise NotAllowed(_("This is not an address such as https://example.com/hook."))
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        raise NotAllowed(_("This is not an address such as https://example.com/hook.")) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or not port:
        raise NotAllowed(_("This is not an address such as https://example.com/hook."))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise NotAllowed(_("Leave out name, password and fragment: requests are signed."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port, path


def _resolved(host: str, port: int) -> list[IP]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(host, error) from error
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def _within(address: IP, networks: Iterable[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)
