"""With the mask on, nobody can be told from any screen."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.links import Piece
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.eightbyeight.model import AGENTS, customer
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.ui.mask import MASK
from tests.support.screen import text_of

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


CUSTOMERS = [customer(number) for number in range(4_000)]
PEOPLE = {
    *(agent.name for agent in AGENTS),
    *(agent.email for agent in AGENTS),
    *(known.phone.removeprefix("+") for known in CUSTOMERS),
    *(known.name for known in CUSTOMERS),
}
STEPS = (
    ("a list", ()),
    ("its columns", ("c", "escape")),
    ("the detail of a row", ("j", "j", "enter", "escape")),
    ("bars", ("b", "right", "right", "right")),
    ("bars, closed", ("escape",)),
    ("a link", ("y",)),
    ("a link alone", ("v", "escape", "escape")),
    ("what can be copied", ("Y", "down", "down", "down", "down", "down", "escape")),
    ("an address", ("Y", "enter")),
    ("a call", ("full_stop",)),
    ("an object of a call", ("j", "j", "enter", "escape")),
    ("a download of a call", ("escape", "full_stop", "d", "enter")),
    ("a preview", ("escape", "p", "escape")),
    ("transfers", ("d", "enter", "t")),
    ("a transfer", ("enter", "escape", "escape")),
    ("a bookmark", ("m", "down", "escape")),
    ("deleting", ("X", "escape")),
    ("where to go", ("ctrl+g", "escape")),
)


@pytest.fixture
async def driven(config: Config, tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    profile = replace(config.profiles["acme8"], read_only=False)
    spec = next(spec for spec in PROVIDERS if spec.name == profile.provider)
    engine = EngineThread({"acme8": partial(spec.open, profile)}, 4, config.settings.timeouts)
    engine.start()
    settings = replace(config.settings, masked=True)
    start = engine.providers["acme8"].locate("us-east/").child("callcenterrecording")
    app = CloudStoreApp(engine, replace(config, settings=settings), start=start, download_dir=tmp_path / "down")
    try:
        async with app.run_test(size=(160, 48), notifications=True) as pilot:
            yield pilot
    finally:
        MASK.on = False
        engine.stop()


def told_of(text: str) -> list[str]:
    """Who can be told from a screen."""
    joined = re.sub(r"\s*\n[\s│]*", "", text)
    return sorted(known for known in PEOPLE if known in text or known in joined)


async def settle(pilot: Pilot[None]) -> str:
    for _ in range(100):
        await pilot.pause(0.05)
        text = text_of(pilot.app)
        if not re.search(r"loading…|looking…|asking", text):
            break
    await pilot.pause(0.1)
    return text_of(pilot.app)


async def test_nobody_can_be_identified_on_any_screen(driven: Pilot[None]) -> None:
    pilot = driven
    seen = 0
    async with asyncio.timeout(100):
        for name, keys in STEPS:
            for key in ("", *keys):
                if key:
                    await pilot.press(key)
                text = await settle(pilot) if not key or key != "j" else text_of(pilot.app)
                seen += "masked" in text.lower()
                assert told_of(text) == [], f"{name}, {key}:\n{text}"
                assert "X-Amz-Signature" not in text, name
    assert seen > 10


async def test_people_typed_into_the_bar_are_masked_in_it_and_in_what_is_said_of_it(driven: Pilot[None]) -> None:
    pilot = driven
    await settle(pilot)
    await pilot.press("f")
    await pilot.press(*'agentName=="Khang Glynn"')
    text = await settle(pilot)
    assert told_of(text) == [], text
    assert "agentName" in text
    focused = pilot.app.screen.focused
    assert isinstance(focused, Input)
    assert focused.value.endswith('"Khang Glynn"')
    await pilot.press("enter")
    text = await settle(pilot)
    assert told_of(text) == [], text


async def test_without_the_mask_they_can_be_identified(driven: Pilot[None]) -> None:
    pilot = driven
    await settle(pilot)
    await pilot.press("M")
    text = await settle(pilot)
    assert len(told_of(text)) > 5
