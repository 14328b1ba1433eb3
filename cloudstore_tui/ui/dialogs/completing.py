"""What Tab makes of half a path, and the line and dialog in which it does."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from cloudstore_tui.ui.dialogs.dialog import Dialog, Field, Note
from cloudstore_tui.ui.text import show

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


MOST_SHOWN = 12
"""Names shown; more do not help to choose."""


class Candidates(Note):
    """A few names in one paragraph, nothing while there is no choice."""

    DEFAULT_CSS = """
    Candidates { max-height: 4; }
    """

    def offer(self, names: tuple[str, ...]) -> None:
        """Show these names."""
        shown = [show(name, 40) for name in names[:MOST_SHOWN]]
        if len(names) > MOST_SHOWN:
            shown.append(Content(f"and {len(names) - MOST_SHOWN:,} more"))
        self.say(Content("  ").join(shown))


class CompletingField(Field):
    """Tab completes what is typed, and goes on to the next part when there is nothing to complete."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, tooltip="Complete what is typed", id="field.complete"),
    ]

    @dataclass
    class Completed(Message):
        """Tab was pressed; `candidates` could follow."""

        candidates: tuple[str, ...]

    def __init__(
        self, complete: Callable[[str], Completion | None], value: str = "", *, widget_id: str | None = None
    ) -> None:
        """Complete with `complete`; it gives `None` while it has to find out, and Tab is pressed for the user later."""
        super().__init__(value, widget_id=widget_id)
        self._complete = complete

    def action_complete(self) -> None:
        """Complete, or go on."""
        found = self._complete(self.value)
        if found is None:
            return
        changed = found.text != self.value
        if changed:
            self.value = found.text
            self.action_end()
        elif len(found.candidates) <= 1:
            self.screen.focus_next()
        self.post_message(self.Completed(found.candidates if len(found.candidates) > 1 else ()))


Answer = TypeVar("Answer")


class CompletingDialog(Dialog[Answer], Generic[Answer]):
    """A dialog that holds one `CompletingField` and the `Candidates` below it."""

    @on(CompletingField.Completed)
    def offer_candidates(self, event: CompletingField.Completed) -> None:
        """Show what could follow."""
        event.stop()
        self.query_one(Candidates).offer(event.candidates)
