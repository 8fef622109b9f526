import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from headrecon.photos.connect import NotFetched, is_public
from headrecon.photos.download import Download
from tests.web import Page, Web, web

DOWNLOAD = Download(
    seconds=5.0,
    redirects=3,
    retries=2,
    patience=1.0,
    pause=0.0,
    allow_private=True,
    agent="test",
)


@pytest.fixture
def served() -> Iterator[Web]:
    with web() as started:
        yield started


def fault(download: Download, url: str, most_bytes: int = 100) -> str:
    with pytest.raises(NotFetched) as raised:
        download(url, most_bytes)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_contents_are_fetched_under_the_name_of_the_program(served: Web):
    served.pages["/a%20b.jpg"] = Page(b"abc")
    assert DOWNLOAD(served.url("/a b.jpg"), 3) == b"abc"
    assert served.agents == {"test"}


def test_targets_that_are_no_ascii_are_quoted_and_quoted_ones_left_alone(served: Web):
    paths = ["/größe.jpg?q=ä", "/gr%C3%B6%C3%9Fe.jpg?q=%C3%A4"]
    served.pages["/gr%C3%B6%C3%9Fe.jpg"] = Page(b"abc")
    for path in paths:
        assert DOWNLOAD(served.url(path), 3) == b"abc"
    assert set(served.asked) == {paths[1]}


def test_redirects_are_followed_but_not_for_ever(served: Web):
    served.pages["/a"] = Page(status=302, headers={"Location": "/b?c"})
    served.pages["/b"] = Page(b"abc")
    served.pages["/round"] = Page(status=301, headers={"Location": "/round"})
    assert DOWNLOAD(served.url("/a"), 3) == b"abc"
    assert fault(DOWNLOAD, served.url("/round")) == "more than 3 redirects"
    assert served.asked.count("/round") == 4


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "ftp://127.0.0.1/a", "//127.0.0.1/a", "data:,abc", "http:/a"]
)
def test_only_http_is_spoken_also_after_a_redirect(served: Web, place: str):
    assert "only http" in fault(DOWNLOAD, place)
    if ":/" in place and not place.startswith("http"):
        served.pages["/a"] = Page(status=302, headers={"Location": place})
        assert "only http" in fault(DOWNLOAD, served.url("/a"))


def test_private_addresses_are_refused_before_anything_is_sent(served: Web):
    public = replace(DOWNLOAD, allow_private=False)
    port = served.address.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        assert "not a public address" in fault(public, f"http://{host}:{port}/a")
    assert served.asked == []


def test_the_address_that_is_checked_is_the_one_that_is_used(
    served: Web, monkeypatch: pytest.MonkeyPatch
):
    asked, really = [], socket.getaddrinfo

    def rebinding(host: str, *others: object, **more: object) -> list[object]:
        if host != "rebinding.test":
            return really(host, *others, **more)  # type: ignore[arg-type]
        asked.append(host)
        return really("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *others, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    served.pages["/a"] = Page(b"abc")
    port = served.address.rpartition(":")[2]
    assert DOWNLOAD(f"http://rebinding.test:{port}/a", 3) == b"abc"
    assert asked == ["rebinding.test"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        *(("8.8.8.8", True), ("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False)),
        *(("0.0.0.0", False), ("100.64.0.1", False), ("224.0.0.1", False), ("192.0.2.1", False)),
        *(("2606:4700::1111", True), ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False)),
        *(("::ffff:8.8.8.8", True), ("::ffff:127.0.0.1", False), ("2002:7f00:1::", False)),
        *(("64:ff9b::808:808", True), ("64:ff9b::7f00:1", False), ("ff02::1", False)),
    ],
)
def test_addresses_of_one_machine_or_network_are_not_public(address: str, public: bool):
    assert is_public(address) == public


def test_too_many_bytes_are_not_fetched_whatever_is_announced(served: Web):
    served.pages["/honest"] = Page(bytes(101))
    served.pages["/silent"] = Page(bytes(101), headers={"Content-Length": ""})
    for path in served.pages:
        assert fault(DOWNLOAD, served.url(path)) == "more than 100 bytes"


def test_an_answer_that_breaks_off_is_no_answer(served: Web):
    served.pages["/a"] = Page(bytes(10), length=20)
    assert fault(DOWNLOAD, served.url("/a")) == "broke off after 10 bytes"


def test_a_server_that_sends_drop_by_drop_is_cut_off(served: Web):
    served.pages["/a"] = Page(bytes(100), delay=0.1)
    started = time.monotonic()
    assert fault(replace(DOWNLOAD, seconds=0.5), served.url("/a")) == "took more than 0.5 seconds"
    assert time.monotonic() - started < 2.0


def test_a_server_that_never_answers_is_cut_off():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("http", "https"):
            url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/"
            assert fault(replace(DOWNLOAD, seconds=0.3), url) == "took more than 0.3 seconds"


def test_a_busy_server_is_asked_again_after_the_time_that_it_names(served: Web):
    pages = [Page(status=429, headers={"Retry-After": "1"}), Page(status=503), Page(b"abc")]
    served.pages["/a"] = lambda _: pages.pop(0) if len(pages) > 1 else pages[0]
    started = time.monotonic()
    assert DOWNLOAD(served.url("/a"), 3) == b"abc"
    assert 1.0 <= time.monotonic() - started < 5.0


@pytest.mark.parametrize("after", ["3600", "Fri, 31 Dec 2199 23:59:59 GMT"])
def test_a_server_that_wants_more_patience_than_there_is_is_given_up(served: Web, after: str):
    served.pages["/a"] = Page(status=429, headers={"Retry-After": after})
    assert fault(DOWNLOAD, served.url("/a")) == "the server says 429 Too Many Requests"
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:99999/", "http://[::1/", "http://127.0.0.1:1/a\r\nHost: b"),
        *("http://nobody.invalid/", "http://a..b/", "http://" + "a" * 70 + ".invalid/"),
    ],
)
def test_addresses_that_lead_nowhere_are_faults_in_one_line(url: str):
    assert fault(DOWNLOAD, url)
