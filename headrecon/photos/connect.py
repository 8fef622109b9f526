"""Connections of HTTP to addresses that have been looked at first."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import time
from urllib.parse import SplitResult

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotFetched(Exception):
    """A download that was not made, and why in one line."""


class Connection(http.client.HTTPConnection):
    """A connection whose address is checked, and that can be cut by another thread.

    The address that is checked is the one that is used. A name that is asked for twice can have
    another address the second time, and lead into the user's own network.
    """

    def __init__(self, url: SplitResult, seconds: float, allow_private: bool) -> None:
        """To the host of a URL, for at most so long; nothing is opened yet."""
        secure = url.scheme == "https"
        port = url.port or (http.client.HTTPS_PORT if secure else http.client.HTTP_PORT)
        super().__init__(url.hostname or "", port, timeout=seconds)
        if secure:
            self.default_port = http.client.HTTPS_PORT
        self.late = False
        self._secure = secure
        self._allow_private = allow_private
        self._deadline = time.monotonic() + seconds
        self._opened: socket.socket | None = None

    def connect(self) -> None:
        """Look the host up, check its addresses, and connect to one of them."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [str(place[0]) for *_, place in found]
        for address in addresses:
            if not self._allow_private and not is_public(address):
                raise NotFetched(f"{self.host} is at {address}, which is not a public address")
        opened = self._open(addresses)
        if self._secure:
            # The handshake comes later, so that it can be cut as well.
            opened = ssl.create_default_context().wrap_socket(
                opened, server_hostname=self.host, do_handshake_on_connect=False
            )
        self.sock = self._opened = opened
        if isinstance(opened, ssl.SSLSocket):
            opened.do_handshake()

    def _open(self, addresses: list[str]) -> socket.socket:
        fault: OSError = TimeoutError("timed out")
        for address in addresses:
            rest = self._deadline - time.monotonic()
            if rest <= 0.0:
                break
            try:
                return socket.create_connection((address, self.port), rest)
            except OSError as error:
                fault = error
        raise fault

    def cut(self) -> None:
        """End it now: whoever waits for an answer gets an end of file or an error."""
        self.late = True
        if self._opened:
            with contextlib.suppress(OSError):
                self._opened.shutdown(socket.SHUT_RDWR)


def is_public(address: str) -> bool:
    """Whether everybody on the internet reaches the same machine by this address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # Addresses of the old kind inside those of the new lead where the old ones do.
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast
