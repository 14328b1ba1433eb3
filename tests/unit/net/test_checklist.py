"""Looking at one thing after the other until one is wrong."""

import pytest

from cloudstore_tui.core.errors import LoginError
from cloudstore_tui.net.checklist import Checklist, Doubt


async def well() -> str | Doubt:
    return "is there"


async def doubtful() -> str | Doubt:
    return Doubt("is odd", "Look at it.")


async def wrong() -> str | Doubt:
    raise LoginError("the key is refused", subject="acme", hint="Check it.")


async def test_what_comes_after_a_failure_is_not_looked_at() -> None:
    checklist = Checklist("acme", lambda: 0.0)
    assert not await checklist.run([("one", well), ("two", wrong), ("three", well)])
    one, two = checklist.end(ok=False)
    assert (one.title, one.ok, one.text) == ("one", True, "is there")
    assert (two.title, two.ok, two.text) == ("two", False, "acme: the key is refused. Check it.")
    assert isinstance(two.error, LoginError)


async def test_a_doubt_ends_nothing_and_has_a_cure() -> None:
    checklist = Checklist("acme", lambda: 0.0)
    assert await checklist.run([("one", doubtful), ("two", well)])
    one, two, clock = checklist.end(ok=True)
    assert (one.ok, one.text, one.hint, one.error) == (False, "is odd", "Look at it.", None)
    assert two.ok
    assert clock.text == "agrees with the service"


@pytest.mark.parametrize(
    ("skew", "ok", "fails", "text"),
    [
        (60, True, False, "agrees with the service"),
        (-61, False, False, "this machine's clock is 61 s ahead"),
        (300, False, False, "this machine's clock is 5 min behind"),
        (-172_800, False, True, "acme: this machine's clock is 2 days ahead. Set it"),
        (301, False, True, "acme: this machine's clock is 5 min behind. Set it"),
    ],
)
async def test_a_clock_is_a_doubt_from_one_minute_on_and_wrong_from_five(
    skew: float, *, ok: bool, fails: bool, text: str
) -> None:
    (clock,) = Checklist("acme", lambda: skew).end(ok=True)
    assert (clock.ok, clock.error is not None) == (ok, fails)
    assert clock.text.startswith(text)
    assert ok or "Set it" in clock.hint + clock.text


async def test_a_clock_that_is_off_stands_before_what_may_come_of_it() -> None:
    checklist = Checklist("acme", lambda: 1800.0)
    await checklist.run([("token", wrong), ("more", well)])
    assert [check.title for check in checklist.end(ok=False)] == ["clock", "token"]
