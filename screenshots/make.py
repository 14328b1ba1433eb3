"""Makes the pictures of the README: the real browser on a sandbox, driven by keys.

Run: uv run python screenshots/make.py            makes all of them
     uv run python screenshots/make.py --check    says which are out of date, and changes nothing
     uv run python screenshots/make.py --movie    makes the moving one
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from rich.cells import cell_len
from textual.pilot import Pilot

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config, load_config
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions
from cloudstore_tui.transfers.engine_thread import EngineThread

HERE = Path(__file__).parent
STILL, POLL, PATIENCE = 1.0, 0.02, 40.0
"""Seconds without any change before a new picture is taken; between two looks; until a state has to have come."""


@dataclass(frozen=True)
class Picture:
    """One picture: a size, a theme, and the keys that lead to it."""

    name: str
    keys: Sequence[str]
    size: tuple[int, int] = (120, 40)
    theme: str = "cloudstore-dark"


OPTIONS = SandboxOptions(switches={"zip-seconds": "600"})
"""Of the sandbox that they show."""
INTO_FOLDER = ("ctrl+g", *"acme:exports/reporting/", "enter", "j", "j")
INTO_CALLS = ("ctrl+g", *"acme8:us-east/callcenterrecording/", "enter")
OF_ONE_DAY = (*INTO_CALLS, "f", *"on:2024-09-01", "enter")
OF_ONE_CALL = (*INTO_CALLS, "f", *'agent:"Khang Glynn" on:2024-09-01 dur:>10m', "enter")
PICTURES = (
    Picture("home", ("j",)),
    Picture("browser", (*OF_ONE_DAY, "j", "space", "j", "space", "j")),
    Picture("folder", (*INTO_FOLDER, "d")),
    Picture("link", (*OF_ONE_DAY, "j", "y")),
    Picture("call", (*OF_ONE_CALL, "full_stop")),
    Picture("transfers", (*OF_ONE_DAY, "j", "d", "j", *("space", "j") * 5, "z", "t")),
    Picture("preview", (*OF_ONE_CALL, "p")),
    Picture("bars", (*INTO_CALLS, "b")),
    Picture("small", (*OF_ONE_DAY, "j"), (80, 24)),
)


@asynccontextmanager
async def opened(config: Config, folder: Path, size: tuple[int, int], theme: str) -> AsyncIterator[Pilot[None]]:
    """The browser on a sandbox, in a terminal of this size."""
    openers = {
        profile.name: partial(spec.open, profile)
        for profile in config.profiles.values()
        for spec in PROVIDERS
        if spec.name == profile.provider and profile.name != "acme-v2"
    }
    engine = EngineThread(openers, config.settings.transfers, config.settings.timeouts)
    engine.start()
    home = os.environ.get("HOME")
    os.environ["HOME"] = str(folder)
    try:
        app = CloudStoreApp(engine, config, download_dir=folder / "calls")
        app.themes.use(theme)
        async with app.run_test(size=size) as pilot:
            yield pilot
    finally:
        engine.stop()
        if home is not None:
            os.environ["HOME"] = home


async def shoot(picture: Picture, config: Config, folder: Path, kept: str, patience: float) -> str:
    """The picture as SVG: as it was kept as soon as the screen shows that, or else as it is in the end."""
    async with opened(config, folder, picture.size, picture.theme) as pilot:
        for key in picture.keys:
            await pilot.press(key)
            await settle(pilot)
        return await last_look(pilot, lambda: masked(pilot.app.export_screenshot(title="cloudstore")), kept, patience)


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing is under way on the screen that is on top."""
    clock = asyncio.get_running_loop().time
    end = clock() + PATIENCE
    await pilot.pause()
    while any(not worker.is_finished and worker.node.screen is pilot.app.screen for worker in pilot.app.workers):
        if clock() > end:
            raise TimeoutError("the screen does not come to rest")
        await pilot.pause(POLL)


async def last_look(pilot: Pilot[None], look: Callable[[], str], kept: str, patience: float = PATIENCE) -> str:
    """What is kept, as soon as the screen shows it; after `patience`, or if nothing is kept, what stands still."""
    clock = asyncio.get_running_loop().time
    wanted, shown = cells(kept) if kept else None, ""
    since = start = clock()
    while True:
        if (svg := look()) != shown:
            shown, since = svg, clock()
            if wanted is not None and cells(svg) == wanted:
                return kept
        if clock() - since > STILL and (wanted is None or clock() - start > patience):
            return svg
        await pilot.pause(POLL)


