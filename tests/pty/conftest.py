"""The real program in a pseudo-terminal of its own, which remembers what it was told and how it was set."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.terminal import Terminal


@contextmanager
def _opener(folder: Path, *, apart: bool = False) -> Iterator[Callable[..., Terminal]]:
    """What opens commands in terminals, all in one folder or each in one of its own; leaves nothing running."""
    opened: list[Terminal] = []

    def opener(
        *arguments: str, size: tuple[int, int] = (80, 24), command: tuple[str, ...] = (), **environment: str
    ) -> Terminal:
        program = [*(command or (sys.executable, "-m", "cloudstore_tui")), *arguments]
        place = folder / f"terminal-{len(opened)}" if apart else folder
        place.mkdir(exist_ok=True)
        opened.append(Terminal(program, place, environment, *size))
        return opened[-1]

    try:
        yield opener
    finally:
        for shown in opened:
            shown.close()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens a command in a terminal, and leaves nothing running."""
    with _opener(tmp_path) as opener:
        yield opener


@pytest.fixture(scope="module")
def terminals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Terminal]]:
    """The same for all tests of a file: what it opens goes on between them, each with a HOME of its own."""
    with _opener(tmp_path_factory.mktemp("terminals"), apart=True) as opener:
        yield opener
