"""JSON calls: requests to the one host of a profile, and their complete replies."""

import asyncio
import re

from cloudstore_tui.core.errors import ConfigError, NetworkError, ReplyError, StorageError, UnsafeError
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.curl import CurlCall, Wire
from cloudstore_tui.net.failures import LostReplyError
from cloudstore_tui.net.logs import ExchangeLog
from cloudstore_tui.net.reply import Inflater, Reply
from cloudstore_tui.net.retry import attempt_number, exchange_timeouts, http_date, retry_after_s
from cloudstore_tui.net.transport import ApiCall, Route, route_to

TOKEN_TIMEOUT = 15.0
"""Seconds for a whole request to a token service."""
LONGEST_EXCHANGE = 300.0
"""Seconds for one request and its complete reply, even if it keeps making progress."""

WIRE = Wire("api client")
"""Shared by all profiles, so that many of them need no more threads."""
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "Connection": "keep-alive"}
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_TARGET = re.compile(r"/[!-~]*")


class JsonCall(CurlCall[Reply]):
    """One request, and its reply in memory."""

    def __init__(self, call: ApiCall, route: Route, subject: str, limits: Timeouts) -> None:
        """Send nothing yet.

        Raises:
            ConfigError: a header cannot be sent.
            UnsafeError: the request would go to another host.
        """
        target = call.target.encode("ascii", "replace").decode()
        # A second line of defence: the target should only ever be a path.
        if not _TARGET.fullmatch(target):
            raise UnsafeError("a request would have left the host of the profile", subject=route.name)
        super().__init__(call.method, route, target, _header_lines(call, route), limits)
        self.content = call.body or b"" if call.body is not None or call.method in _WITH_BODY else None
        self._subject = subject
        self._inflater = Inflater("", subject)

    def begin_body(self) -> None:
        """Prepare to decompress the body with a limit of size, which libcurl does not have."""
        self._inflater = Inflater(self.block.reply().headers.get("content-encoding", ""), self._subject)

    def add_body(self, data: memoryview) -> None:
        """Decompress what has come."""
        self._inflater.add(data)

    def result(self) -> Reply:
        """The complete reply."""
        status, headers = self.block.status, self.block.reply().headers
        date = http_date(headers.get("date", ""))
        return Reply(
            status=status,
            body=self._inflater.end(),
            location=headers.get("location", "") if 300 <= status < 400 else "",
            date=date,
            wait=retry_after_s(headers.get("retry-after", ""), headers.get("x-ratelimit-reset", ""), date),
        )

    def meaning(self, error: StorageError) -> StorageError:
        """A lost reply, if the request was sent: it may have taken effect."""
        if not isinstance(error, NetworkError | ReplyError):
            return error
        proxied = self.route.proxy is not None
        hint = "Check HTTPS_PROXY and NO_PROXY." if proxied else "Check the network and the addresses in the profile."
        return (NetworkError if self.asked_at is None else LostReplyError)(error.message, hint=hint)


def _header_lines(call: ApiCall, route: Route) -> list[str]:
    """The headers, without those that libcurl would add by itself."""
    headers = {**_HEADERS, **{name: value.reveal() for name, value in call.headers.items()}}
    if unfit := next((name for name, value in headers.items() if not _HEADER_VALUE.fullmatch(value)), None):
        raise ConfigError(f"{unfit} holds characters that cannot be sent", subject=route.name)
    suppressed = [f"{name}:" for name in ("Expect", "Content-Type") if name not in headers]
    return [*suppressed, *(f"{name}: {value}" if value.strip() else f"{name};" for name, value in headers.items())]


class Channel:
    """Sends requests to one host and never to another: redirects are off, cookies are not kept."""

    def __init__(self, base_url: str, timeouts: Timeouts) -> None:
        """Send nothing yet.

        Raises:
            ConfigError: the proxy or the certificates that the environment names cannot be used.
        """
        # Requests to this machine do not leave it through a proxy.
        self._route = route_to(base_url, local=True)
        self._timeouts = timeouts

    async def exchange(self, call: ApiCall, subject: str, *, is_token: bool = False) -> Reply:
        """Send one request and read its complete reply, whatever its status; see `Sender`."""
        limits, host = exchange_timeouts(self._timeouts), self._route.name
        asked = JsonCall(call, self._route, subject, limits)
        try:
            with ExchangeLog(call.method, host, call.path, attempt_number()) as log:
                # A reply that never ends must not outlast the caller's patience.
                async with asyncio.timeout(min(limits.give_up, TOKEN_TIMEOUT if is_token else LONGEST_EXCHANGE)):
                    reply = await WIRE.carry_out(asked, self)
                log.ended(reply.status, len(reply.body))
                return reply
        except TimeoutError:
            raise LostReplyError(f"{host} does not answer in time", subject=subject) from None
        except StorageError as error:
            raise error.about(subject) from None

    async def close(self) -> None:
        """Close all connections, unless other profiles use them."""
        await WIRE.leave(self)
