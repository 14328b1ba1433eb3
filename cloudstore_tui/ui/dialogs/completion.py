"""What Tab makes of half a path."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

MOST_FILES = 10_000
"""Names read of one folder; more would hold up the keys."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A text completed as far as it is clear, and what could follow."""

    text: str
    candidates: tuple[str, ...] = ()


def complete_word(text: str, words: Iterable[str]) -> Completion:
    """Complete to what all `words` that begin with `text` have in common."""
    candidates = tuple(sorted(word for word in words if word.startswith(text)))
    if not candidates:
        return Completion(text)
    first, last = candidates[0], candidates[-1]
    same = next((index for index, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return Completion(first[:same], candidates)


def complete_path(text: str, start: Path, *, folders_only: bool = False) -> Completion:
    """Complete the last part of a path typed in `start`; folders end with a slash, hidden names have to be begun."""
    tail = text.rpartition("/")[2]
    head = text[: len(text) - len(tail)]
    if text == "~":
        return Completion("~/", ("~/",))
    names = _names(local_path(head, start), folders_only=folders_only)
    visible = (name for name in names if tail.startswith(".") or not name.startswith("."))
    found = complete_word(tail, visible)
    return Completion(head + found.text, found.candidates)


def local_path(text: str, start: Path) -> Path:
    """The path a user means: `~` is at home, and what is not absolute is in `start`."""
    path = Path(text)
    if text == "~" or text.startswith("~/"):
        path = Path.home() / text[2:]
    return path if path.is_absolute() else start / path


def _names(folder: Path, *, folders_only: bool) -> list[str]:
    try:
        with os.scandir(folder) as found:
            entries = [(entry.name, _is_folder(entry)) for entry in islice(found, MOST_FILES)]
    except (OSError, ValueError):
        return []
    return [f"{name}/" if is_folder else name for name, is_folder in entries if is_folder or not folders_only]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
