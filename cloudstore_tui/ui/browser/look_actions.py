"""What is in an object: the detail pane, previews, other programs, whole calls; links and copies."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec import Struct

from cloudstore_tui.calls import CallPart, CallTree, file_names, part_of, speaker_rank
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Entry, StoredObject, identity
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.core.records import json_text
from cloudstore_tui.preview.model import Bytes, Dialogue, Preview
from cloudstore_tui.preview.render import RenderedDocument, RenderedLine, render
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.transfers.zip.plan import plan_zips
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Action, ActionGroup
from cloudstore_tui.ui.browser.download_actions import DownloadActions
from cloudstore_tui.ui.browser.panes import FocusManager
from cloudstore_tui.ui.clipboard import copy_text, curl_line, one_line
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.picking import Choice, PickDialog
from cloudstore_tui.ui.downloads import not_zipped, zip_text
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.object_actions import MAX_PACE_UNASKED, ObjectActions, is_small_text
from cloudstore_tui.ui.opening import kind_of
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.text import plain, shorten
from cloudstore_tui.ui.transfer_watch import TransferWatch
from cloudstore_tui.ui.widgets.detail_pane import DetailMode, DetailPane

READ = 8 * 1024
"""Bytes read of an object to show its beginning."""
MAX_LINES = 60


@dataclass(eq=False)
class DetailActions(ActionGroup):
    """Fill the pane beside the list with all fields of an object, or the beginning of its content."""

    pane: DetailPane
    panes: FocusManager
    objects: ObjectActions
    browser_state: BrowserState
    settings: Settings

    @Action("i", "Detail", "Preview, all fields or nothing", id="browser.detail", everywhere=True, stops_on_escape=True)
    async def turn_detail(self) -> None:
        """Switch the pane to the next of preview, all fields, nothing."""
        if self.pane.has_focus:
            self.panes.go("entries")
        mode = self.pane.mode.next
        self.pane.mode = mode
        for pane in (DetailMode.PREVIEW, DetailMode.FIELDS):
            self.browser_state.hide(pane.value, hidden=pane not in mode.panes)
        if mode is DetailMode.FIELDS:
            await self._show_fields()

    async def _show_fields(self) -> None:
        """Ask for the fields that the listing lacks, and show them if the cursor is still there."""
        state, entry = self.listing.state, self.listing.entry
        if state is None or not isinstance(entry, StoredObject):
            return
        self.pane.show(entry, state.zone)
        whole = await state.provider.stat(entry.location)
        MASK.learn([whole])
        if state is self.listing.state and self._is_shown(entry):
            self.pane.show(whole, state.zone)

    @Action("I", "Beginning", "Show its first lines", shown=False, stops_on_escape=True)
    async def beginning(self) -> None:
        entry = self.listing.entry
        if not isinstance(entry, StoredObject):
            notify_plain(self.screen, "Nothing to preview here.", "warning")
        elif (source := self._source(entry)) is None:
            notify_plain(self.screen, "Too big for the detail pane. Press p to preview.", "warning")
        else:
            self.pane.mode = DetailMode.PREVIEW
            await self._show(entry, source)

    def follow(self) -> None:
        """Show the beginning of what the cursor rests on, if previews are on and the request limit leaves room."""
        entry, state = self.pane.entry, self.listing.state
        if not self.settings.preview_in_detail or not self.pane.display or state is None:
            return
        if not isinstance(entry, StoredObject) or self.pane.has_head(entry):
            return
        if state.provider.session.pace_used <= MAX_PACE_UNASKED and (source := self._source(entry)) is not None:
            self.screen.run_worker(self._show_quietly(entry, source), group="action beginning", exclusive=True)

    def _source(self, entry: StoredObject) -> StoredObject | None:
        """A small text that shows what an object is about: itself, or the transcript of its call."""
        if is_small_text(entry):
            return entry
        if part_of(entry) not in (CallPart.RECORDING, CallPart.VOICEMAIL, CallPart.SCREEN):
            return None
        call = [one for one in self.listing.of_call(entry) if is_small_text(one)]
        transcripts = sorted((one for one in call if part_of(one) is CallPart.TRANSCRIPT), key=speaker_rank)
        return next(iter(transcripts), None)

    async def _show_quietly(self, entry: StoredObject, source: StoredObject) -> None:
        try:
            await self._show(entry, source)
        except StorageError as error:
            # Nobody asked for it: it is said in the pane only.
            self.pane.show_head(entry, "PREVIEW", f"Its beginning cannot be shown: {plain(error.message)}.")

    async def _show(self, entry: StoredObject, source: StoredObject) -> None:
        preview = await self.objects.look_into(source)(READ)
        width = max(self.pane.content_region.width - 2, 20)
        if self._is_shown(entry):
            self.pane.show_head(entry, *_text(source, preview, render(preview, width), width))

    def _is_shown(self, entry: Entry) -> bool:
        return self.pane.entry is not None and identity(self.pane.entry) == identity(entry)


def _text(source: StoredObject, preview: Preview, shown: RenderedDocument, width: int) -> tuple[str, str]:
    """The title and the first lines of a preview."""
    lines = [] if isinstance(preview.body, Bytes) else shown.lines[:MAX_LINES]
    if isinstance(preview.body, Dialogue) and part_of(source) is CallPart.TRANSCRIPT:
        # The dialogue, without the facts of the call, which are shown anyway.
        said = [line for line in lines[shown.above :] if line.hang]
        blank = min((len(line.text) - len(line.text.lstrip()) for line in said), default=0)
        return "TRANSCRIPT", "\n".join(part for line in said for part in _wrapped(line, blank, width))
    amount = "" if preview.is_whole else f", the first {words.size(preview.head)} of {words.size(preview.total)}"
    head = [shown.head] if lines and shown.head and not shown.above else []
    return f"{preview.format.upper()}{amount} · p shows more", "\n".join([*head, *(line.text for line in lines)])


def _wrapped(line: RenderedLine, blank: int, width: int) -> list[str]:
    """The wrapped lines of one turn, without the indentation that all turns share."""
    indent = " " * max(min(line.hang - blank, width // 4), 0)
    return textwrap.wrap(line.text[blank:], max(width, 12), subsequent_indent=indent) or [""]


CallFolder = Callable[[StoredObject, str], Path]
"""Gives the folder of a call below the download folder, from one of its objects and the provider's name."""
LINK = "Signed link"
_NOTE = 38
"""Cells of the text beside a title, so that both fit in a narrow terminal."""


