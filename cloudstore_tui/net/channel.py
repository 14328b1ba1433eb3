"""The only place that speaks HTTP to an API: requests to one host, by httpcore, and what goes wrong on the way."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpcore

from cloudstore_tui.core.errors import ConfigError, LoginError, NetworkError, StorageError, UnsafeError
from cloudstore_tui.core.links import is_loopback
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.failures import PROXY_LOGIN_HINT, LostReplyError
from cloudstore_tui.net.logs import exchange_logged, silence
from cloudstore_tui.net.reply import Inflater, Reply
from cloudstore_tui.net.retry import asked_wait, attempt, for_one_exchange, http_date
from cloudstore_tui.net.transport import SLOWEST, USER_AGENT, ApiCall, Proxy, proxy_for, trust_store

TOKEN_TIMEOUT = 15.0
"""Seconds for a whole request to a token service."""
POOL_TIMEOUT = 60.0
"""Seconds to wait for a free connection; the rate limit is what really holds calls up."""
LONGEST_EXCHANGE = 300.0
"""Seconds for one request and its whole answer, however well it goes."""

# Its log lines hold whole addresses with their queries, and header values.
silence("httpcore")

_NOT_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.ProxyError)
_FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)
_CONNECTIONS, _IDLE_CONNECTIONS, _IDLE_SECONDS = 100, 20, 5.0
_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
}
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


class Channel:
    """Sends requests to one host and never to another: redirects are off, cookies are not kept."""

    def __init__(self, base_url: str, timeouts: Timeouts) -> None:
        """Make one without sending anything.

        Raises:
            ConfigError: the proxy or the certificates that the environment names cannot be used.
        """
        parts = urlsplit(base_url)
        self._host = parts.netloc
        self._scheme, self._name, self._port = parts.scheme, parts.hostname or "", parts.port
        self._timeouts = timeouts
        # A proxy that leads away from this machine has no business with what stays on it.
        proxy = None if is_loopback(base_url) else proxy_for(base_url)
        self._proxy = proxy.name if proxy is not None else ""
        trusted = trust_store().context if parts.scheme == "https" else None
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted,
            proxy=_spoken_to(proxy, trusted) if proxy is not None else None,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_IDLE_CONNECTIONS,
            keepalive_expiry=_IDLE_SECONDS,
        )

    async def exchange(self, call: ApiCall, subject: str, *, is_token: bool = False) -> Reply:
        """Send one request and read its whole answer, whatever its status; see `Sender`."""
        limits = for_one_exchange(self._timeouts)
        try:
            with exchange_logged(call.method, self._host, call.path, attempt()) as log:
                # An answer that never ends must not outlive what the user waits for.
                async with asyncio.timeout(min(limits.give_up, TOKEN_TIMEOUT if is_token else LONGEST_EXCHANGE)):
                    reply = await self._exchange(call, subject, limits)
                log.ended(reply.status, len(reply.body))
                return reply
        except TimeoutError:
            raise LostReplyError(f"{self._host} does not answer in time", subject=subject) from None
        except _FAILURES as error:
            raise self._network_error(error, subject) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _exchange(self, call: ApiCall, subject: str, limits: Timeouts) -> Reply:
        async with self._answer(call, limits) as answer:
            headers = _read_headers(answer)
            body = await self._body(answer, headers.get("content-encoding", ""), subject, limits.stall)
        date = http_date(headers.get("date", ""))
        return Reply(
            status=answer.status,
            body=body,
            location=headers.get("location", "") if 300 <= answer.status < 400 else "",
            date=date,
            wait=asked_wait(headers.get("retry-after", ""), headers.get("x-ratelimit-reset", ""), date),
        )

    async def _body(self, answer: httpcore.Response, coding: str, subject: str, stall: float) -> bytes:
        """All of a body that keeps coming: bytes that are none of it, such as extensions of chunks, do not count."""
        inflater = Inflater(coding, subject)
        received = 0
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(stall) as limit:
                async for part in answer.aiter_stream():
                    inflater.add(part)
                    received += len(part)
                    if received >= SLOWEST * stall:
                        received = 0
                        limit.reschedule(loop.time() + stall)
        except TimeoutError:
            raise LostReplyError(f"the answer of {self._host} comes too slowly", subject=subject) from None
        return inflater.end()

    @asynccontextmanager
    async def _answer(self, call: ApiCall, limits: Timeouts) -> AsyncIterator[httpcore.Response]:
        connected: list[str] = []

        async def trace(event: str, _info: object) -> None:
            if event.endswith("connect_tcp.started"):
                connected.append(event)

        request = self._request(call, limits, trace)
        try:
            answer = await self._headers(request, limits)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            # A kept connection that the server has closed meanwhile: nobody has to hear of it.
            if connected or call.method != "GET":
                raise
            answer = await self._headers(request, limits)
        try:
            yield answer
        finally:
            await answer.aclose()

    async def _headers(self, request: httpcore.Request, limits: Timeouts) -> httpcore.Response:
        """Send a request and read the headers of the answer, to which httpcore would give time byte by byte."""
        async with asyncio.timeout(limits.connect + 2 * limits.read):
            return await self._pool.handle_async_request(request)

    def _request(self, call: ApiCall, limits: Timeouts, trace: object) -> httpcore.Request:
        headers = {name: value.reveal() for name, value in call.headers.items()}
        if unfit := next((name for name, value in headers.items() if not _HEADER_VALUE.fullmatch(value)), None):
            raise ConfigError(f"{unfit} holds characters that cannot be sent", subject=self._host)
        # A safety belt: the target is only ever a path.
        if not call.target.startswith("/"):
            raise UnsafeError("a request would have left the host of the profile", subject=self._host)
        if call.body is not None or call.method in _WITH_BODY:
            headers["Content-Length"] = str(len(call.body or b""))
        wait = {"connect": limits.connect, "read": limits.read, "write": limits.read, "pool": POOL_TIMEOUT}
        return httpcore.Request(
            call.method,
            httpcore.URL(
                scheme=self._scheme,
                host=self._name,
                port=self._port,
                target=call.target.encode("ascii", "replace"),
            ),
            headers=list({"Host": self._host, **_HEADERS, **headers}.items()),
            content=call.body,
            extensions={"timeout": wait, "trace": trace},
        )

    def _network_error(self, error: Exception, subject: str) -> StorageError:
        """What a failure below HTTP means; its own text may hold an address and is never shown."""
        causes = list(_causes(error))
        if (unsafe := _tls_problem(causes)) is not None:
            return UnsafeError(
                f"the connection to {self._host} is not safe: {unsafe}",
                subject=subject,
                hint="If its authority is your own, add it to this system or name its file in SSL_CERT_FILE.",
            )
        if isinstance(error, httpcore.ProxyError) and str(error).startswith("407"):
            message = f"the proxy {self._proxy} wants a login"
            return LoginError(message, subject=subject, hint=PROXY_LOGIN_HINT)
        kind: type[NetworkError] = NetworkError if isinstance(error, _NOT_SENT) else LostReplyError
        return kind(self._message(error, causes), subject=subject, hint=self._hint())

    def _message(self, error: Exception, causes: list[BaseException]) -> str:
        if isinstance(error, httpcore.ProxyError):
            return f"the proxy {self._proxy} does not connect to {self._host}"
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return f"the name of {self._proxied} cannot be resolved"
        if isinstance(error, httpcore.ConnectTimeout):
            return f"{self._proxied} does not answer"
        if isinstance(error, httpcore.ConnectError):
            return f"{self._proxied} cannot be reached"
        if isinstance(error, httpcore.TimeoutException):
            return f"{self._host} stopped answering"
        return f"the connection to {self._host} broke"

    @property
    def _proxied(self) -> str:
        return f"the proxy {self._proxy}" if self._proxy else self._host

    def _hint(self) -> str:
        return (
            "Check HTTPS_PROXY and NO_PROXY." if self._proxy else "Check the network and the addresses in the profile."
        )


def _spoken_to(proxy: Proxy, trusted: ssl.SSLContext | None) -> httpcore.Proxy:
    login = proxy.authorization.reveal()
    return httpcore.Proxy(
        proxy.url,
        headers={"Proxy-Authorization": login} if login else None,
        ssl_context=trusted if proxy.url.startswith("https:") else None,
    )


def _read_headers(answer: httpcore.Response) -> Mapping[str, str]:
    """Names in lower case; what comes twice is joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in answer.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "replace")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _step in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _tls_problem(causes: list[BaseException]) -> str | None:
    """What is wrong with certificate or protocol; `None` if it is not that."""
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message or "its certificate cannot be trusted"
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return (cause.reason or "TLS failed").replace("_", " ").lower()
    return None