def cells(svg: str | bytes) -> dict[tuple[int, int], tuple[str, ...]]:
    """What can be seen in a picture, by line and column: characters, their style, and the colour behind them.

    The same screen is written in other words by other versions of the libraries.
    """
    root = ElementTree.fromstring(svg)
    styles = dict(re.findall(r"\.([\w-]+-r\d+) \{ ([^}]*?);? \}", "".join(root.itertext())))
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    behind: dict[tuple[int, int], str] = {}
    for element in root.iter():
        kind, place = element.tag.rpartition("}")[2], element.attrib
        if kind == "rect" and place.get("shape-rendering"):
            line, first, count = _line(place, 1.5), _column(place["x"]), _column(place["width"])
            behind.update(((line, column), place["fill"]) for column in range(first, first + count))
        elif kind == "text" and place.get("class", "") in styles:
            line, column = _line(place, 20.0), _column(place["x"])
            for char in element.text or "":
                if not char.isspace():
                    found[line, column] = (char, *sorted(styles[place["class"]].split(";")))
                column += cell_len(char)
    return {at: (behind.get(at, ""), *found.get(at, ())) for at in {*found, *behind}}


def _line(place: Mapping[str, str], first: float) -> int:
    return round((float(place["y"]) - first) / 24.4)


def _column(distance: str) -> int:
    return round(float(distance) / 12.2)


def masked(svg: str) -> str:
    """A picture without what is different each time: ports, times, and signatures of links."""
    svg = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8899", svg)
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"token&#160;\d+&#160;min", "token&#160;29&#160;min", svg)
    svg = re.sub(r"(?<=&#160;)\d\d:\d\d(?=&#160;</text>)", "09:12", svg)
    svg = re.sub(r'<rect [^>]*width="0"[^>]*/>', "", svg)
    svg = re.sub(
        r"Expires&#160;in&#160;\d+&#160;minutes&#160;\(\S+?&#160;[\d:]+&#160;UTC\)",
        "Expires&#160;in&#160;29&#160;minutes&#160;(2024-09-02&#160;09:42:00&#160;UTC)",
        svg,
    )
    # The time of a link and its signature may be cut by the end of a line: what is left of them stays as long.
    svg = re.sub(r"\d{5,8}T\d{6}Z", lambda found: "20240902T091200Z"[-len(found[0]) :], svg)
    svg = re.sub(r"(?<=%2F)\d{8}(?=%2F)", "20240902", svg)
    return re.sub(r"(?<=Signature=)[0-9a-f]+|(?<=>)[0-9a-f]{34,}(?=<)", lambda found: "0" * len(found[0]), svg)


async def make(picture: Picture, kept: str, patience: float = PATIENCE) -> str:
    """A picture on a fresh sandbox: none depends on what was done for another."""
    with TemporaryDirectory() as folder, Sandbox(OPTIONS) as ready:
        return await shoot(picture, load_config(ready.config, PROVIDERS), Path(folder), kept, patience)


def kept_picture(picture: Picture) -> str:
    """The picture as it is kept here; empty if there is none."""
    path = HERE / f"{picture.name}.svg"
    return path.read_text(encoding="utf-8") if path.exists() else ""


# The moving picture: a call is found, looked into and fetched

MOVIE = (100, 28)
"""Its size in cells."""
WHO, WHEN = 'agent:"Khang Glynn"', " on:2024-09-01 dur:>10m"


@dataclass(frozen=True)
class Scene:
    """Keys, what the screen shows when they are done, and how long that is looked at."""

    keys: Sequence[str]
    shown: str
    seconds: float = 2.0


