"""This machine's disk refuses, or something is in the way: a sentence, its code, and nothing lost."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

RATE = 2_500_000
FASTER = 6_000_000
ENOUGH = 1_500_000
ROOMY = "120m"
"""More than the film and the margin that is left to others."""

Mount = Callable[[str], Path]
Slow = Callable[[int], None]


@pytest.fixture
def mount(machine: Any) -> Iterator[Mount]:
    """Mounts a small disk on the folder for downloads, where that is allowed."""
    mounted: list[Path] = []

    def mounter(size: str) -> Path:
        folder: Path = machine.folder / "disk"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=False)
        if done.returncode:
            pytest.skip("only root may mount")
        mounted.append(folder)
        return folder

    yield mounter
    for opened in machine.opened:
        opened.close()
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            pass
    return filler


def test_a_disk_that_is_too_small_is_said_at_once(machine: Any, large: Any, mount: Mount) -> None:
    folder = mount("4m")
    refused = machine.run("get", large.address, "--to", str(folder))
    assert refused.code == 5
    assert "the disk is too full:" in refused.err
    assert re.search(r"13\.1 MB are needed, .* kB in reserve, and 4\.\d MB are free\. Free some space", refused.err)
    assert list(folder.iterdir()) == []


def test_a_disk_that_fills_up_keeps_what_arrived_and_the_rest_comes_when_there_is_room(
    machine: Any, large: Any, mount: Mount, slow: Slow
) -> None:
    folder = mount(ROOMY)
    slow(RATE)
    get = machine.start("get", large.address, "--to", str(folder))
    machine.arrived(ENOUGH)
    filler = fill(folder)
    ended = get.end()
    assert ended.code == 5, ended.err
    assert "the disk is full" in ended.err
    (row,) = machine.rows()
    (part,) = folder.glob(".cs-*")
    assert 0 < row["durable"] <= part.stat().st_size
    filler.unlink()
    slow(0)
    machine.sandbox.log.clear()
    again = machine.run("transfers", "run")
    assert again.code == 0, again.err
    assert machine.fetched() <= large.size - row["durable"] + 65_536
    assert [path.name for path in folder.iterdir()] == [large.name]
    machine.nothing_left()


@pytest.mark.long
def test_with_a_wait_a_full_disk_is_waited_for(machine: Any, large: Any, mount: Mount, slow: Slow) -> None:
    folder = mount(ROOMY)
    slow(RATE)
    get = machine.start("get", large.address, "--to", str(folder), "--timeout", "2m")
    machine.arrived(ENOUGH)
    filler = fill(folder)
    time.sleep(10)
    assert get.process.poll() is None, get.end().err
    filler.unlink()
    ended = get.end(90)
    assert ended.code == 0, ended.err
    machine.nothing_left()


def test_a_limit_on_the_size_of_files_is_a_failure_of_the_disk(machine: Any, large: Any) -> None:
    get = machine.start("get", large.address, before=("prlimit", "--fsize=5000000"))
    ended = get.end()
    assert ended.code == 5, ended.err
    assert f"{machine.folder}: the file is too large for this disk, or for a limit that was set" in ended.err
    again = machine.run("get", large.address)
    assert again.code == 0, again.err
    machine.nothing_left()


def test_a_read_only_disk_is_said_before_any_byte_is_fetched(machine: Any, large: Any, mount: Mount) -> None:
    folder = mount(ROOMY)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    refused = machine.run("get", large.address, "--to", str(folder))
    assert refused.code == 5
    assert f"{folder}: the file system is read-only. Choose another folder." in refused.err
    assert machine.fetched() == 0
    assert machine.rows() == []


def test_a_file_instead_of_the_folder_is_said(machine: Any, large: Any) -> None:
    (machine.folder / "calls").write_text("mine")
    refused = machine.run("get", large.address, "--to", "calls")
    assert refused.code == 5
    assert "calls: a part of the path is a file, not a folder. Choose another folder." in refused.err
    assert machine.fetched() == 0
    assert machine.rows() == []


@pytest.mark.parametrize(
    ("kind", "words", "code"),
    [
        ("file", "another file has this name", 9),
        ("folder", "a folder has this name", 7),
        ("link", "a symbolic link has this name", 7),
        ("pipe", "something that is no file has this name", 7),
    ],
)
def test_what_is_in_the_way_is_not_touched(machine: Any, large: Any, kind: str, words: str, code: int) -> None:
    there = machine.folder / large.name
    elsewhere = machine.root / "elsewhere"
    elsewhere.write_text("mine")
    {
        "file": lambda: there.write_text("mine"),
        "folder": there.mkdir,
        "link": lambda: there.symlink_to(elsewhere),
        "pipe": lambda: os.mkfifo(there),
    }[kind]()
    before = there.lstat()
    ways: list[tuple[str, ...]] = [()] if kind == "file" else [(), ("--on-conflict", "overwrite")]
    for way in ways:
        refused = machine.run("get", large.address, *way)
        assert refused.code == code, refused.err
        assert words in refused.err
        assert there.lstat() == before
    assert machine.fetched() == 0
    assert elsewhere.read_text() == "mine"
    machine.nothing_left()


def test_a_file_that_comes_meanwhile_is_left_alone(machine: Any, large: Any, slow: Slow) -> None:
    slow(FASTER)
    get = machine.start("get", large.address)
    machine.arrived(ENOUGH)
    (machine.folder / large.name).write_text("mine")
    ended = get.end()
    assert ended.code == 9, ended.err
    assert (machine.folder / large.name).read_text() == "mine"
    (listed,) = machine.listed()
    assert (listed["state"], listed["reason"]) == ("failed", "another file has this name")
    assert len(machine.parts()) == 1
    assert machine.run("transfers", "prune", "--all").code == 0
    machine.nothing_left()


def test_a_folder_that_is_removed_meanwhile_is_named(machine: Any, large: Any, slow: Slow) -> None:
    slow(FASTER)
    get = machine.start("get", large.address, "--to", "calls")
    machine.arrived(ENOUGH)
    shutil.rmtree(machine.folder / "calls")
    ended = get.end()
    assert ended.code == 5, (ended.out, ended.err)
    assert f"calls/{large.name}: it is not there, or its folder is gone. Check the path." in ended.err
    assert list(machine.folder.iterdir()) == []
    assert machine.run("transfers", "prune", "--all").code == 0
    machine.nothing_left()


def test_a_folder_that_is_renamed_meanwhile_takes_the_file_with_it_and_that_is_told(
    machine: Any, large: Any, slow: Slow
) -> None:
    slow(FASTER)
    get = machine.start("get", large.address, "--to", "calls")
    machine.arrived(ENOUGH)
    (machine.folder / "calls").rename(machine.folder / "other")
    ended = get.end()
    assert ended.code == 5, (ended.out, ended.err)
    assert f"calls/{large.name}: its folder was renamed, replaced or unmounted while it was written" in ended.err
    assert [path.name for path in (machine.folder / "other").iterdir()] == [large.name]
    machine.nothing_left()
