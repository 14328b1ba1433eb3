"""What is known of an entry to the clipboard: its address, name, key, tags, or a link to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cloudstore_tui.core.models import Entry, StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.core.records import json_text
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.reading import Reading
from cloudstore_tui.ui.clipboard import copy_text, curl_line, one_line
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import tell

_NOTE = 38
"""Characters shown of what would be copied."""

_Read: TypeAlias = Callable[[StoredObject], str]


@dataclass(frozen=True, slots=True)
class _Offer:
    """One thing that can be copied."""

    title: str
    note: str
    text: str = ""
    """Empty where the service has to be asked for a link first."""
    as_command: bool = False
    """Whether the link is wanted as a line for the shell."""


class CopyFlow(Flow):
    """Lets the user choose what to copy of the marked entries, or of the one under the cursor."""

    stops_on_escape = True

    async def run(self) -> None:
        """Ask, copy."""
        from cloudstore_tui.ui.dialogs.pick_dialog import Pick, PickDialog

        reading = self.listing.reading
        if reading is None:
            return
        entries = self._chosen()
        if not entries:
            self._copy(reading.visit.location.address)
            return
        offers = _offers(entries, reading.provider)
        title = "Copy" if len(entries) == 1 else f"Copy of {counted(len(entries), 'entry', 'entries')}, one a line"
        picks = [Pick(offer.title, offer.note) for offer in offers]
        picked = await self.screen.app.push_screen_wait(PickDialog(title, picks, verb="Copy"))
        if picked is None:
            return
        offer, (first, *_) = offers[picked.index], entries
        if offer.text:
            self._copy(offer.text)
        elif isinstance(first, StoredObject):
            await self._copy_link(offer, first, reading)

    async def _copy_link(self, offer: _Offer, entry: StoredObject, reading: Reading) -> None:
        from cloudstore_tui.ui.dialogs.dialog import MessageDialog
        from cloudstore_tui.ui.dialogs.link_dialog import LinkDialog

        with self.listing.doing("asking for a link… Esc stops"):
            link = await reading.provider.link(entry.location)
        app = self.screen.app
        if not offer.as_command:
            await app.push_screen_wait(LinkDialog(entry.location.address, link, reading.zone))
            return
        line = curl_line(entry.name, link.url.reveal())
        await app.push_screen_wait(MessageDialog(offer.title, f"{copy_text(app, line)}\n\n{line}"))

    def _copy(self, text: str) -> None:
        first, _, more = text.partition("\n")
        tell(self.screen, f"{first}{' …' if more else ''} · {copy_text(self.screen.app, text)}")


def _offers(entries: Sequence[Entry], provider: StorageProvider) -> list[_Offer]:
    """What there is to copy; of several entries one line each."""
    objects = [entry for entry in entries if isinstance(entry, StoredObject)]
    offers = [
        _of("Address", [entry.location.address for entry in entries]),
        _of("Name", [entry.name for entry in entries]),
    ]
    if len(objects) == len(entries):
        if len(objects) == 1 and Capability.LINK in provider.capabilities:
            offers.append(_Offer("Signed link", "anyone with it can download until it expires"))
            offers.append(_Offer("curl command", "fetches it with such a link", as_command=True))
        readings: tuple[tuple[str, _Read], ...] = (
            ("Id", lambda entry: entry.id),
            ("Key", lambda entry: "" if entry.id else entry.location.path),
            ("Checksum", lambda entry: entry.checksum),
            ("Tags as JSON", _tags_json),
        )
        offers += [_of(title, [read(entry) for entry in objects]) for title, read in readings]
    return [offer for offer in offers if offer.note]


def _of(title: str, texts: Sequence[str]) -> _Offer:
    known = [one_line(text) for text in texts if text]
    note = _elided(known[0]) if len(known) == 1 else f"{len(known):,} of {len(texts):,}" if known else ""
    return _Offer(title, note, "\n".join(known))


def _elided(text: str) -> str:
    """A text that fits beside its title in a narrow terminal; the ends of names tell more than their middles."""
    return text if len(text) <= _NOTE else f"{text[: _NOTE // 2]}…{text[1 - _NOTE // 2 :]}"


def _tags_json(entry: StoredObject) -> str:
    """The tags as one line; of a name that comes twice the first value, as everywhere."""
    tags: dict[str, str] = {}
    for name, value in entry.tags:
        tags.setdefault(name, value)
    return json_text(tags) if tags else ""