SCENES = (
    Scene((), "Where to|Places|PLACES"),
    Scene(("ctrl+g",), "Go to", 1.0),
    Scene((*"acme8:us-east/callcenterrecording/", "enter"), r"Khang Glynn|Agent", 2.5),
    Scene(("f",), "Search", 0.7),
    Scene(tuple(WHO), "Khang", 1.2),
    Scene(tuple(WHEN), "10m", 1.2),
    Scene(("enter",), r"Khang Glynn.*21:11", 2.0),
    Scene(("p",), "Waveform sampled", 3.5),
    Scene(("q", "full_stop"), r"10 files.*\n[^$]*Good morning", 3.5),
    Scene(("d",), "✓ 10 files", 4.0),
)


def text_of(pilot: Pilot[None]) -> str:
    """The screen as a person sees it."""
    strips = pilot.app.screen._compositor.render_strips()  # noqa: SLF001 - there is no other way to read it
    return "\n".join(strip.text for strip in strips)


async def until(pilot: Pilot[None], wanted: str) -> None:
    """Wait until the screen shows something.

    Raises:
        TimeoutError: it did not come.
    """
    end = asyncio.get_running_loop().time() + PATIENCE
    while not re.search(wanted, text_of(pilot)):
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError(f"{wanted!r} did not come:\n{text_of(pilot)}")
        await pilot.pause(POLL)


async def film(config: Config, folder: Path) -> list[tuple[str, float]]:
    """The frames, and how long each is shown."""
    frames = []
    async with opened(config, folder, MOVIE, "cloudstore-dark") as pilot:
        for scene in SCENES:
            for key in scene.keys:
                await pilot.press(key)
            await settle(pilot)
            await until(pilot, scene.shown)
            await pilot.pause(0.3)
            frames.append((pilot.app.export_screenshot(title="cloudstore"), scene.seconds))
    return frames


def joined(frames: Sequence[tuple[str, float]]) -> str:
    """One picture out of many, each seen in its turn; whoever wants no motion sees the last one."""
    total = sum(seconds for _, seconds in frames)
    rules, bodies, begun = [], [], 0.0
    for number, (svg, seconds) in enumerate(frames):
        first, behind = (100 * moment / total for moment in (begun, begun + seconds))
        rules.append(
            f"@keyframes f{number} {{ 0%, {first:.3f}% {{ visibility: hidden }} "
            f"{first + 0.001:.3f}%, {behind:.3f}% {{ visibility: visible }} "
            f"{min(behind + 0.001, 100):.3f}%, 100% {{ visibility: hidden }} }}\n"
            f"#f{number} {{ visibility: hidden; animation: f{number} {total:g}s step-end infinite }}"
        )
        # Each frame has styles of its own.
        own = masked(re.sub(r"terminal-\d+", f"frame{number}", svg))
        bodies.append(f'<g id="f{number}">{own}</g>')
        begun += seconds
    box = re.search(r'viewBox="([^"]+)"', frames[0][0])
    last = len(frames) - 1
    calm = f"g {{ animation: none !important }} #f{last} {{ visibility: visible !important }}"
    style = "\n".join([*rules, f"@media (prefers-reduced-motion) {{ {calm} }}"])
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1] if box else ""}">'
    return "\n".join([head, f"<style>\n{style}\n</style>", *bodies, "</svg>\n"])


def make_movie() -> None:
    """Write the moving picture."""
    with TemporaryDirectory() as folder, Sandbox(SandboxOptions()) as ready:
        frames = asyncio.run(film(load_config(ready.config, PROVIDERS), Path(folder)))
    (HERE / "movie.svg").write_text(joined(frames), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Make every picture, or look whether they are current."""
    parser = argparse.ArgumentParser(description="Makes the pictures of the README.")
    parser.add_argument("--check", action="store_true", help="only say which are out of date")
    parser.add_argument("--movie", action="store_true", help="only make the moving one")
    wanted = parser.parse_args(arguments)
    os.environ.pop("NO_COLOR", None)
    if wanted.movie:
        make_movie()
        return 0
    old = 0
    for picture in PICTURES:
        kept = kept_picture(picture)
        made = asyncio.run(make(picture, kept, PATIENCE if wanted.check else STILL))
        if made == kept:
            continue
        old += 1
        if not wanted.check:
            (HERE / f"{picture.name}.svg").write_text(made, encoding="utf-8")
        said = "is out of date: run screenshots/make.py" if wanted.check else "made"
        sys.stdout.write(f"{picture.name}.svg {said}\n")
    return 1 if old and wanted.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
