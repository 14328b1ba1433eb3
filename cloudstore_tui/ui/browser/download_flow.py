"""Objects to a folder of this machine."""

import asyncio
import os
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace
from textual.screen import Screen

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.models import StoredObject, identity
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict
from cloudstore_tui.transfers.zip.plan import choose
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.zip_requests import Zipping
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.transfer_text import batch_title
from cloudstore_tui.ui.transfer_watch import TransferWatch

ZIP_FROM = 10
"""Objects below which nobody wants to be asked about zips."""


class DownloadFlow(Flow):
    """Downloads what is marked, or the object under the cursor; asks only where something is in the way."""

    def __init__(self, screen: Screen[None], listing: ListingFlow, watch: TransferWatch, settings: Settings) -> None:
        super().__init__(screen, listing)
        self._watch = watch
        self._settings = settings
        self.folder = settings.download_dir
        """Where files go."""

    async def run(self) -> None:
        """To the folder that the settings name."""
        if objects := self.chosen_objects():
            await self.choose_way(objects, self.folder)

    async def choose_way(self, objects: Sequence[StoredObject], wanted: Path) -> None:
        """Download in the way that is faster; the user decides where there are many and the service makes zips."""
        from cloudstore_tui.ui.dialogs.zip_choice_dialog import ZipChoice, ZipChoiceDialog

        reading = self.listing.reading
        zipping = None
        what = ", ".join(part for part in (counted(len(objects), "object"), total(objects)) if part)
        if reading is not None and len(objects) >= ZIP_FROM and Capability.ZIP in reading.provider.capabilities:
            zipping = Zipping.of(objects)
        if reading is not None and zipping is not None and zipping.packed:
            pace = reading.provider.profile.requests_per_minute
            settings = self._settings
            choice = choose(zipping.plan, pace, settings.zip_poll_seconds, settings.transfers)
            way = await self.screen.app.push_screen_wait(ZipChoiceDialog(what, choice))
            if way is None:
                return
            zipping = zipping if way is ZipChoice.ZIP else None
        elif len(objects) >= ZIP_FROM:
            tell(self.screen, f"Download of {what}.")
        await self.download(objects, wanted, zipping)

    async def download(
        self,
        objects: Sequence[StoredObject],
        wanted: Path,
        zipping: Zipping | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """Start the transfers, as zips if so planned; whether the user let them start.

        Args:
            objects: what is wanted.
            wanted: the folder.
            zipping: how it is packed.
            names: names of files by the identity of their object, where they are not to have the object's own.
        """
        from cloudstore_tui.ui.dialogs.conflict_dialog import ConflictDialog

        folder = await asyncio.to_thread(usable_folder, wanted)
        if folder != wanted:
            tell(self.screen, f"{wanted} cannot be written to; the files go to {folder} instead.", "warning")
        there = await asyncio.to_thread(names_in, folder)
        names = {identity(entry): safe_name((names or {}).get(identity(entry), entry.name)) for entry in objects}
        in_the_way = [name for name in dict.fromkeys(names.values()) if name in there]
        on_conflict: OnConflict | None = OnConflict.REFUSE
        if in_the_way:
            on_conflict = await self.screen.app.push_screen_wait(ConflictDialog(in_the_way))
        if on_conflict is None:
            return False
        root = self.folder if folder.is_relative_to(self.folder) else None
        downloads = [replace(one, root=root) for one in requests(objects, folder, on_conflict, names, there)]
        requested = downloads if zipping is None else zipping.requests(downloads, folder)
        self._watch.submit(requested, batch_title(objects), str(folder))
        return True


class DownloadAsFlow(DownloadFlow):
    """Downloads to a folder that the user names, and offers the same one the next time."""

    async def run(self) -> None:
        """Ask, then download."""
        from cloudstore_tui.ui.dialogs.download_dialog import DownloadDialog

        objects = self.chosen_objects()
        if not objects:
            return
        dialog = DownloadDialog(len(objects), total(objects), self.folder)
        if (folder := await self.screen.app.push_screen_wait(dialog)) is not None:
            self.folder = folder
            await self.choose_way(objects, folder)


def total(objects: Sequence[StoredObject]) -> str:
    """How much objects are together, as far as the service says."""
    sizes = [entry.size for entry in objects if entry.size is not None]
    exact = len(sizes) == len(objects) and all(entry.size_exact for entry in objects)
    return words.size(sum(sizes), exact=exact) if sizes else ""


def requests(
    objects: Sequence[StoredObject],
    folder: Path,
    on_conflict: OnConflict,
    names: Mapping[str, str],
    there: Container[str] = (),
) -> Iterator[DownloadRequest]:
    """What the transfers are asked for; objects that share a local name keep all their files.

    None of them may refuse for or overwrite what another one of them has brought, whichever comes first.
    """
    many = Counter(names.values())
    taken: set[str] = set()
    for entry in objects:
        name = names[identity(entry)]
        shared = name in taken or (many[name] > 1 and name not in there)
        taken.add(name)
        own = "" if name == safe_name(entry.name) else name
        yield DownloadRequest(entry.location, folder, own, OnConflict.KEEP_BOTH if shared else on_conflict, entry)


def usable_folder(wanted: Path) -> Path:
    """The folder, made if it is missing; the present one where that cannot be. May take long on a network disk."""
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path.cwd()
    return wanted if os.access(wanted, os.W_OK | os.X_OK) else Path.cwd()


def names_in(folder: Path) -> frozenset[str]:
    """The names that are taken in a folder. May take long on a network disk."""
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        # The transfer itself will say what is wrong with the folder.
        return frozenset()
