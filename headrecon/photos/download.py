"""Files from the web, within limits."""

import contextlib
import email.utils
import http.client
import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from headrecon.photos.connect import Connection, NotFetched
from headrecon.photos.source import reason_of, shown

_MOVED, _BUSY = (301, 302, 303, 307, 308), (429, 503)
_CHUNK = 1 << 16
# What may stand in the path or the query of a URL as it is.
_SAFE = "/%:@!$&'()*+,;=~?"


@dataclass(frozen=True)
class Answer:
    """What a server has answered."""

    status: int
    words: str
    headers: Mapping[str, str]
    """By their names in lower case."""
    content: bytes


@dataclass(frozen=True)
class Download:
    """The contents of a URL of http or https, or `NotFetched`.

    Servers are not trusted: neither with the memory of this machine, nor with its time, nor with
    the network around it. Proxies of the environment are not used, because they look names up for
    themselves.
    """

    seconds: float
    """Longest time for one answer, from looking its host up to its last byte."""
    redirects: int
    retries: int
    """How often a server that is busy is asked again."""
    patience: float
    """Longest wait, in seconds, that a busy server may ask for."""
    pause: float
    """Seconds of rest before each request."""
    allow_private: bool
    """Whether addresses are asked that only this machine or its own network knows."""
    agent: str
    """How this program calls itself; servers like a name and a way to reach somebody."""

    def __call__(self, url: str, most_bytes: int) -> bytes:
        """Fetch it, wherever it has moved to; more bytes are refused."""
        for _ in range(self.redirects + 1):
            answer = self._ask_again(url, most_bytes)
            if answer.status not in _MOVED:
                return answer.content
            url = urljoin(url, answer.headers.get("location", ""))
        raise NotFetched(f"more than {self.redirects} redirects")

    def _ask_again(self, url: str, most_bytes: int) -> Answer:
        """The answer of a server that may be busy at first."""
        for attempt in itertools.count():
            time.sleep(self.pause)
            answer = self._ask(url, most_bytes)
            if answer.status == 200 or answer.status in _MOVED:
                return answer
            wait = _wait(answer, min(2.0**attempt, self.patience))
            if answer.status not in _BUSY or wait > self.patience or attempt == self.retries:
                said = f"the server says {answer.status} {shown(answer.words)}"
                raise NotFetched(said.strip())
            time.sleep(wait)
        raise AssertionError

    def _ask(self, url: str, most_bytes: int) -> Answer:
        """The answer to one request."""
        try:
            parts = urlsplit(url)
            connection = Connection(parts, self.seconds, self.allow_private)
        except ValueError as error:
            raise NotFetched(shown(reason_of(error))) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotFetched("only http and https are fetched")
        target = quote(parts.path or "/", _SAFE) + ("?" if parts.query else "")
        asked = {"User-Agent": self.agent, "Connection": "close"}
        with _watched(connection, self.seconds):
            connection.request("GET", target + quote(parts.query, _SAFE), headers=asked)
            with connection.getresponse() as answer:
                headers = {name.lower(): value for name, value in answer.getheaders()}
                content = _content(answer, most_bytes) if answer.status == 200 else b""
                return Answer(answer.status, answer.reason, headers, content)


@contextlib.contextmanager
def _watched(connection: Connection, seconds: float) -> Iterator[None]:
    """Cuts the connection when the time is over, and tells what went wrong in one line."""
    watch = threading.Timer(seconds, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError, NotFetched) as error:
        if connection.late or isinstance(error, TimeoutError):
            raise NotFetched(f"took more than {seconds:g} seconds") from None
        raise NotFetched(shown(reason_of(error))) from None
    finally:
        watch.cancel()
        connection.close()


def _content(answer: http.client.HTTPResponse, most_bytes: int) -> bytes:
    """All bytes of an answer; `ValueError` for too many or too few."""
    announced, content = answer.length, bytearray()
    while len(content) <= most_bytes and (announced or 0) <= most_bytes:
        chunk = answer.read1(_CHUNK)
        if not chunk:
            if announced is not None and len(content) < announced:
                raise ValueError(f"broke off after {len(content)} bytes")
            return bytes(content)
        content += chunk
    raise ValueError(f"more than {most_bytes} bytes")


def _wait(answer: Answer, otherwise: float) -> float:
    """Seconds after which a busy server wants to be asked again."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    with contextlib.suppress(ValueError, OverflowError):
        return max(email.utils.parsedate_to_datetime(asked).timestamp() - time.time(), 0.0)
    return otherwise
