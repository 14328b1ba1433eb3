"""Which local folder to download to."""

from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input

from cloudstore_tui.ui.dialogs.completing import (
    Candidates,
    CompletingDialog,
    CompletingField,
    complete_path,
    local_path,
)
from cloudstore_tui.ui.dialogs.dialog import Note, button
from cloudstore_tui.ui.text import show


class DownloadDialog(CompletingDialog[Path | None]):
    """Asks for a folder. Creates nothing: the first file that arrives does."""

    AUTO_FOCUS = "#path"

    def __init__(self, what: str, size_text: str, start: Path) -> None:
        size = Content(", ") + show(size_text) if size_text else Content("")
        super().__init__(Content("Download ") + show(what) + size + Content(" to which folder?"), harmless=None)
        self._start = start.absolute()

    def compose_body(self) -> ComposeResult:
        """The line for the path, and what would happen."""
        complete = partial(complete_path, start=self._start, folders_only=True)
        yield CompletingField(complete, f"{self._start}/".replace("//", "/"), widget_id="path")
        yield Candidates()
        yield Note(widget_id="hint")

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button("Download", "download", enter=True)

    @on(Input.Changed)
    def look_at_path(self, event: Input.Changed) -> None:
        """Say what would become of the path as it stands."""
        event.stop()
        self.query_one("#hint", Note).say(self._problem(event.value) or self._outlook(event.value))

    @on(Input.Submitted)
    def take_path(self, event: Input.Submitted) -> None:
        """Enter is the answer."""
        event.stop()
        self.action_download()

    def action_download(self) -> None:
        """Answer with the folder; an empty line means to let it be."""
        text = self.query_one("#path", Input).value.strip()
        if self.was_pasted:
            return
        if not text:
            self.dismiss(None)
        elif not self._problem(text):
            self.dismiss(local_path(text, self._start))

    def _problem(self, text: str) -> str:
        path = local_path(text.strip(), self._start)
        try:
            nearest = next(folder for folder in (path, *path.parents) if folder.exists())
        except (OSError, StopIteration):
            return "That cannot be a path."
        if "\0" in text:
            return "That cannot be a path."
        return "" if nearest.is_dir() else "That is a file, or below one; a folder is needed."

    def _outlook(self, text: str) -> str:
        if not text.strip():
            return "Without a folder nothing is downloaded."
        is_there = local_path(text.strip(), self._start).is_dir()
        return "" if is_there else "It is not there yet: the download will create it."
