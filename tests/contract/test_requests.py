"""How many requests everything costs, as docs/performance.md says."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Sandbox
from cloudstore_tui.transfers.engine_thread import EngineThread
from tests.support.commands import Cloudstore
from tests.support.sandbox import own_sandbox
from tests.support.screen import text_of
from tests.support.waiting import PATIENCE

PAGE = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| `([^`]+)` \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
STEPS = {
    step: (int(api), int(blob))
    for step, api, blob in re.findall(r"^\| ([a-z][^|`]+) \| (\d+) \| (\d+) \|$", PAGE, re.M)
}


sandbox_server = own_sandbox()
"""How often is asked depends on how many objects there are, and other tests delete some."""


def asked(sandbox: Sandbox) -> tuple[int, int]:
    """Requests to the API and for bytes that the sandbox has seen."""
    roles = [seen.role for seen in sandbox.log.requests]
    return roles.count("api"), roles.count("blob")


def test_every_command_asks_as_often_as_the_page_says(cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = cloudstore("ls", "acme8:us-east/", "--json").records
    first, other = [row for row in rows if row["state"] == "AVAILABLE" and row["size"] < 3_000_000][:2]
    (tmp_path / "plan.csv").write_text("1,2")
    words = {
        "ID": f"acme8:us-east/{first['id']}",
        "OTHER": f"acme8:us-east/{other['id']}",
        "KEY": "acme:exports/reporting/enterprise-historical/enterprise-historical-20240805.tar",
        "CALL": f"callId:{first['tags']['callId']}",
        "FILE": "plan.csv",
    }
    counted = []
    for command, _api, _blob in COMMANDS:
        arguments = [re.sub("|".join(words), lambda found: words[found[0]], word) for word in command.split()]
        sandbox.log.clear()
        done = cloudstore(*arguments)
        assert done.code == 0, f"{command}: {done.err}"
        counted.append((command, *map(str, asked(sandbox))))
    assert counted == COMMANDS


@pytest.fixture
async def browser(config: Config, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Any]:
    sandbox.log.clear()
    profile = config.profiles["acme8"]
    spec = next(spec for spec in PROVIDERS if spec.name == profile.provider)
    engine = EngineThread({"acme8": partial(spec.open, profile)}, 4, config.settings.timeouts)
    engine.start()
    start = engine.providers["acme8"].locate("us-east/").child("voicemail")
    app = CloudStoreApp(engine, config, start=start, download_dir=tmp_path / "down")
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            yield pilot, engine
    finally:
        engine.stop()


async def test_the_browser_asks_as_often_as_the_page_says(browser: Any, sandbox: Sandbox) -> None:
    pilot, engine = browser

    def text() -> str:
        return text_of(pilot.app)

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await pilot.pause(0.02)

    def ended(count: int) -> bool:
        states = [transfer.state for transfer in engine.snapshot()]
        return len(states) == count and all(state.ended for state in states)

    counted = {}

    def count(step: str) -> None:
        counted[step] = asked(sandbox)
        sandbox.log.clear()

    await until(lambda: "row 1 of" in text() and "Everything" in text() and " · │" not in text())
    count("the first look at a region")
    await pilot.press("ctrl+g", *["backspace"] * 40, *"acme8:us-east/callcenterrecording/", "enter")
    await until(lambda: "Call recordings" in text().splitlines()[0] and "100 loaded" in text())
    count("opening the recordings of a region")
    await pilot.press("down", "down", "up")
    count("walking down the list with the detail beside it")
    await pilot.press("p")
    await until(lambda: "MP3 audio" in text())
    count("a preview")
    await pilot.press("escape", "d")
    await until(lambda: ended(1))
    count("downloading the object under the cursor")
    await pilot.press("down", "space", "space", "d")
    await until(lambda: ended(3))
    count("downloading two marked objects")
    await pilot.press("full_stop")
    await until(lambda: "Sentiment" in text())
    count("opening a call of four objects, found in two rounds")
    assert counted == STEPS
