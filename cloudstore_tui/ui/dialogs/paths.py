"""Dialogs for local paths with completion: the folder for downloads, the files to upload."""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ClassVar, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.worker import Worker

from cloudstore_tui.config.paths import user_path
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Dialog, DialogList
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import home_path, shorten, show
from cloudstore_tui.ui.widgets.fields import Field, Note

MAX_FILES = 10_000
"""Names read from a folder; more would make typing slow."""


class Completion(Struct, frozen=True):
    """A text completed as far as it is unambiguous, and the candidates."""

    text: str
    candidates: tuple[str, ...] = ()


def complete_word(text: str, words: Iterable[str]) -> Completion:
    """Complete `text` to the common beginning of all matching `words`."""
    candidates = tuple(sorted(word for word in words if word.startswith(text)))
    if not candidates:
        return Completion(text)
    first, last = candidates[0], candidates[-1]
    same = next((index for index, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return Completion(first[:same], candidates)


def complete_path(text: str, start: Path, *, folders_only: bool = False) -> Completion:
    """Complete the last part of a path relative to `start`; hidden names only after a typed dot."""
    tail = text.rpartition("/")[2]
    head = text[: len(text) - len(tail)]
    if text == "~":
        return Completion("~/", ("~/",))
    entries = [entry for entry in _entries(local_path(head, start)) if tail.startswith(".") or entry.name[0] != "."]
    folders = [f"{entry.name}/" for entry in entries if _is_folder(entry)]
    files = [] if folders_only else [entry.name for entry in entries if not _is_folder(entry)]
    found = complete_word(tail, [*folders, *files])
    return Completion(head + found.text, found.candidates)


def local_path(text: str, start: Path) -> Path:
    """The path that was typed, relative to `start`."""
    return start / user_path(text)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder; none if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return list(islice(found, MAX_FILES))
    except (OSError, ValueError):
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


MAX_CANDIDATES = 12
"""Candidates shown at most."""


class Candidates(Note):
    """A few names in one paragraph, nothing while there is no choice."""

    DEFAULT_CSS = """
    Candidates { max-height: 4; }
    """

    def offer(self, names: tuple[str, ...]) -> None:
        shown = [show(name, 40) for name in names[:MAX_CANDIDATES]]
        if len(names) > MAX_CANDIDATES:
            shown.append(Content(f"and {len(names) - MAX_CANDIDATES:,} more"))
        self.set_text(Content("  ").join(shown))


HELD_S = 0.2
"""Seconds for which keys wait for work that an earlier key started."""


async def run_briefly(node: Widget, work: Callable[[], Awaitable[object]], group: str) -> None:
    """Run work that a key started; the next keys wait for it, but a slow disk or service does not hold up typing."""
    done = asyncio.Event()

    async def run() -> None:
        try:
            await work()
        finally:
            done.set()

    _: Worker[None] = node.run_worker(run, group=group, exclusive=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), HELD_S)


def split_last(text: str) -> tuple[str, str]:
    """A path or address up to its last part, and that part."""
    cut = max(text.rfind(":"), text.rfind("/")) + 1
    return text[:cut], text[cut:]


Completer: TypeAlias = Callable[[str], Awaitable[Completion | None]]
"""Completes a text; `None` if Tab does nothing, as the dialog says why."""


def path_completer(start: Path, *, folders_only: bool = False) -> Completer:
    """Completes paths relative to `start`; a thread reads the folders, as their disk may be slow."""
    return lambda text: asyncio.to_thread(complete_path, text, start, folders_only=folders_only)


class CompletingField(Field):
    """Tab completes what is typed, and goes on to the next part when there is nothing to complete."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, tooltip="Complete what is typed", id="field.complete"),
    ]

    @dataclass
    class Completed(Message):
        """Tab was pressed; `candidates` could follow."""

        candidates: tuple[str, ...]

    def __init__(self, complete: Completer, value: str = "", *, widget_id: str | None = None) -> None:
        super().__init__(value, widget_id=widget_id)
        self._complete = complete
        self._completing: str | None = None
        """What comes before the part that is being completed."""

    async def action_complete(self) -> None:
        """Complete, or go on; pressed again before it is known with what, it changes nothing."""
        if self._completing != split_last(self.value)[0]:
            await run_briefly(self, self._complete_typed, "completion")

    async def _complete_typed(self) -> None:
        self._completing = head = split_last(self.value)[0]
        try:
            while True:
                typed = self.value
                found = await self._complete(typed)
                if self.value == typed:
                    break
                if split_last(self.value)[0] != head:
                    return
        finally:
            if self._completing == head:
                self._completing = None
        if found is not None and self.has_focus:
            self._take(found)

    def _take(self, found: Completion) -> None:
        if found.text != self.value:
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
        event.stop()
        self.query_one(Candidates).offer(event.candidates)


class DownloadDialog(CompletingDialog[Path | None]):
    """Asks for a folder; it is created by the first file that arrives."""

    AUTO_FOCUS = "#path"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "download": "Download"}
    ENTER = "download"

    def __init__(self, what: str, size_text: str, start: Path) -> None:
        size = Content(", ") + show(size_text) if size_text else Content("")
        super().__init__(Content("Download ") + show(what) + size + Content(" to which folder?"), harmless=None)
        self._start = start.absolute()

    def compose_body(self) -> ComposeResult:
        complete = path_completer(self._start, folders_only=True)
        yield CompletingField(complete, f"{self._start}/".replace("//", "/"), widget_id="path")
        yield Candidates()
        yield Note(widget_id="hint")

    @on(Input.Changed)
    def look_at_path(self, event: Input.Changed) -> None:
        event.stop()
        self._show_hint(event.value)

    @work(group="hint", exclusive=True)
    async def _show_hint(self, text: str) -> None:
        hint = await asyncio.to_thread(lambda: self._problem(text) or self._remark(text))
        self.query_one("#hint", Note).set_text(hint)

    async def action_download(self) -> None:
        """Answer with the folder; an empty field cancels."""
        if not self.was_pasted:
            await run_briefly(self, self._download, "download")

    async def _download(self) -> None:
        text = self.query_one("#path", Input).value.strip()
        if not await asyncio.to_thread(self._problem, text):
            self.dismiss(local_path(text, self._start) if text else None)

    def _problem(self, text: str) -> str:
        path = local_path(text.strip(), self._start)
        try:
            nearest = next(folder for folder in (path, *path.parents) if folder.exists())
        except (OSError, StopIteration):
            return "That cannot be a path."
        if "\0" in text:
            return "That cannot be a path."
        return "" if nearest.is_dir() else "That is a file, or below one; a folder is needed."

    def _remark(self, text: str) -> str:
        if not text.strip():
            return "Without a folder nothing is downloaded."
        is_there = local_path(text.strip(), self._start).is_dir()
        return "" if is_there else "It is not there yet: the download will create it."


MAX_SHOWN = 500
"""Names listed; the filter finds the others."""
_WILD = frozenset("*?[")
_DISK = "disk"
"""The group of the workers for what the user does with files."""
_HINT = "Type to filter, Tab completes, ↓ goes to the list; space marks there, Enter opens a folder or uploads."


class _LocalEntry(msgspec.Struct, frozen=True):
    path: Path
    is_folder: bool
    size: int = 0


class UploadDialog(Dialog[tuple[Path, ...] | None]):
    """Marks files in a list or by path; answers with readable files."""

    AUTO_FOCUS = "#path"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "upload": "Upload"}
    DEFAULT_CSS = """
    UploadDialog {
        #files { margin-top: 1; }
        &.-flat #files { max-height: 4; margin-top: 0; }
        &.-tiny #files { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+a",
            "mark_all",
            "Mark all",
            priority=True,
            tooltip="Mark all files that are listed",
            id="upload.mark_all",
        ),
        Binding("ctrl+r", "forget", "Unmark last", tooltip="Unmark the file marked last", id="upload.forget"),
        Binding("ctrl+o", "upload", "Upload", show=False, tooltip="Upload what is marked", id="upload.start"),
    ]

    def __init__(self, address: str, start: Path) -> None:
        super().__init__(Content("Upload to ") + show(address, 60), harmless=None)
        self._start = start
        self._marked: dict[Path, int] = {}
        """Sizes of the marked files."""
        self._folder: Path | None = None
        """The folder that is listed."""
        self._entries: list[_LocalEntry] | None = None
        """All that is in it; `None` while it is being read."""
        self._listed: list[_LocalEntry] = []
        """What matches the typed name."""
        self._field = CompletingField(path_completer(start), widget_id="path")
        self._files = DialogList(widget_id="files")
        self._summary = Note(widget_id="marked")
        self._hint = Note(_HINT, widget_id="hint")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(action, parameters) and (action != "forget" or bool(self._marked))

    def compose_body(self) -> ComposeResult:
        start = shorten(home_path(self._start), 66, middle=True)
        yield Static(show(start), id="where", classes="dialog-line dialog-note")
        yield from (self._field, self._files, self._summary, self._hint)

    def on_mount(self) -> None:
        self._list()

    # The list

    @on(Input.Changed)
    def filter_list(self, event: Input.Changed) -> None:
        event.stop()
        self._list()

    def _list(self) -> None:
        """List what matches the typed path; another folder is read in a thread, as its disk may be slow."""
        folder, name = self._typed()
        if folder != self._folder:
            self._folder, self._entries = folder, None
            self._read(folder)
        self._listed = matching(self._entries or [], name)
        self._show(0)

    def _typed(self) -> tuple[Path, str]:
        """The folder that the field names, and the name or pattern in it."""
        name = self._field.value.rpartition("/")[2]
        return local_path(self._field.value.removesuffix(name), self._start), name

    @work(group="folder", exclusive=True)
    async def _read(self, folder: Path) -> None:
        self._entries = await asyncio.to_thread(read_folder, folder)
        self._list()

    def _show(self, at: int) -> None:
        """Show the list with the cursor at a line, and the totals of the marked files."""
        self._files.display = bool(self._listed) or self._entries is None
        self._files.show([self._line(entry) for entry in self._listed], at)
        count, size = len(self._marked), words.size(sum(self._marked.values()))
        names = shorten(", ".join(path.name for path in list(self._marked)[-3:]), 44, middle=True)
        more = f" and {count - 3:,} more" if count > 3 else ""
        self._summary.set_text(show(f"{counted(count, 'file')}, {size}: {names}{more}") if count else "")
        self.refresh_bindings()

    def _line(self, entry: _LocalEntry) -> Content:
        name = shorten(entry.path.name, 52, middle=True)
        if entry.is_folder:
            return Content("               ") + show(f"{name}/")
        mark = "[x]" if entry.path in self._marked else "[ ]"
        return Content(f"{mark} {words.size(entry.size):>9}  ") + show(name)

    async def on_key(self, event: events.Key) -> None:
        """In the list, space marks; letters are typed into the field."""
        if self.focused is not self._files:
            return
        if event.key == "space" and self._files.highlighted is not None:
            event.stop()
            await self._run(partial(self._toggle, self._files.highlighted))
        elif event.key == "backspace":
            event.stop()
            self._go_up()
        elif event.character and event.is_printable and event.key != "space":
            event.stop()
            self._field.focus()
            self._field.insert_text_at_cursor(event.character)

    async def _run(self, work: Callable[[], Awaitable[object]]) -> None:
        """Run what needs the disk: one thing at a time, so that nothing is uploaded before all of it is marked."""
        if any(worker.group == _DISK and not worker.is_finished for worker in self.workers):
            self._hint.set_text("The disk has not answered yet. Press the key again then.")
        else:
            await run_briefly(self, work, _DISK)

    async def _toggle(self, index: int) -> None:
        entry = self._listed[index]
        if entry.is_folder:
            self._hint.set_text("That's a folder. Enter opens it, Ctrl+A then marks all files in it.")
            return
        self._hint.set_text(_HINT)
        if self._marked.pop(entry.path, None) is None:
            await self._mark([entry.path])
        self._show(index + 1)

    def _go_up(self) -> None:
        head = "".join(self._field.value.rpartition("/")[:2])
        self._open(local_path(head, self._start).parent)

    def _open(self, folder: Path) -> None:
        inside = folder.is_relative_to(self._start)
        shown = str(folder.relative_to(self._start)) if inside else str(folder)
        self._field.value = "" if shown == "." else f"{shown}/".replace("//", "/")
        self._field.action_end()

    @on(OptionList.OptionSelected)
    async def take_line(self, event: OptionList.OptionSelected) -> None:
        """Open a folder, or upload the marked files, or else this one."""
        event.stop()
        entry = self._listed[event.option_index]
        if self.was_pasted:
            return
        if entry.is_folder:
            self._open(entry.path)
        else:
            await self._run(partial(self._upload_with, entry.path))

    async def _upload_with(self, path: Path) -> None:
        if self._marked or await self._mark([path]):
            self.dismiss(tuple(self._marked))

    # The line

    @on(Input.Submitted)
    async def take_path(self, event: Input.Submitted) -> None:
        """Mark the file, or open the folder, that was typed; on an empty field, upload the marked files."""
        event.stop()
        typed = event.value.strip()
        if self.was_pasted:
            return
        if typed:
            await self._run(partial(self._take, typed))
        elif self._marked:
            await self.action_upload()
        else:
            self._files.focus()

    async def _take(self, typed: str) -> bool:
        """Mark the files that a text names; whether any was marked."""
        path = local_path(typed, self._start)
        if _WILD & set(typed) and not await asyncio.to_thread(os.path.exists, path):
            return await self._mark_all()
        if await asyncio.to_thread(os.path.isdir, path):
            self._open(path)
            return False
        if not await self._mark([path]):
            self._field.focus()
            return False
        self._clear(typed)
        self._hint.set_text(_HINT)
        self._show(0)
        return True

    def _clear(self, typed: str) -> None:
        """Clear the field, unless something else was typed meanwhile."""
        if self._field.value.strip() == typed:
            self._field.value = ""

    async def action_upload(self) -> None:
        """Answer with the marked files and the one in the field, unless that is a folder."""
        await self._run(self._upload)

    async def _upload(self) -> None:
        typed = self._field.value.strip()
        is_file = bool(typed) and not await asyncio.to_thread(os.path.isdir, local_path(typed, self._start))
        if is_file and not await self._take(typed):
            return
        if self._marked:
            self.dismiss(tuple(self._marked))
        else:
            self._hint.set_text("Mark a file in the list, or type its path.")
            self._field.focus()

    async def action_mark_all(self) -> None:
        """Mark all files that match, as soon as the folder is read."""
        await self._run(self._mark_all)

    async def _mark_all(self) -> bool:
        typed, (folder, name) = self._field.value.strip(), self._typed()
        entries = self._entries if folder == self._folder else None
        if entries is None:
            # The key was faster than the disk.
            entries = await asyncio.to_thread(read_folder, folder)
        files = [entry.path for entry in matching(entries, name) if not entry.is_folder]
        is_any_marked = await self._mark(files)
        if not files:
            self._hint.set_text("No file matches.")
        else:
            self._clear(typed)
        self._show(0)
        return is_any_marked

    def action_forget(self) -> None:
        if self._marked:
            self._marked.popitem()
            self._show(self._files.highlighted or 0)

    async def _mark(self, paths: Sequence[Path]) -> bool:
        """Mark the files that can be uploaded, and say why another cannot; whether there was any."""
        inspected = await asyncio.to_thread(lambda: [(path, *inspect_file(path)) for path in paths])
        for path, size, problem in inspected:
            if problem:
                self._hint.set_text(problem)
            else:
                self._marked[path] = size
        return any(not problem for _, _, problem in inspected)


