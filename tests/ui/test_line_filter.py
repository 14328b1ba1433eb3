"""The key that masks people, and what it does to each kind of screen."""

from collections.abc import Iterator
from typing import Any

import pytest

from cloudstore_tui.core.links import Piece
from cloudstore_tui.ui.mask import MASK

NAMES = [f"Agent {number}" for number in range(7)]
CONTACTS = b"account,first_name,last_name,phone\r\n" + b"".join(
    b"%06d,Karen,Quiroz,+1408555%04d\r\n" % (number, number) for number in range(40)
)


@pytest.fixture(autouse=True)
def _off_again() -> Iterator[None]:
    yield
    MASK.on = False


def named(text: str) -> list[str]:
    return [name for name in NAMES if name in text]


def store(data: bytes) -> dict[str, Any]:
    async def read(first: int, count: int) -> Piece:
        return Piece(data[first : first + count], len(data))

    return {"pieces": {"report-000.tar": read}}


async def test_one_key_masks_rows_and_detail_and_says_so_in_the_title(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.until(lambda: "Agent 0" in it.text)
        await it.press("M")
        assert "MASKED" in it.lines[0]
        assert named(it.text) == []
        await it.press("M")
        assert "MASKED" not in it.lines[0]
        assert "Agent 0" in it.text


async def test_it_can_begin_so(browser: Any) -> None:
    async with browser(start="acme8:us-east/", masked=True) as it:
        assert "MASKED" in it.lines[0]
        assert named(it.text) == []


async def test_the_key_is_a_letter_where_somebody_types(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f", "M")
        assert it.screen.entries.bar.line.value.endswith("M")
        assert not MASK.on


async def test_what_is_copied_is_real_and_says_so(browser: Any) -> None:
    async with browser(start="acme:exports/", masked=True) as it:
        await it.press("ctrl+g")
        it.app.screen.query_one("#address").value = "acme:exports/+16695552017/"
        await it.press("enter", "Y")
        assert it.app.clipboard == "acme:exports/+16695552017/"
        assert "It holds the real text, not the masked one." in it.notices[-1]
        assert "6695552" not in it.text


async def test_an_error_about_somebody_names_nobody(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/", masked=True) as it:
        await it.press("ctrl+g")
        it.app.screen.query_one("#address").value = "nowhere:+1 669 555 2017"
        await it.press("enter")
        assert "669" not in it.notices[-1]
        assert "669" not in it.text
        assert it.app.screen.query_one("#address").value == "nowhere:+1 669 555 2017"


async def test_a_table_in_a_preview_is_masked_by_its_columns(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/", behind=store(CONTACTS), masked=True) as it:
        await it.press("p")
        await it.until(lambda: "first_name" in it.text)
        assert not [known for known in ("Karen", "Quiroz", "1408555") if known in it.text]
        await it.press("M")
        await it.until(lambda: "Karen" in it.text)
        await it.press("M")
        await it.until(lambda: "Karen" not in it.text)


async def test_a_name_that_is_wrapped_in_a_preview_is_masked(browser: Any) -> None:
    MASK.learn_name("Khang Glynn")
    text = b"".join(b"x" * length + b" Khang Glynn.\n" for length in range(100, 125))
    async with browser(start="acme:exports/reporting/", behind=store(text), size=(120, 40), masked=True) as it:
        await it.press("p", "w")
        await it.until(lambda: "xxx" in it.text)
        assert "Khang" not in it.text
        assert "Glynn" not in it.text


async def test_another_program_is_not_masked_and_that_is_asked_first(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/", behind=store(b"x"), masked=True, opener={"text": "true"}) as it:
        await it.press("e")
        assert "The program shows the real text, not the masked one." in it.text
        await it.press("escape")
        assert it.engine.ranges == []


@pytest.mark.parametrize("key", ["t", "p"])
async def test_every_screen_says_that_it_is_masked(browser: Any, key: str) -> None:
    async with browser(start="acme:exports/reporting/", behind=store(b"words")) as it:
        await it.press(key)
        await it.until(lambda: it.app.screen is not it.screen)
        await it.press("M")
        await it.until(lambda: "MASKED" in it.lines[0])
        await it.press("M")
        await it.until(lambda: "MASKED" not in it.lines[0])