class _Offer(Struct, frozen=True):
    """One thing that can be copied."""

    title: str
    note: str
    text: str = ""
    """Empty if the service has to make a link first."""


@dataclass(eq=False)
class LookActions(ActionGroup):
    """Preview, play and open objects, show their calls, and copy links and names."""

    downloads: DownloadActions
    objects: ObjectActions
    watch: TransferWatch
    call_folder: CallFolder

    @property
    def on_sound(self) -> bool:
        return isinstance(entry := self.listing.entry, StoredObject) and kind_of(entry) == "audio"

    @property
    def on_other(self) -> bool:
        return self.listing.entry is not None and not self.on_sound

    # On a screen of its own, and in another program

    @Action(
        "p,f3",
        "Preview",
        "Preview without downloading",
        offered="on_readable",
        opens=True,
        stops_on_escape=True,
    )
    async def preview(self) -> None:
        entry = self.listing.entry
        if isinstance(entry, StoredObject):
            await self.look_into(entry)
        else:
            notify_plain(self.screen, "Nothing to preview here.", "warning")

    async def look_into(self, entry: StoredObject, *, listens: bool = False) -> None:
        """Preview an object, and download it if the user asks for that there."""
        from cloudstore_tui.ui.screens.preview import PreviewScreen

        if why := self.objects.why_unreadable(entry):
            notify_plain(self.screen, why, "warning")
        elif await self.screen.app.push_screen_wait(PreviewScreen(entry, self.objects, listens=listens)):
            await self.downloads.fetch([entry], self.downloads.folder)

    @Action("e,f4", "Play", "Listen to this recording", when="on_sound", offered="on_readable", stops_on_escape=True)
    async def play(self) -> None:
        """Play a recording here, or in the program that the settings name for sound."""
        if isinstance(entry := self.listing.entry, StoredObject):
            if self.objects.opens_elsewhere(entry):
                await self.objects.open(entry, self.listing.set_status)
            else:
                await self.look_into(entry, listens=True)

    @Action(
        "e,f4", "View", "Open a copy in your own program", when="on_other", offered="on_readable", stops_on_escape=True
    )
    async def open_with(self) -> None:
        if isinstance(entry := self.listing.entry, StoredObject):
            await self.objects.open(entry, self.listing.set_status)
        else:
            notify_plain(self.screen, "That's a folder. Open it and pick a file.", "warning")

    # Its call

    @Action(
        "full_stop",
        "Call",
        "Show the whole call",
        needs=Capability.RELATED,
        offered="on_file",
        opens=True,
        stops_on_escape=True,
    )
    async def call(self) -> None:
        """Show the call; its files are downloaded to one folder."""
        from cloudstore_tui.ui.screens.call import CallScreen

        state, entry = self.state, self.listing.entry
        if not isinstance(entry, StoredObject):
            notify_plain(self.screen, "No call to show here. Select a file first.", "warning")
            return
        folder_of = partial(self._folder_of, state.provider)

        async def fetch(tree: CallTree, entries: Sequence[StoredObject], as_zip: bool) -> bool:
            return await self._fetch_call(tree, entries, folder_of(tree), as_zip=as_zip)

        async def find(everywhere: bool) -> Page[StoredObject]:
            return await state.provider.related(entry, everywhere=everywhere)

        screen = CallScreen(entry, self.objects, self.watch, state.zone, find=find, folder_of=folder_of, fetch=fetch)
        await self.screen.app.push_screen_wait(screen)

    async def _fetch_call(self, tree: CallTree, entries: Sequence[StoredObject], folder: Path, *, as_zip: bool) -> bool:
        plan = plan_zips(entries) if as_zip else None
        if plan is not None and not plan.packed:
            notify_plain(self.screen, f"Nothing here can be packed into a zip. {not_zipped(plan)}", "warning")
            return False
        title = f"one call, {counted(len(entries), 'file')}" if len(entries) == len(tree.entries) else ""
        started = await self.downloads.start(entries, folder, plan, file_names(tree), title)
        if started and plan is not None:
            notify_plain(self.screen, f"Zip: {zip_text(plan)}.")
            if apart := not_zipped(plan):
                notify_plain(self.screen, apart, "warning")
        return started

    def _folder_of(self, provider: StorageProvider, tree: CallTree) -> Path:
        representative = tree.representative
        if representative is None:
            return self.downloads.folder
        return self.downloads.folder / self.call_folder(representative, provider.profile.provider)

    # Links and copies

    @Action(
        "y",
        "Link",
        "Make and copy a link to this file",
        needs=Capability.LINK,
        offered="on_readable",
        opens=True,
        stops_on_escape=True,
    )
    async def link(self) -> None:
        entry, state = self.listing.entry, self.listing.state
        if isinstance(entry, StoredObject):
            await self.objects.link(entry, self.listing.set_status, lambda: state is self.listing.state)
        else:
            notify_plain(self.screen, "Only files have links. Select one first.", "warning")

    @Action("Y", "Copy", "Copy address, name, tags or curl command", shown=False, opens=True, stops_on_escape=True)
    async def copy(self) -> None:
        state, entries = self.state, self.chosen()
        if not entries:
            self._copy(state.target.location.address)
            return
        offers = _offers(entries, state.provider)
        title = "Copy" if len(entries) == 1 else f"Copy of {counted(len(entries), 'entry', 'entries')}, one a line"
        picks = [Choice(offer.title, offer.note) for offer in offers]
        picked = await self.screen.app.push_screen_wait(PickDialog(title, picks, verb="Copy"))
        if picked is None:
            return
        offer, (first, *_) = offers[picked.index], entries
        if offer.text:
            self._copy(offer.text)
        elif isinstance(first, StoredObject) and offer.title == LINK:
            await self.objects.link(first, self.listing.set_status, lambda: state is self.listing.state)
        elif isinstance(first, StoredObject):
            with self.listing.doing("asking for a link… Esc stops"):
                link = await state.provider.link(first.location)
            line = curl_line(first.name, link.url.reveal())
            said = f"{copy_text(self.screen.app, line)}\n\n{line}"
            await self.screen.app.push_screen_wait(MessageDialog(offer.title, said))

    def _copy(self, text: str) -> None:
        first, _, more = text.partition("\n")
        notify_plain(self.screen, f"{first}{' …' if more else ''} · {copy_text(self.screen.app, text)}")


