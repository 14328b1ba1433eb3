"""The commands of the pages that people read: each is run as it stands there, and prints what stands below it.

In what is expected, `…` stands for anything, and a line of only `…` for any lines. A command without anything below it
may print what it likes; `# 8` behind a command is the code that it ends with.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudstore_tui.sandbox.server import Ready, Sandbox, SandboxOptions
from tests.support.environment import own_environment

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/command-line.md", "docs/how-do-i.md", "docs/operations.md")


@dataclass(frozen=True)
class Example:
    """A command, what it prints, and the code it ends with."""

    command: str
    expected: str
    code: int = 0


def sections() -> Iterator[tuple[str, list[Example]]]:
    """The examples of each section of each page, by its title."""
    for page in PAGES:
        for part in re.split(r"^#+ ", (ROOT / page).read_text(encoding="utf-8"), flags=re.M):
            blocks = re.findall(r"^```console\n(.*?)^```", part, flags=re.M | re.S)
            if blocks:
                title = part.splitlines()[0]
                yield f"{page}: {title}", [example for block in blocks for example in examples(block)]


def examples(block: str) -> Iterator[Example]:
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        lines = part.splitlines()
        while lines[0].endswith("\\"):
            lines[0:2] = [lines[0][:-1] + lines[1].lstrip()]
        command, _, code = lines[0].partition("  # ")
        yield Example(command.removeprefix("uv run "), "".join(f"{line}\n" for line in lines[1:]), int(code or 0))


def pattern(expected: str) -> str:
    return "".join("(?:.*\n)*?" if line == "…" else f"{literal(line)}\n" for line in expected.splitlines())


def literal(line: str) -> str:
    return re.escape(line).replace("…", ".*")


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Ready]:
    """A sandbox for each section, for some delete and restore; what takes hours takes a moment."""
    with Sandbox(SandboxOptions(data=tmp_path / "sandbox", switches={"restore-seconds": "3"})) as ready:
        yield ready


@pytest.fixture
def environment(ready: Ready, tmp_path: Path) -> dict[str, str]:
    """A fresh HOME, the sandbox's profiles, and our command."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    home = tmp_path / "home"
    home.mkdir()
    return own_environment(home, PATH=path, CLOUDSTORE_CONFIG=str(ready.config), LANG="C.UTF-8")


@pytest.mark.parametrize(("title", "section"), sections(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_page_says_what_its_commands_do(
    title: str, section: list[Example], environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for example in section:
        done = subprocess.run(
            ["bash", "-c", example.command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == example.code, (example.command, done.stdout)
        if example.expected:
            assert re.fullmatch(pattern(example.expected), done.stdout), (example.command, done.stdout)


def test_anything_stands_for_anything_and_nothing_else_does() -> None:
    block = "$ one \\\n    two  # 3\nFound 5 in …\n…\nThe end.\n$ three\n"
    assert list(examples(block)) == [Example("one two", "Found 5 in …\n…\nThe end.\n", 3), Example("three", "")]
    wanted = pattern("Found 5 in …\n…\nThe end.\n")
    assert re.fullmatch(wanted, "Found 5 in 1 s\nThe end.\n")
    assert re.fullmatch(wanted, "Found 5 in 1 s\nmore\nmore\nThe end.\n")
    assert not re.fullmatch(wanted, "Found 6 in 1 s\nThe end.\n")
    assert not re.fullmatch(wanted, "Found 5 in 1 s\nThe end.\nmore\n")