def read_folder(folder: Path) -> list[_LocalEntry]:
    """The folders and files in a local folder, folders first."""
    found = [made for entry in _entries(folder) if (made := _local(folder, entry)) is not None]
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.path.name.lower()))


def matching(entries: Sequence[_LocalEntry], name: str) -> list[_LocalEntry]:
    """Entries whose names contain a text, or files that match a pattern; hidden ones only after a typed dot."""
    is_wild = bool(_WILD & set(name))
    found = (entry for entry in entries if not (is_wild and entry.is_folder))
    return [entry for entry in found if _is_meant(entry.path.name, name, is_wild=is_wild)][:MAX_SHOWN]


def _is_meant(name: str, typed: str, *, is_wild: bool) -> bool:
    if name.startswith(".") and not typed.startswith("."):
        return False
    return fnmatch(name, typed) if is_wild else typed.lower() in name.lower()


def _local(folder: Path, entry: "os.DirEntry[str]") -> _LocalEntry | None:
    try:
        is_folder = entry.is_dir()
        return _LocalEntry(folder / entry.name, is_folder, 0 if is_folder else entry.stat().st_size)
    except OSError:
        return None


def inspect_file(path: Path) -> tuple[int, str]:
    """The size of a local file, and why it cannot be uploaded; empty if it can."""
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
