"""Actions on one object that the list, the preview and the call screen share."""

import atexit
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported
from textual.screen import Screen

from cloudstore_tui.calls import CallPart, call_tree
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import ConfigError, StorageError, UnsupportedError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fs.temporary import TemporaryCopy
from cloudstore_tui.preview.model import Preview
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.opening import command, kind_of, opener, run
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.restore_text import ASKED
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.transfer_text import object_title
from cloudstore_tui.ui.transfer_watch import TransferWatch

if TYPE_CHECKING:
    from cloudstore_tui.preview.player import RemoteSound

LARGE = 20_000_000
"""Size from which opening an object asks first."""

SMALL = 1_000_000
"""Size up to which the beginning of an object is read unasked."""
_TEXT_SUFFIXES = (
    ".json",
    ".jsonl",
    ".ndjson",
    ".txt",
    ".csv",
    ".tsv",
    ".log",
    ".xml",
    ".md",
    ".yaml",
    ".agentnotes",
    ".vtt",
)
_TEXT_MIME_TYPES = ("text/", "application/json", "application/xml", "application/x-ndjson")

MAX_PACE_UNASKED = 0.5
"""Share of the requests of a minute above which nothing is read unasked."""
TRANSCRIPT = 1 << 20
"""Bytes of a transcript that are read."""

LookInto = Callable[[int], Awaitable[Preview]]
"""Makes a preview of an object from that many bytes of its beginning."""
SetStatus = Callable[[str], None]
"""Shows a status; an empty one removes it."""


def is_small_text(entry: StoredObject) -> bool:
    """Whether an object is available, small, and a text by its type or name."""
    if not entry.is_available or entry.size is None or entry.size > SMALL:
        return False
    return entry.mime.startswith(_TEXT_MIME_TYPES) or entry.name.lower().endswith(_TEXT_SUFFIXES)


