"""With the mask on, nobody of the sandbox's company can be told from any screen."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.eightbyeight.model import AGENTS, customer
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.ui.mask import MASK
from tests.support.screen import text_of

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


async def test_nobody_can_be_told_from_any_screen(driven: Pilot[None]) -> None:
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


async def test_without_the_mask_they_can_be_told(driven: Pilot[None]) -> None:
    pilot = driven
    await settle(pilot)
    await pilot.press("M")
    text = await settle(pilot)
    assert len(told_of(text)) > 5
