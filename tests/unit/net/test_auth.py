"""When a token is fetched, renewed, used on, and how long it is believed."""

import asyncio
import math
import threading
import time
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ConfigError,
    LoginError,
    NetworkError,
    ReplyError,
    StorageError,
    UnavailableError,
    UnsafeError,
)
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.net import channel
from cloudstore_tui.net.api import ApiClient
from cloudstore_tui.net.auth import MIN_REMAINING_S, AccessToken, Login, basic, read_secret, token_life
from cloudstore_tui.net.clock import ClockReading
from tests.support.waiting import PATIENCE, PROMPTLY

FORM = [("grant_type", "client_credentials"), ("scope", "a b"), ("realm", "acme")]


class Time:
    """Two clocks that a test moves."""

    def __init__(self) -> None:
        self.wall, self.started = 1_700_000_000.0, 5_000.0

    def __call__(self) -> ClockReading:
        return ClockReading(self.wall, self.started)

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.started += seconds


class Source:
    """Tokens, or failures while the service is down."""

    def __init__(self, life: float = 1800.0) -> None:
        self.life = life
        self.given = 0
        self.failed = 0
        self.down = False
        self.failure: StorageError = UnavailableError("the token service is down")

    async def __call__(self) -> AccessToken:
        await asyncio.sleep(0)
        if self.down:
            self.failed += 1
            raise self.failure
        self.given += 1
        return AccessToken(Secret(f"t{self.given}"), self.life)


async def test_a_day_of_half_hour_tokens_takes_one_request_each_and_never_an_old_token() -> None:
    clock, source = Time(), Source()
    login = Login(source, clock=clock)
    fetched = clock.wall
    for _minute in range(24 * 60):
        before = source.given
        await asyncio.gather(*(login.headers() for _ in range(10)))
        assert source.given <= before + 1
        fetched = clock.wall if source.given > before else fetched
        assert clock.wall - fetched < 1800 - 120
        clock.pass_(60)
    assert source.given == 24 * 60 // 24


@pytest.mark.parametrize("clock_name", ["wall", "started"])
async def test_either_clock_can_end_a_token(clock_name: str) -> None:
    clock, source = Time(), Source()
    login = Login(source, clock=clock)
    await login.headers()
    setattr(clock, clock_name, getattr(clock, clock_name) + 1799)
    await login.headers()
    assert source.given == 2


@pytest.mark.parametrize(
    ("wall", "started"),
    [(7 * 86_400, 7 * 86_400), (7 * 86_400, 0), (-7 * 86_400, 0), (0, 1799)],
    ids=["slept", "slept, uncounted", "set back", "set right"],
)
async def test_a_machine_that_slept_or_got_another_time_asks_once_at_most(wall: float, started: float) -> None:
    clock, source = Time(), Source()
    login = Login(source, clock=clock)
    await login.headers()
    clock.wall += wall
    clock.started += started
    for _second in range(60):
        await asyncio.gather(*(login.headers() for _ in range(10)))
        clock.pass_(1)
    assert source.given <= 2


async def test_a_new_token_that_was_refused_is_replaced_after_a_while_where_the_refusal_is_about_it() -> None:
    clock, source = Time(), Source()
    login = Login(source, clock=clock)
    used = await login.headers()
    login.mark_rejected(used)
    assert not await login.renew(used)
    clock.pass_(31)
    assert not await login.renew(used, certain=False)
    assert await login.renew(used)
    assert source.given == 2


async def test_a_token_that_is_still_good_bridges_a_service_that_is_down() -> None:
    clock, source = Time(), Source()
    login = Login(source, clock=clock)
    first = await login.headers()
    source.down = True
    clock.pass_(1800 * 0.8 + 1)
    assert await login.headers() is first
    assert await login.headers() is first
    assert source.failed == 1, "asked again at once"
    clock.pass_(31)
    assert await login.headers() is first
    assert source.failed == 2
    clock.pass_(250)
    with pytest.raises(UnavailableError):
        await login.headers()
    source.down = False
    assert await login.headers() is not first


@pytest.mark.parametrize("failure", [LoginError("refused"), ConfigError("no secret"), ReplyError("no token")])
async def test_a_token_that_is_still_good_is_used_though_its_renewal_is_refused(failure: StorageError) -> None:
    clock, source = Time(), Source()
    login = Login(source, clock=clock)
    first = await login.headers()
    source.down, source.failure = True, failure
    clock.pass_(1800 * 0.8 + 1)
    assert await login.headers() is first
    clock.pass_(1800 - 1800 * 0.8 - MIN_REMAINING_S - 2)
    assert await login.headers() is first
    clock.pass_(2)
    with pytest.raises(type(failure)):
        await login.headers()


async def test_nobody_waits_for_the_renewal_of_a_token_that_is_still_good() -> None:
    clock, source = Time(), Source()
    login = Login(source, clock=clock)
    first = await login.headers()
    clock.pass_(1800 * 0.9)
    renewing = asyncio.ensure_future(login.headers())
    await asyncio.sleep(0)
    assert await login.headers() is first
    assert not renewing.done()
    assert await renewing is not first
    assert source.given == 2