@dataclass(eq=False)
class ObjectActions:
    """Previews objects, opens them in other programs, and makes links to them."""

    screen: Screen[None]
    """The browser."""
    providers: Mapping[str, StorageProvider]
    watch: TransferWatch
    restores: RestoreWatch
    settings: Settings
    zone: Callable[[], tzinfo]
    """Returns the time zone of the screen."""

    def may_read_unasked(self, entry: StoredObject) -> bool:
        """Whether the service has requests to spare for an unasked preview."""
        return self.providers[entry.location.profile].session.pace_used <= MAX_PACE_UNASKED

    def waiting_note(self, entry: StoredObject) -> str:
        """What the service is waiting for, as a clause; empty if nothing."""
        return self.providers[entry.location.profile].session.note

    def can_link(self, entry: StoredObject) -> bool:
        return Capability.LINK in self.providers[entry.location.profile].capabilities

    def why_unreadable(self, entry: StoredObject) -> str:
        """Why an object cannot be read now, as a sentence; empty if it can."""
        if entry.is_available:
            return ""
        asked = entry.location in self.restores.asked
        restore = "" if entry.state != "ARCHIVED" else f" {ASKED}" if asked else " Press B to restore."
        return f"{words.state(entry.state).capitalize()} files can't be previewed.{restore}"

    def look_into(self, entry: StoredObject) -> LookInto:
        """A function that previews an object; its reads share one link."""
        read = self.watch.engine.range_reader(entry)

        async def read_into(wanted: int) -> Preview:
            # Deferred: starting processes is not needed for the first screen.
            from cloudstore_tui.preview.runner import facts_of, make_preview

            return await make_preview(read, facts_of(entry), wanted)

        return read_into

    async def link(
        self, entry: StoredObject, set_status: SetStatus, is_wanted: Callable[[], bool] = lambda: True
    ) -> None:
        """Request a signed link, show it and copy it, unless `is_wanted` says that the user has left."""
        from cloudstore_tui.ui.dialogs.links import LinkDialog

        if not self.can_link(entry):
            notify_plain(self.screen, "This service gives no links.", "warning")
            return
        set_status("asking for a link… Esc stops")
        try:
            link = await self.providers[entry.location.profile].link(entry.location)
        finally:
            set_status("")
        if is_wanted():
            await self.screen.app.push_screen_wait(LinkDialog(object_title(entry, self.zone()), link, self.zone()))

    def known_address(self, entry: StoredObject) -> str:
        """The address for use in other runs of the program; empty in the demo."""
        return entry.location.address if self.watch.engine.keeps else ""

    def opens_elsewhere(self, entry: StoredObject) -> bool:
        """Whether the user has configured a program for files of this kind."""
        return bool(self.settings.opener.get(kind_of(entry), ""))

    def opener_of(self, entry: StoredObject) -> str:
        """The program that would open an object; empty if there is none."""
        try:
            return opener(kind_of(entry), self.settings.opener, os.environ)[0]
        except ConfigError:
            return ""

    def sound_of(self, entry: StoredObject) -> "RemoteSound":
        """The bytes of a recording, fetched during playback."""
        from cloudstore_tui.preview.player import RemoteSound

        return RemoteSound(self.watch.engine.range_reader(entry), entry.size if entry.size_exact else None)

    async def transcript_of(self, entry: StoredObject) -> Preview | None:
        """The transcript of a recording, if its call has one."""
        provider = self.providers[entry.location.profile]
        if Capability.RELATED not in provider.capabilities:
            return None
        found = await provider.related(entry)
        tree = call_tree([entry, *found.items], entry)
        transcripts = [node.entry for leg in tree.legs[:1] for node in leg.walk() if node.part is CallPart.TRANSCRIPT]
        near = next((one for one in transcripts if is_small_text(one)), None)
        return await self.look_into(near)(TRANSCRIPT) if near is not None else None

    async def open(self, entry: StoredObject, set_status: SetStatus) -> None:
        """Fetch a private copy, show it in a program, and remove it."""
        program = opener(kind_of(entry), self.settings.opener, os.environ)
        if not await self._is_wanted(entry):
            return
        try:
            await self._show(entry, program, set_status)
        except StorageError as error:
            raise error.about(entry.location.address) from None
        finally:
            set_status("")

    async def _is_wanted(self, entry: StoredObject) -> bool:
        from cloudstore_tui.ui.dialogs.dialog import ConsentDialog

        reasons = ["The program shows the real text, not the masked one."] if MASK.on else []
        if entry.size is None or entry.size > LARGE:
            size = words.size(entry.size, exact=entry.size_exact) or "of unknown size"
            reasons.append(f"{size}; p shows its beginning")
        if not reasons:
            return True
        question = ConsentDialog("Fetch all of it to open it?", [entry.name, *reasons], "Fetch")
        return await self.screen.app.push_screen_wait(question) is True

    async def _show(self, entry: StoredObject, program: list[str], set_status: SetStatus) -> None:
        copy = TemporaryCopy(entry.name)
        keep = False
        try:
            await self._fetch(copy, entry, set_status)
            keep = not self._run_program(command(program, copy.path))
        finally:
            if keep:
                atexit.register(copy.remove)
            else:
                copy.remove()

    async def _fetch(self, copy: TemporaryCopy, entry: StoredObject, set_status: SetStatus) -> None:
        def on_progress(done: int, total: int | None) -> None:
            of = f" of {words.size(total)}" if total else ""
            set_status(f"fetching a copy to open… {words.size(done)}{of}. Esc stops")

        on_progress(0, entry.size)
        await copy.fetch(self.watch.engine.range_reader(entry), on_progress)

    def _run_program(self, arguments: list[str]) -> bool:
        """Run a program in the terminal; whether it is done with the file."""
        try:
            with self.screen.app.suspend():
                return run(arguments)
        except SuspendNotSupported:
            raise UnsupportedError(
                "this terminal cannot be given to another program", hint="p shows it here."
            ) from None
        finally:
            self.screen.app.refresh(layout=True)
