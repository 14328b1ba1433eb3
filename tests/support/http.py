"""Services over a real socket that say what a test tells them to, and remember what they were asked."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request as it came over the wire; the names of its headers in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Reply: TypeAlias = tuple[Any, ...] | None
"""Status, body (bytes, `None`, or what becomes JSON) and further headers as pairs; `None` for no answer at all."""
Handle: TypeAlias = Callable[[Asked], Reply]
Rule: TypeAlias = Callable[[str, str, bytes], Reply]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that end the connection, as tests of such things make them do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(handle: Handle) -> Iterator[str]:
    """Answer every request on a port of its own by what `handle` gives; the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = handle(Asked(self.command, self.path, headers, body))
            if reply is None:
                self.close_connection = True
                return
            status, value, *further = reply
            data = value if isinstance(value, bytes) else b"" if value is None else json.dumps(value).encode()
            self.send_response_only(status)
            for name, text in further:
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - names that http.server asks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - overrides
            """Keep quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class ScriptedService:
    """Answers each request by the first of its answers that begins like it, else by its rule, else with 404."""

    token: Reply
    """What a login is answered with."""
    is_login: Callable[[str], bool]
    """Whether a target asks for a token."""
    url: str = ""
    answers: list[tuple[str, Reply]] = field(default_factory=list)
    """`METHOD /path` and its answer, each used once."""
    rule: Rule | None = None
    """Answers what no line of the script does."""
    seen: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        self.seen.append(asked)
        if self.is_login(asked.target):
            return self.token
        line = f"{asked.method} {asked.target}"
        for number, (start, _answer) in enumerate(self.answers):
            if line.startswith(start):
                return self.answers.pop(number)[1]
        if self.rule is not None:
            return self.rule(asked.method, asked.target, asked.body)
        return (404, {"message": f"no answer for {line}", "error": {"code": "404", "message": f"no answer for {line}"}})

    @property
    def targets(self) -> list[str]:
        """What was asked for, but for tokens."""
        return [f"{asked.method} {asked.target}" for asked in self.seen if not self.is_login(asked.target)]

    def queries(self) -> list[dict[str, str]]:
        """The parameters of each of them."""
        return [dict(parse_qsl(urlsplit(target).query)) for target in self.targets]
