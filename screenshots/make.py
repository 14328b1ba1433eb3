"""Makes the pictures of the README: the real browser on a sandbox, driven by keys.

Run: uv run python screenshots/make.py
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.load import Config, load_config
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions
from cloudstore_tui.transfers.backstage import Backstage

HERE = Path(__file__).parent
SETTLE = 0.8
"""Seconds after each key, for the sandbox to answer."""


@dataclass(frozen=True)
class Picture:
    """One picture: a size, and the keys that lead to it."""

    name: str
    keys: Sequence[str]
    size: tuple[int, int] = (120, 40)


INTO_ALVARIA = ("l", "j", "l", *("j",) * 9, "l", "j", "enter")
INTO_CALLS = ("G", "l", "j", "l", *("j",) * 3, "enter")
PICTURES = (
    Picture("browser", (*INTO_CALLS, "j", "space", "j", "space", "j")),
    Picture("folder", (*INTO_ALVARIA, "j", "j", "d")),
    Picture("link", (*INTO_CALLS, "j", "y")),
    Picture("call", (*INTO_CALLS, *("j",) * 4, "full_stop")),
    Picture("transfers", (*INTO_CALLS, "j", "d", "j", *("space", "j") * 5, "z", "t")),
    Picture("small", (*INTO_CALLS, "j"), (80, 24)),
)


async def shoot(picture: Picture, config: Config, folder: Path) -> str:
    """The picture as SVG."""
    openers = {
        profile.name: partial(spec.open, profile)
        for profile in config.profiles.values()
        for spec in PROVIDERS
        if spec.name == profile.provider and profile.name != "acme-v2"
    }
    backstage = Backstage(openers, config.settings.transfers, config.settings.timeouts)
    backstage.start()
    try:
        app = CloudStoreApp(backstage, config, download_dir=folder / "downloads")
        async with app.run_test(size=picture.size) as pilot:
            await press(pilot, picture.keys)
            return masked(app.export_screenshot(title="cloudstore"))
    finally:
        backstage.stop()


async def press(pilot: Pilot[None], keys: Sequence[str]) -> None:
    """Type keys as a person would: one after the other, each seen before the next."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause(SETTLE)


def masked(svg: str) -> str:
    """A picture without what is different each time: ports, signatures and times of links."""
    svg = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8899", svg)
    return re.sub(r"terminal-\d+", "terminal", svg)


async def main() -> None:
    """Make every picture."""
    with TemporaryDirectory() as folder, Sandbox(SandboxOptions(switches={"zip-seconds": "600"})) as ready:
        config = load_config(ready.config, PROVIDERS)
        for picture in PICTURES:
            svg = await shoot(picture, config, Path(folder))
            (HERE / f"{picture.name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
