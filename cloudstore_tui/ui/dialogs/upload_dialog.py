"""Which local files to upload."""

import os
import stat
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input

from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.completing import (
    Candidates,
    CompletingDialog,
    CompletingField,
    complete_path,
    local_path,
)
from cloudstore_tui.ui.dialogs.dialog import Note, button
from cloudstore_tui.ui.text import show

_HINT = "Enter adds a file, Tab completes. Enter on an empty line starts the upload."


class UploadDialog(CompletingDialog[tuple[Path, ...] | None]):
    """Takes paths one after another, and answers with files that can be read."""

    AUTO_FOCUS = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "forget", "Remove last", tooltip="Take the last file off the list again", id="upload.forget"),
    ]

    def __init__(self, address: str, start: Path) -> None:
        super().__init__(Content("Upload to ") + show(address), harmless=None)
        self._start = start
        self._files: dict[Path, int] = {}

    def compose_body(self) -> ComposeResult:
        """What is chosen so far, and the line for the next path."""
        yield Note(widget_id="files")
        yield CompletingField(partial(complete_path, start=self._start), widget_id="path")
        yield Candidates()
        yield Note(_HINT, widget_id="hint")

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button("Upload", "upload", enter=True)

    @on(Input.Submitted)
    def take_path(self, event: Input.Submitted) -> None:
        """Add the path that was typed; an empty one means that all are there."""
        event.stop()
        if self.was_pasted:
            return
        if event.value.strip():
            self._add(event.input, local_path(event.value.strip(), self._start))
        elif self._files:
            self.action_upload()

    def action_upload(self) -> None:
        """Answer with the files chosen, together with the one still on the line."""
        field = self.query_one("#path", Input)
        if field.value.strip() and not self._add(field, local_path(field.value.strip(), self._start)):
            return
        if self._files:
            self.dismiss(tuple(self._files))
        else:
            self._say("Type the path of a file first.")
            field.focus()

    def action_forget(self) -> None:
        """Take the last file off the list."""
        if self._files:
            self._files.popitem()
            self._show_files()

    def _add(self, field: Input, path: Path) -> bool:
        size, problem = inspect_file(path)
        if problem:
            self._say(problem)
            field.focus()
            return False
        self._files[path] = size
        field.value = ""
        self._show_files()
        self._say(_HINT)
        return True

    def _say(self, text: str) -> None:
        self.query_one("#hint", Note).say(text)

    def _show_files(self) -> None:
        lines = [Content(f"{words.size(size):>9}  ") + show(str(path)) for path, size in self._files.items()]
        if len(lines) > 1:
            lines.append(Content(f"{words.size(sum(self._files.values())):>9}  in {len(lines)} files"))
        self.query_one("#files", Note).say(Content("\n").join(lines))


def inspect_file(path: Path) -> tuple[int, str]:
    """The size of a local file, and why it cannot be uploaded, if so."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, "There is no such file."
    except (OSError, ValueError) as error:
        return 0, f"It cannot be read ({getattr(error, 'strerror', None) or 'not a path'})."
    if stat.S_ISDIR(found.st_mode):
        return 0, "It is a folder; name the files in it."
    if not stat.S_ISREG(found.st_mode):
        return 0, "It is not a regular file."
    return (found.st_size, "") if os.access(path, os.R_OK) else (0, "You may not read it.")
