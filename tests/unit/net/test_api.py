"""Calls over a real socket: what is sent, what is tried again, what becomes of every kind of answer."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ForbiddenError,
    LoginError,
    MissingError,
    NetworkError,
    ReplyError,
    StorageError,
    ThrottledError,
    UnavailableError,
    UnsafeError,
)
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.net.api import ApiClient, redirect_target
from cloudstore_tui.net.auth import AccessToken, Login, basic, read_secret
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.net.failures import LostReplyError
from cloudstore_tui.net.retry import RetryBudget
from cloudstore_tui.net.transport import NoSink
from tests.support.waiting import PATIENCE, PROMPTLY, until

PLACE = "acme:exports/x.tar"


async def test_a_request_is_sent_exactly_so(server: Any, connect: Any) -> None:
    server.on("/base/a%2Fb/objectKeys", server.reply())
    query = [("key", "exports/ä b+%2B.tar"), ("keyType", "file:directory")]
    await connect(f"{server.url}/base").get("a%2Fb/objectKeys", query, subject=PLACE)
    (request,) = server.requests
    assert request.method == "GET"
    assert request.target == ("/base/a%2Fb/objectKeys?key=exports%2F%C3%A4%20b%2B%252B.tar&keyType=file%3Adirectory")
    assert request.headers == {
        "host": f"127.0.0.1:{server.port}",
        "connection": "keep-alive",
        "user-agent": "cloudstore-tui",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "authorization": "Bearer canary-token-1",
        "x-api-key": "canary-api-key",
    }


async def test_a_change_is_sent_once_with_its_body_and_without_a_retry(server: Any, connect: Any) -> None:
    server.on("/bulk", server.reply(503))
    with pytest.raises(UnavailableError):
        await connect(server.url).send("DELETE", "bulk", body=["a", "b"], subject=PLACE)
    (request,) = server.requests
    assert (request.method, request.body) == ("DELETE", b'["a","b"]')
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_failure_that_passes_is_not_seen(server: Any, connect: Any, status: int) -> None:
    bad = server.reply(status, b"busy")
    server.on("/x", bad, bad, bad, bad, bad, server.json({"ok": 1}))
    assert (await connect(server.url).get("x", subject=PLACE)).decode(dict, subject=PLACE) == {"ok": 1}
    assert len(server.requests) == 6


@pytest.mark.parametrize("give_up", [30.0, 3600.0])
async def test_trying_goes_on_for_as_long_as_it_was_asked_to(
    connect: Any, profile: Profile, clock: Any, give_up: float
) -> None:
    patient = replace(profile, timeouts=Timeouts(give_up=give_up))
    began = clock.monotonic()
    with pytest.raises(NetworkError) as failed:
        await connect("http://127.0.0.1:1", using=patient, clock=clock).get("x", subject=PLACE)
    assert give_up - 1 < clock.monotonic() - began < give_up + 10
    assert max(clock.pauses) <= 60
    assert failed.value.subject == PLACE


async def test_trying_ends_when_the_time_is_up(server: Any, connect: Any, profile: Profile) -> None:
    server.on("/x", server.reply(500))
    impatient = replace(profile, timeouts=Timeouts(give_up=0.0))
    with pytest.raises(UnavailableError):
        await connect(server.url, using=impatient).get("x", subject=PLACE)
    assert len(server.requests) == 1


@pytest.mark.parametrize("wait", ["3", "date"])
async def test_a_wait_that_is_asked_for_is_waited_and_shown(server: Any, connect: Any, wait: str) -> None:
    # The service's clock is an hour ahead of ours; only the difference of its two dates counts.
    theirs = datetime.now(UTC) + timedelta(hours=1)
    after = "3" if wait == "3" else format_datetime(theirs + timedelta(seconds=3), usegmt=True)
    busy = server.reply(429, date=format_datetime(theirs, usegmt=True), retry_after=after)
    server.on("/x", busy, server.reply())
    client = connect(server.url, scale=0.1)
    call = asyncio.ensure_future(client.get("x", subject=PLACE))
    began = time.monotonic()
    await until(lambda: client.note.startswith("waiting"))
    assert client.note == "waiting 3 s: the service asks to"
    await call
    assert 0.25 < time.monotonic() - began < PROMPTLY
    assert "waiting" not in client.note


async def test_other_calls_wait_too_and_fewer_are_made_at_once(server: Any, connect: Any) -> None:
    server.on("/x", server.reply(429, retry_after="5"), server.reply())
    server.on("/y", server.reply())
    client = connect(server.url, scale=0.1)
    call = asyncio.ensure_future(client.get("x", subject=PLACE))
    began = time.monotonic()
    await until(lambda: client.note)
    await client.get("y", subject=PLACE)
    assert time.monotonic() - began > 0.3
    await call
    server.on("/z", server.reply(delay=0.2))
    began = time.monotonic()
    await asyncio.gather(*(client.get("z", subject=PLACE) for _ in range(4)))
    assert time.monotonic() - began > 0.35, "four were allowed at once before, and two are now"


@pytest.mark.parametrize("after", ["100000000000000000000", "Thu, 01 Jan 2099 00:00:00 GMT", "7200"])
async def test_a_wait_that_is_too_long_fails_at_once_and_says_until_when(server: Any, connect: Any, after: str) -> None:
    server.on("/x", server.reply(429, retry_after=after))
    with pytest.raises(ThrottledError) as throttled:
        await connect(server.url).get("x", subject=PLACE)
    assert len(server.requests) == 1
    assert throttled.value.hint.startswith("The service asks to wait ")
    assert throttled.value.retryable


@pytest.mark.parametrize("after", ["", "0", "-5", "soon", "Thu, 01 Jan 2015 00:00:00 GMT"])
async def test_a_senseless_wait_is_replaced_by_our_own(server: Any, connect: Any, after: str) -> None:
    server.on("/x", server.reply(429, retry_after=after), server.reply())
    began = time.monotonic()
    await connect(server.url).get("x", subject=PLACE)
    assert time.monotonic() - began < PROMPTLY


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"])
async def test_a_cut_connection_is_tried_again(server: Any, connect: Any, head: bytes) -> None:
    server.on("/x", server.cut(head), server.cut(head), server.json([1]))
    assert (await connect(server.url).get("x", subject=PLACE)).body == b"[1]"


async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_wait(server: Any, connect: Any) -> None:
    server.on("/x", server.reply(), server.cut(), server.reply())
    client = connect(server.url, scale=1000.0)
    await client.get("x", subject=PLACE)
    async with asyncio.timeout(PATIENCE):
        await client.get("x", subject=PLACE)
    assert len(server.requests) == 3


@pytest.mark.parametrize("kind", ["JSON", "bytes"])
async def test_what_comes_over_a_kept_connection_unasked_is_no_answer(
    server: Any, connect: Any, profile: Profile, kind: str
) -> None:
    async def ask() -> bytes:
        if kind == "JSON":
            return bytes((await client.get("x", subject=PLACE)).body)
        return (await blob.get(Source(Secret(f"{url}/x"), local=True), NoSink())).body

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readuntil(b"\r\n\r\n"):
            writer.write(server.reply(body="[1]" if rude.is_set() else "[0]").raw)
        await rude.wait()
        writer.write(server.reply(body="[9]").raw)
        said.set()
        await gone.wait()
        writer.close()

    rude, said, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        client, blob = connect(url), BlobClient(profile.timeouts)
        assert await ask() == b"[0]"
        rude.set()
        await said.wait()
        assert await ask() == b"[1]"
        await client.close()
        await blob.close()
        gone.set()


async def test_a_change_whose_answer_is_lost_says_so_and_is_not_repeated(server: Any, connect: Any) -> None:
    server.on("/x", server.cut())
    with pytest.raises(LostReplyError) as lost:
        await connect(server.url).send("DELETE", "x", subject=PLACE)
    assert len(server.requests) == 1
    assert lost.value.code == 4


async def test_a_change_over_a_kept_connection_that_was_closed_is_not_repeated_either(
    server: Any, connect: Any
) -> None:
    server.on("/x", server.reply(), server.cut(), server.reply())
    client = connect(server.url)
    await client.get("x", subject=PLACE)
    with pytest.raises(LostReplyError):
        await client.send("DELETE", "x", subject=PLACE)
    assert [request.method for request in server.requests] == ["GET", "DELETE"]


async def test_a_change_that_was_never_sent_is_not_called_lost(server: Any, connect: Any) -> None:
    with pytest.raises(NetworkError) as failed:
        await connect("http://127.0.0.1:9").send("DELETE", "x", subject=PLACE)
    assert not isinstance(failed.value, LostReplyError)
    assert "127.0.0.1:9 cannot be reached" in str(failed.value)


async def test_a_silent_service_is_given_up(server: Any, connect: Any, profile: Profile) -> None:
    server.on("/x", server.silent())
    hasty = replace(profile, timeouts=Timeouts(connect=1, read=0.2, give_up=0.1))
    with pytest.raises(NetworkError, match="stopped answering"):
        await connect(server.url, using=hasty).get("x", subject=PLACE)


async def test_a_dripping_answer_is_given_up_although_it_never_stops(
    server: Any, connect: Any, profile: Profile
) -> None:
    server.on("/x", server.reply(200, b"[" + b" " * 2000 + b"]", drip=0.02))
    hasty = replace(profile, timeouts=Timeouts(connect=1, read=1, stall=0.3, give_up=0.1))
    began = time.monotonic()
    with pytest.raises(NetworkError, match="too slowly"):
        await connect(server.url, using=hasty).get("x", subject=PLACE)
    assert time.monotonic() - began < PROMPTLY


async def test_a_token_that_ended_is_renewed_once_and_nobody_notices(server: Any, connect: Any, tokens: Any) -> None:
    server.on("/x", server.reply(401, b""), server.reply())
    await connect(server.url).get("x", subject=PLACE)
    assert [request.headers["authorization"] for request in server.requests] == [
        "Bearer canary-token-1",
        "Bearer canary-token-2",
    ]


async def test_a_renewed_token_can_end_too(server: Any, connect: Any, tokens: Any) -> None:
    server.on("/x", server.reply(401, b""), server.reply(), server.reply(401, b""), server.reply())
    client = connect(server.url)
    await client.get("x", subject=PLACE)
    await client.get("x", subject=PLACE)
    assert tokens.given == 3


async def test_two_refusals_in_a_row_are_a_refused_login(server: Any, connect: Any, tokens: Any) -> None:
    server.on("/x", server.reply(401, b""))
    with pytest.raises(LoginError) as refused:
        await connect(server.url).get("x", subject=PLACE)
    assert (refused.value.code, tokens.given, len(server.requests)) == (3, 2, 2)


async def test_ten_refused_calls_share_one_new_token(server: Any, connect: Any, tokens: Any, profile: Profile) -> None:
    client = connect(server.url, using=replace(profile, concurrency=10))
    server.on("/x", *[server.reply(401, b"")] * 10, server.reply())
    await asyncio.gather(*(client.get("x", subject=PLACE) for _ in range(10)))
    assert tokens.given == 2


async def test_a_doubtful_refusal_is_tried_with_a_new_token_once_per_token(
    server: Any, connect: Any, tokens: Any
) -> None:
    server.on("/x", server.reply(403))
    client = connect(server.url, renew_on=frozenset({401, 403}))
    for _ in range(3):
        with pytest.raises(ForbiddenError):
            await client.get("x", subject=PLACE)
    assert tokens.given == 2
    assert len(server.requests) == 4


async def test_a_redirect_within_the_host_is_followed_once_with_credentials(server: Any, connect: Any) -> None:
    server.on("/x", server.reply(307, b"", location="/y?a=%2F"))
    server.on("/y", server.json([2]))
    assert (await connect(server.url).get("x", subject=PLACE)).body == b"[2]"
    assert server.requests[1].target == "/y?a=%2F"
    server.on("/y", server.reply(302, b"", location="/x"))
    with pytest.raises(UnsafeError):
        await connect(server.url).get("x", subject=PLACE)
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_gets_nothing(
    server: Any, start: Any, connect: Any, canaries: Any, status: int
) -> None:
    other = await start()
    server.on("/x", server.reply(status, b"", location=f"{other.url}/steal?s=canary-query"))
    with pytest.raises(UnsafeError) as refused:
        await connect(server.url).get("x", subject=PLACE)
    assert refused.value.code == 7
    assert "canary" not in str(refused.value)
    assert other.connections == 0


@pytest.mark.parametrize(
    "location",
    ["//evil.example/x", "https://127.0.0.1:{port}/x", "http://user@127.0.0.1:{port}/x", "http://[bad/x", "ftp://x/y"],
)
async def test_a_redirect_in_disguise_is_refused(server: Any, connect: Any, location: str) -> None:
    server.on("/x", server.reply(302, b"", location=location.format(port=server.port)))
    with pytest.raises(UnsafeError):
        await connect(server.url).get("x", subject=PLACE)
    assert len(server.requests) == 1


@pytest.mark.parametrize("odd", ["\x9b31m", "\x1b[31m", "\u202e"])
async def test_a_redirect_to_a_host_with_control_characters_is_refused_and_no_terminal_obeys_it(
    server: Any, connect: Any, odd: str
) -> None:
    server.on("/x", server.reply(302, b"", location=f"https://evil{odd}.example/x"))
    client = connect(server.url)
    with pytest.raises(UnsafeError) as refused:
        await client.get("x", subject=PLACE)
    assert str(refused.value).isprintable()
    with pytest.raises(UnsafeError):
        await client.send("PUT", "x", subject=PLACE)
    assert len(server.requests) == 2


async def test_a_wait_named_by_a_rate_limit_header_is_kept_too(server: Any, connect: Any) -> None:
    reset = str(int(time.time()) + 7200)
    server.on("/x", server.reply(429, x_ratelimit_reset=reset))
    with pytest.raises(ThrottledError, match="until") as raised:
        await connect(server.url).get("x", subject=PLACE)
    assert raised.value.wait == pytest.approx(7200, abs=5)
    assert len(server.requests) == 1


async def test_a_redirect_is_handed_over_to_those_who_want_it(server: Any, connect: Any) -> None:
    server.on("/x", server.reply(302, b"", location="https://elsewhere.example/blob"))
    reply = await connect(server.url).get("x", subject=PLACE, redirect=True)
    assert (reply.status, reply.location) == (302, "https://elsewhere.example/blob")


async def test_a_change_is_never_redirected(server: Any, connect: Any) -> None:
    server.on("/x", server.reply(307, b"", location="/y"))
    with pytest.raises(UnsafeError):
        await connect(server.url).send("PUT", "x", subject=PLACE)
    assert not server.asked("/y")


async def test_cookies_are_not_kept(server: Any, connect: Any) -> None:
    server.on("/x", server.reply(set_cookie="session=canary; Path=/"))
    client = connect(server.url)
    await client.get("x", subject=PLACE)
    await client.get("x", subject=PLACE)
    assert "cookie" not in server.requests[1].headers


async def test_a_small_answer_that_unpacks_to_gigabytes_is_stopped(server: Any, connect: Any) -> None:
    server.on("/x", server.zipped(b" " * (40 * 1024 * 1024)))
    with pytest.raises(ReplyError, match="larger than 32 MiB") as large:
        await connect(server.url).get("x", subject=PLACE)
    assert large.value.code == 4
    assert len(server.requests) == 1


async def test_a_zipped_answer_is_read_and_a_damaged_one_is_said_to_be(server: Any, connect: Any) -> None:
    whole = server.zipped(b'{"a": 1}')
    server.on("/x", whole)
    assert (await connect(server.url).get("x", subject=PLACE)).body == b'{"a": 1}'
    head, mark, body = whole.raw.partition(b"\r\n\r\n")
    fewer = head.replace(b"content-length: %d" % len(body), b"content-length: %d" % (len(body) - 9))
    for raw in (head + mark + b"\x00" * len(body), fewer + mark + body[:-9]):
        server.on("/x", server.cut(raw))
        with pytest.raises(ReplyError, match="damaged"):
            await connect(server.url).get("x", subject=PLACE)
    server.on("/x", server.reply(content_encoding="br"))
    with pytest.raises(ReplyError, match="encoded"):
        await connect(server.url).get("x", subject=PLACE)


async def test_headers_without_end_are_refused(server: Any, connect: Any, profile: Profile) -> None:
    hasty = replace(profile, timeouts=Timeouts(give_up=0.0))
    server.on("/x", server.reply(x_long="y" * 1_000_000))
    with pytest.raises(StorageError) as refused:
        await connect(server.url, using=hasty).get("x", subject=PLACE)
    assert refused.value.code == 4


async def test_the_clock_of_the_service_is_compared_with_ours(server: Any, connect: Any) -> None:
    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    server.on("/x", server.reply(date=ahead))
    client = connect(server.url)
    await client.get("x", subject=PLACE)
    assert client.clock_skew == pytest.approx(600, abs=5)
    assert client.note == "this machine's clock is 10 min behind"


async def test_every_refusal_is_about_what_was_asked_for(server: Any, connect: Any) -> None:
    server.on("/x", server.json({"message": "gone fishing"}, 404))
    with pytest.raises(MissingError) as missing:
        await connect(server.url).get("x", [("key", "canary-query")], subject=PLACE)
    assert str(missing.value) == f"{PLACE}: not found: gone fishing."


# One owner of retries, one renewal of the token


async def test_below_an_owner_of_retries_a_call_is_made_once(
    server: Any, connect: Any, clock: Any, profile: Profile
) -> None:
    server.on("/x", server.reply(500))
    client, budget = connect(server.url, clock=clock), RetryBudget(clock, 60)
    with budget.owning_retries(), pytest.raises(UnavailableError):
        await client.get("x", subject=PLACE)
    assert (len(server.requests), clock.pauses) == (1, [])


async def test_a_token_that_cannot_be_had_is_tried_for_by_the_call_alone(
    server: Any, profile: Profile, clock: Any
) -> None:
    server.on("/token", server.reply(503))
    patient = replace(profile, timeouts=Timeouts(give_up=1000))
    tokens = ApiClient(patient, server.url, clock=clock)

    async def fetch() -> AccessToken:
        await tokens.post_form("token", (), (), {}, PLACE)
        raise AssertionError("there is no token")

    client = ApiClient(patient, server.url, Login(fetch), clock=clock)
    began = clock.monotonic()
    with pytest.raises(UnavailableError):
        await client.get("x", subject=PLACE)
    assert 999 < clock.monotonic() - began < 1100
    assert len(server.requests) == len(clock.pauses) + 1
    await client.close()
    await tokens.close()


async def test_callers_that_wait_for_one_token_each_hear_their_own_error(server: Any, profile: Profile) -> None:
    given = 0

    async def fetch() -> AccessToken:
        nonlocal given
        given += 1
        await asyncio.sleep(0.05)
        raise LoginError("the service refuses the login")

    client = ApiClient(profile, server.url, Login(fetch))
    failed = await asyncio.gather(
        *(client.get("x", subject=f"acme:{number}") for number in range(4)), return_exceptions=True
    )
    assert given == 1
    assert all(isinstance(error, LoginError) for error in failed)
    assert len({id(error) for error in failed}) == 4
    await client.close()


async def test_a_caller_that_is_cancelled_leaves_the_token_to_the_others(
    server: Any, connect: Any, tokens: Any
) -> None:
    server.on("/x", server.reply())
    client = connect(server.url)
    first, second = (asyncio.ensure_future(client.get("x", subject=PLACE)) for _ in range(2))
    await asyncio.sleep(0.005)
    first.cancel()
    assert (await second).status == 200
    assert tokens.given == 1


async def test_a_login_that_is_refused_for_good_is_renewed_once_and_not_at_every_call(
    server: Any, connect: Any, tokens: Any
) -> None:
    server.on("/x", server.reply(401, b""))
    client = connect(server.url)
    for _ in range(5):
        with pytest.raises(LoginError):
            await client.get("x", subject=PLACE)
    assert tokens.given == 2
    assert len(server.requests) == 6
    # Elsewhere the token is good, and renewed again once it has really ended.
    server.on("/y", server.reply(), server.reply(401, b""), server.reply())
    await client.get("y", subject=PLACE)


@pytest.mark.parametrize("token", ["tokén", "a b", "a\nb", "", "x\x7f"])
async def test_a_token_that_no_header_can_carry_is_a_clear_error(server: Any, profile: Profile, token: str) -> None:
    async def fetch() -> AccessToken:
        return AccessToken(Secret(token), 3600)

    client = ApiClient(profile, server.url, Login(fetch))
    with pytest.raises(ReplyError, match="a token that cannot be sent") as failed:
        await client.get("x", subject=PLACE)
    assert failed.value.code == 4
    assert not token or token not in str(failed.value)
    assert server.requests == []
    await client.close()


# Hosts


@pytest.mark.parametrize(
    ("base", "location", "followed"),
    [
        ("https://api.example.com", "https://api.example.com:443/y", True),
        ("https://api.example.com:443", "https://api.example.com/y", True),
        ("https://api.example.com:443", "/y", True),
        ("https://api.example.com", "https://API.example.com/y", True),
        ("https://api.example.com", "https://api.example.com:8443/y", False),
        ("https://api.example.com", "http://api.example.com:443/y", False),
        ("http://localhost:80", "http://localhost/y", True),
    ],
)
def test_a_port_that_goes_without_saying_is_the_same_host(base: str, location: str, followed: bool) -> None:
    goal, name = redirect_target(base, "/x", location)
    assert goal == ("/y" if followed else None)
    assert name in base


# What a service hears from us it may say again


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
@pytest.mark.parametrize(
    "shape",
    ['{"message": "bad request: %s"}', '{"error": "%s"}', "<Error><Code>%s</Code><Message>for %s</Message></Error>",
     "<html><title>%s</title></html>", "plain %s", '{"detail": "' + "x" * 185 + '%s"}'],
)  # fmt: skip
async def test_secrets_that_a_service_echoes_are_masked(
    server: Any, profile: Profile, status: int, shape: str, canaries: tuple[str, ...]
) -> None:
    secret = await read_secret(profile, "secret")
    key = await read_secret(profile, "api_key")

    async def fetch() -> AccessToken:
        return AccessToken(Secret("canary-token-of-ours"), 3600)

    client = ApiClient(
        replace(profile, timeouts=Timeouts(give_up=0)), server.url, Login(fetch, lambda: {"x-api-key": key})
    )
    login = basic("me", secret).reveal().removeprefix("Basic ")
    for leak in (
        secret.reveal(),
        key.reveal(),
        "canary-token-of-ours",
        login,
        quote(login),
    ):
        server.on("/x", server.reply(status, shape.replace("%s", leak)))
        with pytest.raises(StorageError) as failed:
            await client.get("x", subject=PLACE)
        said = f"{failed.value} {failed.value.service_code} {failed.value.service_message} {failed.value!r}"
        assert leak[:8] not in said
        assert "canary-" not in said
    await client.close()
