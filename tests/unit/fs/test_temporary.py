"""Copies for other programs: private while they are here, gone afterwards."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import LocalDiskError, UnsupportedError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.fs import temporary
from cloudstore_tui.fs.temporary import PREFIX, TemporaryCopy, remove_left


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_copy_is_whole_and_nobody_elses(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "PIECE", 1000)
    content = bytes(range(256)) * 20
    told: list[int] = []

    async def read(first: int, count: int) -> Piece:
        return Piece(content[first : first + count], len(content))

    copy = TemporaryCopy("int-1:../x.json")
    await copy.fetch(read, lambda done, _total: told.append(done))
    assert copy.path.read_bytes() == content
    assert (mode(copy.path), mode(copy.path.parent)) == (0o600, 0o700)
    assert copy.path.parent.parent == place
    assert told == [1000, 2000, 3000, 4000, 5000, 5120]
    copy.remove()
    copy.remove()
    assert left(place) == []


async def test_a_store_without_ranges_gives_the_whole_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "PIECE", 1000)
    content = b"x" * 2500

    async def read(first: int, count: int) -> Piece:
        return Piece(content[first : first + count] if not first else b"", len(content), ranged=False)

    copy = TemporaryCopy("x")
    await copy.fetch(read, lambda *_: None)
    assert copy.path.read_bytes() == content
    copy.remove()
    monkeypatch.setattr(temporary, "MAX_AT_ONCE", 2000)
    copy = TemporaryCopy("x")
    with pytest.raises(UnsupportedError, match="too large"):
        await copy.fetch(read, lambda *_: None)
    copy.remove()


@pytest.mark.parametrize("size", [0, 999, 1000, 2500])
async def test_a_store_without_ranges_that_tells_no_size_gives_all_or_an_error(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(temporary, "PIECE", 1000)
    content = b"x" * size

    async def read(first: int, count: int) -> Piece:
        return Piece(content[first : first + count] if not first else b"", None, ranged=False)

    copy = TemporaryCopy("x")
    if size < 1000:
        await copy.fetch(read, lambda *_: None)
        assert copy.path.read_bytes() == content
    else:
        with pytest.raises(UnsupportedError, match="how large"):
            await copy.fetch(read, lambda *_: None)
    copy.remove()


async def test_an_object_that_ends_too_early_ends_the_copy_too() -> None:
    async def read(first: int, count: int) -> Piece:
        return Piece(b"abc"[first : first + count], None)

    copy = TemporaryCopy("x")
    await copy.fetch(read, lambda *_: None)
    assert copy.path.read_bytes() == b"abc"
    copy.remove()


def test_copies_of_a_killed_program_are_removed_and_those_of_a_living_one_are_not(place: Path) -> None:
    program = (
        "import tempfile, sys, time; tempfile.tempdir = sys.argv[1]\n"
        "from cloudstore_tui.fs.temporary import TemporaryCopy\n"
        "copy = TemporaryCopy('secret'); copy.path.write_text('words'); print(copy.path, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(place)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    path = Path(child.stdout.readline().strip())
    assert path.exists()
    assert remove_left() == 0
    assert path.exists()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert remove_left() == 1
    assert list(place.iterdir()) == []


def test_what_only_looks_like_a_copy_is_left_alone(place: Path) -> None:
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".lock").touch()
    (place / f"{PREFIX}link").symlink_to(elsewhere)
    (place / f"{PREFIX}file").touch()
    (place / f"{PREFIX}bare").mkdir()
    assert remove_left() == 0
    assert len(list(place.iterdir())) == 4


def test_a_disk_that_refuses_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(LocalDiskError, match="no such file"):
        TemporaryCopy("x")