def _offers(entries: Sequence[Entry], provider: StorageProvider) -> list[_Offer]:
    """What can be copied; one line per entry."""
    objects = [entry for entry in entries if isinstance(entry, StoredObject)]
    texts = {"Address": [entry.location.address for entry in entries], "Name": [entry.name for entry in entries]}
    if len(objects) == len(entries):
        texts["Id"] = [entry.id for entry in objects]
        texts["Key"] = ["" if entry.id else entry.location.path for entry in objects]
        texts["Checksum"] = [entry.checksum for entry in objects]
        texts["Tags as JSON"] = list(map(_tags_json, objects))
    offers = [_offer_of(title, found) for title, found in texts.items()]
    if len(entries) == len(objects) == 1 and Capability.LINK in provider.capabilities:
        offers.insert(2, _Offer(LINK, "anyone with it can download until it expires"))
        offers.insert(3, _Offer("curl command", "fetches it with such a link"))
    return [offer for offer in offers if offer.note]


def _offer_of(title: str, texts: Sequence[str]) -> _Offer:
    known = [one_line(text) for text in texts if text]
    # The ends of names say more than their middles.
    alone = shorten(known[0], _NOTE, middle=True) if len(known) == 1 else ""
    note = alone or (f"{len(known):,} of {len(texts):,}" if known else "")
    return _Offer(title, note, "\n".join(known))


def _tags_json(entry: StoredObject) -> str:
    """The tags as one line; for a repeated name the first value, as everywhere."""
    tags: dict[str, str] = {}
    for name, value in entry.tags:
        tags.setdefault(name, value)
    return json_text(tags) if tags else ""