async def test_a_short_token_is_used_for_most_of_its_life() -> None:
    clock, source = Time(), Source(life=60)
    login = Login(source, clock=clock)
    await login.headers()
    clock.pass_(45)
    await login.headers()
    assert source.given == 1
    clock.pass_(5)
    await login.headers()
    assert source.given == 2


@pytest.mark.parametrize(
    ("raw", "life"),
    [
        ("1799", 1799), (3599, 3599), (0, 60), (-1, 60), ("abc", 900), (10**12, 86_400), (None, 900), ("", 900),
        (True, 900), (math.nan, 900), (math.inf, 86_400), (" 1799 ", 1799), ([], 900), ("9" * 400, 86_400),
    ],
)  # fmt: skip
def test_a_life_is_read_in_every_form_and_held_within_limits(raw: object, life: float) -> None:
    assert token_life(raw) == life


async def test_the_end_of_the_token_is_known() -> None:
    login = Login(Source(life=900))
    assert login.ends is None
    await login.headers()
    assert login.ends is not None
    assert login.ends.timestamp() == pytest.approx(time.time() + 900, abs=5)


async def test_a_token_replaced_meanwhile_is_not_replaced_again() -> None:
    source = Source()
    login = Login(source)
    used = await login.headers()
    await asyncio.gather(login.renew(used), login.renew(used), login.renew(used))
    assert await login.renew(used), "a refusal that comes late is about the token before"
    assert source.given == 2


async def test_a_cancelled_login_leaves_the_next_one_free() -> None:
    source = Source()
    login = Login(source)
    task = asyncio.ensure_future(login.headers())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await login.headers()


async def ask(client: ApiClient, profile: Profile) -> Any:
    secret = await read_secret(profile, "secret")
    return await client.post_form("token", [("realm", "acme")], FORM, {"Authorization": basic("me", secret)}, "acme")


async def test_a_token_request_is_sent_exactly_so(server: Any, profile: Profile) -> None:
    server.on("/token", server.json({"access_token": "x"}))
    client = ApiClient(profile, server.url)
    await ask(client, profile)
    await client.close()
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/token?realm=acme")
    assert request.body == b"grant_type=client_credentials&scope=a%20b&realm=acme"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["authorization"] == "Basic bWU6Y2FuYXJ5LWNsaWVudC1zZWNyZXQ="
    assert "x-api-key" not in request.headers


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, {"error": "invalid_client"}, LoginError, "invalid_client"),
        (400, {"error": "invalid_scope"}, LoginError, "refuses the login: invalid_scope"),
        (400, {"ErrorCode": "invalid_client", "Error": "Client is bad"}, LoginError, "Client is bad"),
        (403, {}, LoginError, "not allow"),
        (404, {}, ConfigError, "no token service"),
        (302, {}, UnsafeError, "redirect .*addresses in the profile"),
    ],
)
async def test_a_refused_token_says_why_at_once(
    server: Any, profile: Profile, status: int, body: object, error: type[Exception], words: str
) -> None:
    server.on("/token", server.json(body, status))
    client = ApiClient(profile, server.url)
    with pytest.raises(error, match=words) as refused:
        await ask(client, profile)
    await client.close()
    assert len(server.requests) == 1
    assert "canary" not in str(refused.value)


async def test_a_token_service_that_hangs_is_given_up_earlier_than_the_api(
    server: Any, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "TOKEN_TIMEOUT", 0.2)
    server.on("/token", server.silent())
    client = ApiClient(replace(profile, timeouts=Timeouts(read=20, give_up=0)), server.url)
    began = time.monotonic()
    with pytest.raises(NetworkError, match="does not answer"):
        await ask(client, profile)
    assert time.monotonic() - began < PROMPTLY
    await client.close()


async def test_a_token_call_does_not_count_for_the_pace(server: Any, profile: Profile) -> None:
    server.on("/token", server.json({"access_token": "x"}))
    client = ApiClient(replace(profile, requests_per_minute=1, concurrency=1), server.url)
    async with asyncio.timeout(PATIENCE):
        for _ in range(5):
            await ask(client, profile)
    await client.close()


async def test_a_slow_secret_does_not_stop_the_loop_and_does_not_hold_up_the_end(profile: Profile) -> None:
    release = threading.Event()

    def slow(_name: str) -> Secret:
        release.wait(PATIENCE)
        return Secret("late")

    task = asyncio.ensure_future(read_secret(replace(profile, secrets=slow), "secret"))
    await asyncio.sleep(0.02)
    assert not task.done()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "secret")
    release.set()
    assert (await task).reveal() == "late"


@pytest.mark.parametrize("text", ["ümlaut", "new\nline", "tab\there"])
async def test_a_secret_that_no_header_can_carry_is_an_error_without_it(profile: Profile, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await read_secret(replace(profile, secrets=lambda _name: Secret(text)), "api_key")
    assert text not in str(refused.value)
    assert "api_key" in str(refused.value)


async def test_a_missing_secret_is_reported_as_the_configuration_reports_it(profile: Profile) -> None:
    def none(name: str) -> Secret:
        raise ConfigError(f"no {name} found", hint="Set CLOUDSTORE_ACME_SECRET.")

    with pytest.raises(ConfigError, match="CLOUDSTORE_ACME_SECRET"):
        await read_secret(replace(profile, secrets=none), "secret")
