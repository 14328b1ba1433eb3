"""A copy of an object in another program: fetched, shown, removed."""

import asyncio
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import ConfigError, NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.ui.dialogs.dialog import ConsentDialog
from cloudstore_tui.ui.opening import command, kind_of, opener, run

START = "acme:exports/reporting/"
NAME = "report-000.tar"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies go."""
    (folder := tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    for name in ("PAGER", "VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def program(tmp_path: Path) -> tuple[str, Path]:
    """A program that takes its time, and what it saw."""
    seen, script = tmp_path / "seen", tmp_path / "show.py"
    script.write_text(
        "import json, os, sys, time\n"
        f"path = sys.argv[1]; out = {str(seen)!r}\n"
        "json.dump([path, open(path).read(), oct(os.stat(path).st_mode), sys.argv[2:]], open(out, 'w'))\n"
        "time.sleep(float(os.environ.get('TAKES', '0')))\n"
    )
    return f"{sys.executable} {script}", seen


def behind(data: bytes, wait: asyncio.Event | None = None) -> dict[str, Any]:
    async def read(first: int, count: int) -> Piece:
        if wait is not None:
            await wait.wait()
        return Piece(data[first : first + count], len(data))

    return {"pieces": {NAME: read}}


def here(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def lent(it: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen that can be given away although it is none."""
    monkeypatch.setattr(it.app, "suspend", nullcontext)


async def test_e_shows_a_private_copy_and_removes_it(
    browser: Any, program: tuple[str, Path], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.opening.PASSED_ON_S", 0.0)
    async with browser(start=START, behind=behind(b"the words"), opener={"text": program[0]}) as it:
        lent(it, monkeypatch)
        await it.press("e")
        await it.until(program[1].exists)
        path, text, mode, further = json.loads(program[1].read_text())
        assert (text, mode, further) == ("the words", "0o100600", [])
        assert Path(path).name == NAME
        await it.until(lambda: not here(place))
        assert it.notices == []


async def test_a_program_that_passes_the_file_on_finds_it_until_the_end(
    browser: Any, program: tuple[str, Path], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    monkeypatch.setattr("atexit.register", kept.append)
    async with browser(start=START, behind=behind(b"the words"), opener={"text": program[0]}) as it:
        lent(it, monkeypatch)
        await it.press("f4")
        await it.until(lambda: kept)
        assert here(place) == [Path(json.loads(program[1].read_text())[0]).parent]
        kept[0]()
        assert not here(place)


async def test_something_large_is_fetched_only_if_the_user_wants_it(
    browser: Any, program: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.object_actions.LARGE", 10)
    async with browser(start=START, behind=behind(b"x"), opener={"text": program[0]}) as it:
        lent(it, monkeypatch)
        await it.press("e")
        assert isinstance(it.app.screen, ConsentDialog)
        assert "Fetch all of it to open it?" in it.text
        assert "≈4.1 kB; p shows its beginning" in it.text
        await it.press("n")
        assert it.engine.ranges == []


async def test_escape_gives_up_fetching_and_leaves_nothing(browser: Any, program: Any, place: Path) -> None:
    async with browser(start=START, behind=behind(b"x", asyncio.Event()), opener={"text": program[0]}) as it:
        await it.press("e")
        await it.until(lambda: it.engine.ranges)
        await it.press("escape")
        await it.until(lambda: not here(place))
        assert not program[1].exists()


async def test_a_terminal_that_cannot_be_given_away_is_said(browser: Any, program: Any, place: Path) -> None:
    async with browser(start=START, behind=behind(b"x"), opener={"text": program[0]}) as it:
        await it.press("e")
        await it.until(lambda: it.notices)
        assert "cannot be given to another program" in it.notices[0]
        assert not here(place)


async def test_what_cannot_be_fetched_is_said(browser: Any, program: Any, place: Path) -> None:
    async def read(first: int, count: int) -> Piece:
        raise NetworkError("the host does not answer")

    async with browser(start=START, behind={"pieces": {NAME: read}}, opener={"text": program[0]}) as it:
        await it.press("e")
        await it.until(lambda: it.notices)
        assert it.notices == [f"{START}{NAME}: the host does not answer."]
        assert not here(place)


async def test_without_any_program_that_is_said(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    async with browser(start=START) as it:
        await it.press("e")
        assert it.notices[0].startswith("There is no program to open it with. Set PAGER")
        assert it.engine.ranges == []


def test_the_setting_comes_first_then_pager_then_editor() -> None:
    around = {"PAGER": "cat -v", "EDITOR": "ls"}
    assert opener("text", {"text": "echo 'a b' {}"}, around) == ["echo", "a b", "{}"]
    assert opener("text", {}, around) == ["cat", "-v"]
    assert opener("text", {}, {"PAGER": " ", "EDITOR": "ls"}) == ["ls"]
    with pytest.raises(ConfigError, match="no-such-program"):
        opener("text", {"text": "no-such-program"}, around)
    with pytest.raises(ConfigError, match="names a program"):
        opener("audio", {"audio": "'unclosed"}, around)


@pytest.mark.parametrize(
    ("name", "mime", "kind"),
    [
        ("a.mp3", "", "audio"),
        ("a", "audio/wav", "audio"),
        ("a.MP4", "application/octet-stream", "video"),
        ("a.png", "", "image"),
        ("a.json", "application/json", "text"),
        ("a", "", "text"),
    ],
)
def test_each_kind_has_programs_of_its_own(name: str, mime: str, kind: str) -> None:
    assert kind_of(StoredObject(Location("acme"), name, mime=mime)) == kind


def test_sound_never_goes_to_a_pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("less", "xdg-open"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    around = {"PAGER": "less"}
    with pytest.raises(ConfigError, match=r"Nothing on this machine plays sound\. d fetches it, y links to it"):
        opener("audio", {}, around)
    assert opener("audio", {}, {**around, "DISPLAY": ":0"}) == ["xdg-open"]
    (tmp_path / "ffplay").symlink_to(tmp_path / "less")
    assert opener("audio", {}, around) == ["ffplay", "-nodisp", "-autoexit"]
    with pytest.raises(ConfigError, match="shows videos"):
        opener("video", {}, around)


def test_the_file_is_where_the_user_wants_it() -> None:
    assert command(["a", "b"], Path("/x y")) == ["a", "b", "/x y"]
    assert command(["a", "{}", "-q"], Path("/x y")) == ["a", "/x y", "-q"]


def test_ctrl_c_belongs_to_the_program(tmp_path: Path) -> None:
    script = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(0.3)"
    assert run([sys.executable, "-c", script]) in (True, False)


def test_a_program_that_cannot_be_started_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be started"):
        run([str(tmp_path)])


def test_a_program_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSTORE_OTHER_SECRET", "s3cret")
    seen = tmp_path / "seen"
    run(["sh", "-c", f"env > {seen}"])
    assert "PATH=" in seen.read_text()
    assert "s3cret" not in seen.read_text()
