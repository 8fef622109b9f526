"""A server on this machine that answers as a test wants."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Page:
    """An answer; `delay` seconds pass before each of its bytes."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """What the answer says that its length is, if that is not true."""
    delay: float = 0.0


@dataclass
class Web:
    """Pages by path; a function is given the whole target."""

    pages: dict[str, Page | Callable[[str], Page]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Targets of the requests so far."""
    agents: set[str] = field(default_factory=set)
    address: str = ""

    def url(self, path: str) -> str:
        return f"{self.address}{path}"


@contextlib.contextmanager
def web() -> Iterator[Web]:
    """Starts a server without pages."""
    served, stopped = Web(), threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            served.agents.add(self.headers["User-Agent"])
            page = served.pages.get(self.path.partition("?")[0], Page(b"nothing", 404))
            page = page if isinstance(page, Page) else page(self.path)
            length = len(page.content) if page.length is None else page.length
            with contextlib.suppress(OSError):
                self.send_response(page.status)
                for name, value in {"Content-Length": str(length), **page.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(0, len(page.content), 1 if page.delay else 1 << 20):
                    if page.delay and stopped.wait(page.delay):
                        return
                    self.wfile.write(page.content[start : start + (1 if page.delay else 1 << 20)])

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
