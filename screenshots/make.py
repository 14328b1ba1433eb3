"""Makes the pictures of the README: the real browser on a sandbox, driven by keys.

Run: uv run python screenshots/make.py            makes all of them
     uv run python screenshots/make.py --check    says which are out of date, and changes nothing
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config, load_config
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions
from cloudstore_tui.transfers.engine_thread import EngineThread

HERE = Path(__file__).parent
LONGEST, STILL, LOOK = 0.8, 0.25, 0.05
"""Seconds after each key: at most, without any change, and between two looks."""


@dataclass(frozen=True)
class Picture:
    """One picture: a size, a theme, and the keys that lead to it."""

    name: str
    keys: Sequence[str]
    size: tuple[int, int] = (120, 40)
    theme: str = "cloudstore-dark"


INTO_ALVARIA = ("l", "j", "l", *("j",) * 9, "l", "j", "enter")
INTO_CALLS = ("G", "l", "j", "l", *("j",) * 3, "enter")
PICTURES = (
    Picture("browser", (*INTO_CALLS, "j", "space", "j", "space", "j")),
    Picture("folder", (*INTO_ALVARIA, "j", "j", "d")),
    Picture("link", (*INTO_CALLS, "j", "y")),
    Picture("call", (*INTO_CALLS, *("j",) * 4, "full_stop")),
    Picture("transfers", (*INTO_CALLS, "j", "d", "j", *("space", "j") * 5, "z", "t")),
    Picture("preview", (*INTO_CALLS, *("j",) * 4, "p")),
    Picture("bars", (*INTO_CALLS, "b")),
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
    engine = EngineThread(openers, config.settings.transfers, config.settings.timeouts)
    engine.start()
    try:
        app = CloudStoreApp(engine, config, download_dir=folder / "downloads")
        app.theme = picture.theme
        async with app.run_test(size=picture.size) as pilot:
            await press(pilot, picture.keys)
            return masked(app.export_screenshot(title="cloudstore"))
    finally:
        engine.stop()


async def press(pilot: Pilot[None], keys: Sequence[str]) -> None:
    """Type keys as a person would: one after the other, each seen before the next."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing is under way and the screen stands still, but not for what never ends."""
    clock = asyncio.get_running_loop().time
    end = clock() + LONGEST
    seen, since = "", clock()
    while clock() < end:
        await pilot.pause(LOOK)
        shown = pilot.app.export_screenshot()
        if shown != seen:
            seen, since = shown, clock()
        elif clock() - since >= STILL and all(worker.is_finished for worker in pilot.app.workers):
            return


def masked(svg: str) -> str:
    """A picture without what is different each time: ports, times, and signatures of links."""
    svg = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8899", svg)
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"token&#160;\d+&#160;min", "token&#160;29&#160;min", svg)
    svg = re.sub(r'<rect [^>]*width="0"[^>]*/>', "", svg)
    svg = re.sub(
        r"Ends&#160;\S+?&#160;[\d:]+&#160;UTC,&#160;in&#160;\d+&#160;minutes",
        "Ends&#160;2024-09-02&#160;09:42:00&#160;UTC,&#160;in&#160;29&#160;minutes",
        svg,
    )
    # The time of a link and its signature may be cut by the end of a line: what is left of them stays as long.
    svg = re.sub(r"\d{5,8}T\d{6}Z", lambda found: "20240902T091200Z"[-len(found[0]) :], svg)
    svg = re.sub(r"(?<=%2F)\d{8}(?=%2F)", "20240902", svg)
    return re.sub(r"(?<=Signature=)[0-9a-f]+|(?<=>)[0-9a-f]{34,}(?=<)", lambda found: "0" * len(found[0]), svg)


async def make(pictures: Sequence[Picture] = PICTURES) -> dict[str, str]:
    """The pictures by their names, each on a fresh sandbox: none depends on what was done for another."""
    made = {}
    for picture in pictures:
        with TemporaryDirectory() as folder, Sandbox(SandboxOptions(switches={"zip-seconds": "600"})) as ready:
            made[picture.name] = await shoot(picture, load_config(ready.config, PROVIDERS), Path(folder))
    return made


def out_of_date(pictures: dict[str, str]) -> list[str]:
    """The names of those that are not as they are kept here."""
    return [name for name, svg in pictures.items() if not is_current(HERE / f"{name}.svg", svg)]


def is_current(path: Path, svg: str) -> bool:
    """Whether a file holds a picture."""
    return path.exists() and path.read_text(encoding="utf-8") == svg


def main(arguments: Sequence[str]) -> int:
    """Make every picture, or look whether they are current."""
    parser = argparse.ArgumentParser(description="Makes the pictures of the README.")
    parser.add_argument("--check", action="store_true", help="only say which are out of date")
    wanted = parser.parse_args(arguments)
    os.environ.pop("NO_COLOR", None)
    made = asyncio.run(make())
    old = out_of_date(made)
    if not wanted.check:
        for name in old:
            (HERE / f"{name}.svg").write_text(made[name], encoding="utf-8")
    said = "is out of date: run screenshots/make.py" if wanted.check else "made"
    sys.stdout.writelines(f"{name}.svg {said}\n" for name in old)
    return 1 if old and wanted.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
