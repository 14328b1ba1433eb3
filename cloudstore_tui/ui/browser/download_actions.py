"""Downloads of objects and folders, one by one or as zips that the service packs."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from textual.worker import get_current_worker

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.core.models import Entry, Folder, Location, StoredObject, identity
from cloudstore_tui.core.paging import Pager
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.transfers.model import OnConflict, ZipRequest
from cloudstore_tui.transfers.zip.plan import ZipPlan, cost_of_direct, cost_of_zips, is_available, plan_zips
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Action, ActionGroup
from cloudstore_tui.ui.browser.places_tree import PlacesTree
from cloudstore_tui.ui.dialogs.fetching import (
    ConflictDialog,
    FetchDialog,
    JobOrder,
    JobVerb,
    ProgressDialog,
    ZipJobsDialog,
)
from cloudstore_tui.ui.downloads import (
    Conflict,
    FetchAnswer,
    FetchOffer,
    compared,
    free_space,
    is_large,
    names_in,
    not_zipped,
    requests,
    unavailable_reasons,
    usable_folder,
    zip_requests,
)
from cloudstore_tui.ui.format import counted, place_title, total_size
from cloudstore_tui.ui.report import notify_plain, report, show_warnings
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.text import home_path
from cloudstore_tui.ui.transfer_text import batch_title, kinds_of
from cloudstore_tui.ui.transfer_watch import TransferWatch

ZIP_FROM = 10
"""Files from which on a zip may be faster."""
MAX_ASKED = 200
"""Conflicting files for which the service is asked for size and checksum; the others count as different."""
MAX_COUNTED = 100_000
"""Files up to which a folder is downloaded in one go."""
LONG_S = 1.0
"""Seconds after which a dialog shows the progress."""
MAX_COMPARED = 50
"""Files compared before the next check whether the user cancelled."""


@dataclass(eq=False)
class DownloadActions(ActionGroup):
    """Download what is marked or under the cursor; asks first if it is much, or files exist already."""

    providers: Mapping[str, StorageProvider]
    tree: PlacesTree
    watch: TransferWatch
    restores: RestoreWatch
    settings: Settings

    def __post_init__(self) -> None:
        self.folder = self.settings.download_dir
        self._chosen_folder = self.folder
        """The folder chosen last."""

    @property
    def is_in_tree(self) -> bool:
        """Whether the tree has the focus, and not the list."""
        return self.screen.focused is self.tree

    @property
    def can_download(self) -> bool:
        """Whether the cursor is on something that can be downloaded now."""
        if self.is_in_tree:
            return self.tree.folder is not None
        return (self.listing.entry is not None or self.on_object) and not self.on_archived

    def _selected(self) -> list[Entry]:
        """The chosen rows, or the place under the cursor of the tree; tells the user if there is none."""
        if not self.is_in_tree:
            entries, why = self.chosen(), "There is no file here."
        else:
            place, why = self.tree.folder, "Enter opens this; d downloads what is in it."
            entries = [] if place is None else [Folder(place, "")]
        if not entries:
            notify_plain(self.screen, why, "warning")
        return entries

    @Action(
        "d,s",
        "Download",
        "Download what is marked, or this",
        offered="can_download",
        in_tree=True,
        opens=True,
        stops_on_escape=True,
    )
    async def download(self) -> None:
        await self._fetch_all(self._selected(), self.folder)

    @Action(
        "D,f2,S",
        "Download to",
        "Download to a folder that you name",
        shown=False,
        in_tree=True,
        opens=True,
        stops_on_escape=True,
    )
    async def download_as(self) -> None:
        """Ask for the folder first; the next time, the same one is proposed."""
        from cloudstore_tui.ui.dialogs.paths import DownloadDialog

        if not (entries := self._selected()):
            return
        objects = [entry for entry in entries if isinstance(entry, StoredObject)]
        what = kinds_of(objects) if objects else counted(len(entries), "folder")
        dialog = DownloadDialog(what, total_size(objects), self._chosen_folder)
        if (folder := await self.screen.app.push_screen_wait(dialog)) is not None:
            self._chosen_folder = folder
            await self._fetch_all(entries, folder)

    @Action(
        "z",
        "Zip",
        "Download as zips",
        needs=Capability.ZIP,
        offered="on_object",
        opens=True,
        stops_on_escape=True,
    )
    async def zip(self) -> None:
        if objects := self.chosen_objects():
            await self.fetch(objects, self.folder, always_zips=True)

    async def _fetch_all(self, entries: Sequence[Entry], folder: Path) -> None:
        for entry in entries:
            if isinstance(entry, Folder):
                await self.fetch_folder(entry.location, folder)
        if objects := [entry for entry in entries if isinstance(entry, StoredObject)]:
            await self.fetch(objects, folder)

    # Objects

    async def fetch(
        self,
        objects: Sequence[StoredObject],
        folder: Path,
        *,
        always_zips: bool = False,
        place: str = "",
        tree: Location | None = None,
    ) -> None:
        """Download in the faster way; the user decides if it is much.

        Args:
            objects: to download; those that are unavailable or already being fetched are left out.
            folder: the local folder.
            always_zips: whether to use zips only.
            place: the name of the place that these are all objects of; it gets a folder of its own.
            tree: the service's folder whose subfolders are recreated.
        """
        ready, coming, notes = self._fetchable(objects)
        if not ready:
            return
        provider = self.providers[ready[0].location.profile]
        may_zip = tree is None and Capability.ZIP in provider.capabilities
        plan = plan_zips(ready) if may_zip and (always_zips or len(ready) >= ZIP_FROM) else None
        if always_zips and (plan is None or not plan.packed):
            why = not_zipped(plan) if plan is not None else ""
            notify_plain(self.screen, f"Nothing here can be packed into a zip. {why}", "warning")
            return
        offer = self._offer(provider, ready, plan, folder, place)
        offer = replace(offer, coming=coming, notes=notes, prefers_zip=always_zips or offer.prefers_zip)
        way, folder = await self._choose_way(offer, ready)
        if way is None:
            return
        target = await self._writable(folder) / offer.below
        if tree is None:
            await self.start(ready, target, plan if way is FetchAnswer.ZIP else None)
        else:
            await self._submit_folder(ready, tree, target)

    def _fetchable(self, objects: Sequence[StoredObject]) -> tuple[list[StoredObject], int, tuple[str, ...]]:
        """The objects to fetch, how many are being fetched already, and why others cannot be; tells if none is left."""
        able = [entry for entry in objects if is_available(entry)]
        unable = [entry for entry in objects if not is_available(entry)]
        ready = [entry for entry in able if not self.watch.is_coming(entry.location)]
        coming = len(able) - len(ready)
        notes = tuple(unavailable_reasons(unable, self.restores.asked, is_alone=len(objects) == 1))
        if not ready:
            said = f"Already being fetched: {coming:,}. t shows {'it' if coming == 1 else 'them'}." if coming else ""
            notify_plain(self.screen, " ".join(filter(None, (*notes, said))), "warning")
        return ready, coming, notes

    def _offer(
        self,
        provider: StorageProvider,
        objects: Sequence[StoredObject],
        plan: ZipPlan | None,
        folder: Path,
        place: str,
    ) -> FetchOffer:
        """What to show in the dialog: size, and the time of either way."""
        pace, at_once = provider.profile.requests_per_minute, self.settings.transfers
        size = sum(entry.size or 0 for entry in objects)
        direct = cost_of_direct(len(objects), size, pace, at_once)
        what = f"{place}: {kinds_of(objects)}" if place else kinds_of(objects)
        below = safe_name(place.rstrip("/")) if place else ""
        size_text = total_size(objects) or "unknown size"
        offer = FetchOffer(what, size_text, folder, direct.seconds, needed=size, below=below)
        if plan is None or not plan.packed:
            return offer
        zips = cost_of_zips(plan, pace, self.settings.zip_poll_seconds, at_once)
        return replace(
            offer,
            zips=len(plan.batches),
            in_zip=max(len(batch.entries) for batch in plan.batches),
            zip_seconds=zips.seconds,
            prefers_zip=zips.seconds < direct.seconds,
        )

    async def _choose_way(self, offer: FetchOffer, objects: Sequence[StoredObject]) -> tuple[FetchAnswer | None, Path]:
        """The way and the folder. If it is much, ask the user, again after each choice of another folder."""
        from cloudstore_tui.ui.dialogs.paths import DownloadDialog

        if not is_large(objects):
            said = f"Already being fetched: {offer.coming:,} of them. They are left out." if offer.coming else ""
            if left_out := " ".join(filter(None, (*offer.notes, said))):
                notify_plain(self.screen, left_out, "warning")
            return FetchAnswer.ZIP if offer.prefers_zip else FetchAnswer.DIRECT, offer.folder
        while True:
            free = await asyncio.to_thread(free_space, offer.folder)
            answer = await self.screen.app.push_screen_wait(FetchDialog(replace(offer, free=free)))
            if answer is not FetchAnswer.ELSEWHERE:
                return answer, offer.folder
            dialog = DownloadDialog(offer.what, offer.size, offer.folder)
            if (folder := await self.screen.app.push_screen_wait(dialog)) is not None:
                offer = replace(offer, folder=folder)

    async def start(
        self,
        objects: Sequence[StoredObject],
        wanted: Path,
        plan: ZipPlan | None = None,
        names: Mapping[str, str] | None = None,
        title: str = "",
    ) -> bool:
        """Start the transfers; return whether the user let them start.

        Args:
            objects: to download.
            wanted: the local folder.
            plan: how to pack them into zips; without one, each is downloaded on its own.
            names: file names by the identity of the object; missing ones are the object's own.
            title: of the batch; by default it comes from the objects.
        """
        folder = await self._writable(wanted)
        there = await asyncio.to_thread(names_in, folder)
        names = {identity(entry): safe_name((names or {}).get(identity(entry), entry.name)) for entry in objects}
        files = {identity(entry): folder / names[identity(entry)] for entry in objects}
        existing = [entry for entry in objects if names[identity(entry)] in there]
        on_conflict = await self._on_conflict(existing, files, folder)
        if on_conflict is None:
            return False
        root = next((known for known in (self.folder, self._chosen_folder) if folder.is_relative_to(known)), None)
        downloads = [replace(one, root=root) for one in requests(objects, folder, on_conflict, names, there)]
        requested = downloads if plan is None else zip_requests(plan, downloads, folder)
        self.watch.submit(requested, title or batch_title(objects, self.listing.zone), str(folder))
        return True

    async def _writable(self, wanted: Path) -> Path:
        """The folder, or the working directory if it cannot be written to, which the user is told."""
        folder = await asyncio.to_thread(usable_folder, wanted)
        if folder != wanted:
            notify_plain(self.screen, f"{wanted} cannot be written to; the files go to {folder} instead.", "warning")
        return folder

    # Folders

    async def fetch_folder(self, folder: Location, into: Path) -> None:
        """Download everything below a folder or place, with its subfolders; counts it first."""
        provider, name = self.providers[folder.profile], _title(folder)
        if found := await self._count(provider, folder, name):
            # A place that stands for a search holds objects with names, and no folders.
            is_search = Capability.SEARCH in provider.capabilities
            await self.fetch(found, into, place=name, tree=None if is_search else folder)

    async def _count(self, provider: StorageProvider, folder: Location, name: str) -> list[StoredObject]:
        """Everything below a folder; tells the user what could not be listed, and why there is nothing to fetch."""
        found, failures, warnings = list[StoredObject](), list[StorageError](), dict[str, None]()
        size, exact = 0, True
        with self._shown_if_long(f"Counting {name}") as dialog:
            async with aclosing(_objects_below(provider, folder, failures, warnings)) as pages:
                async for page in pages:
                    found += page
                    size += sum(one.size or 0 for one in page)
                    exact = exact and all(one.size is not None and one.size_exact for one in page)
                    dialog.show(f"{counted(len(found), 'file')}, {words.size(size, exact=exact)} so far.")
                    if len(found) > MAX_COUNTED:
                        break
        if len(found) > MAX_COUNTED:
            text = f"{name} holds more than {MAX_COUNTED:,} files. Open it and search, or use cloudstore pull."
            notify_plain(self.screen, text, "warning")
            return []
        show_warnings(self.screen, warnings)
        for failure in failures:
            notify_plain(self.screen, str(failure), "error")
        if not found and not failures:
            notify_plain(self.screen, f"{name} is empty.", "warning")
        return found

    @contextmanager
    def _shown_if_long(self, doing: str) -> Iterator[ProgressDialog]:
        """Show the progress in the status line, and after `LONG_S` in a dialog: later keys are not meant for it."""
        dialog, worker = ProgressDialog(doing), get_current_worker()

        def show() -> None:
            if self.screen.is_current and not dialog.has_ended:
                self.screen.app.push_screen(dialog, lambda ended: None if ended else worker.cancel())

        timer = self.screen.set_timer(LONG_S, show)
        try:
            with self.listing.doing(f"{doing[:1].lower()}{doing[1:]}… Esc stops"):
                yield dialog
        finally:
            timer.stop()
            dialog.end()

    async def _submit_folder(self, objects: Sequence[StoredObject], folder: Location, target: Path) -> None:
        """Start the transfers, with the file names that `pull` uses, if the user lets them start."""
        from cloudstore_tui.archive.fetch import Requests
        from cloudstore_tui.archive.folder import PullFolder
        from cloudstore_tui.archive.plan import PullPlan
        from cloudstore_tui.archive.template import KeyNames

        keys, plan = KeyNames(folder.path), PullPlan()
        try:
            plan.add((entry, keys.path(entry, "")) for entry in objects)
            plan.assign_names()
            items = {identity(item.entry): item for item in plan.items()}
            files = {key: target / item.path for key, item in items.items()}
            existing = await asyncio.to_thread(lambda: [one for one in objects if files[identity(one)].exists()])
            if (on_conflict := await self._on_conflict(existing, files, target)) is None:
                return
            made = Requests(plan, PullFolder(target), on_conflict)
            downloads = [replace(made.request(item), sha256=False) for item in items.values()]
        finally:
            plan.close()
        self.watch.submit(downloads, f"{_title(folder)} ({counted(len(downloads), 'file')})", str(target))

    # Files that exist already

    async def _on_conflict(
        self, existing: Sequence[StoredObject], files: Mapping[str, Path], folder: Path
    ) -> OnConflict | None:
        """What to do with files that exist; asks if any differs. `None` if the user cancels."""
        if not existing:
            return OnConflict.REFUSE
        with self._shown_if_long("Comparing with what is there") as progress:
            different, unasked = await self._different(existing, files, progress)
        count = len(different) + unasked
        if not count:
            # The transfers compare again, and find them done.
            return OnConflict.REFUSE
        dialog = ConflictDialog(different, home_path(folder), self.listing.zone, count=count)
        return await self.screen.app.push_screen_wait(dialog)

    async def _different(
        self, existing: Sequence[StoredObject], files: Mapping[str, Path], progress: ProgressDialog
    ) -> tuple[list[Conflict], int]:
        """The files that differ from their objects, and how many were not compared."""
        known = [entry for entry in existing if _is_described(entry)]
        unknown = [entry for entry in existing if not _is_described(entry)]
        known += [await self._described(entry) for entry in unknown[:MAX_ASKED]]
        zone = self.listing.zone

        def compare(some: Sequence[StoredObject]) -> list[Conflict]:
            return [compared(entry, files[identity(entry)], zone) for entry in some]

        different: list[Conflict] = []
        for start in range(0, len(known), MAX_COMPARED):
            conflicts = await asyncio.to_thread(compare, known[start : start + MAX_COMPARED])
            different += [conflict for conflict in conflicts if not conflict.is_same]
            progress.show(f"{start + len(conflicts):,} of {counted(len(known), 'file')} so far.")
        return different, len(unknown[MAX_ASKED:])

    async def _described(self, entry: StoredObject) -> StoredObject:
        """An object with checksum and exact size, which listings of some services lack."""
        try:
            found = await self.providers[entry.location.profile].stat(entry.location)
        except StorageError:
            # The transfer reports what is wrong.
            return entry
        return found if isinstance(found, StoredObject) else entry

    # Zip jobs on the service, whoever started them

    @Action(
        "J",
        "Zip jobs",
        "Zip jobs on the server",
        id="browser.zip_jobs",
        needs=Capability.ZIP,
        everywhere=True,
        opens=True,
    )
    async def zip_jobs(self) -> None:
        """Show the queue again after each command, until a zip is fetched or the user closes it."""
        provider, entry = self.state.provider, self.listing.entry
        region = self.state.target.location.region or (entry.location.region if entry is not None else "")
        if not region:
            notify_plain(self.screen, "Zip jobs belong to a region; open one first.", "warning")
            return
        jobs, at = await self._read_jobs(provider, region), ""
        while (order := await self.screen.app.push_screen_wait(ZipJobsDialog(region, jobs, at))) is not None:
            job = order.job
            if order.verb is JobVerb.FETCH and job is not None:
                request = ZipRequest((), Location(job.profile, job.region), self.folder, job=job.name)
                self.watch.submit([request], job.name, str(self.folder))
                return
            at = job.name if job is not None else ""
            try:
                jobs = await self._carry_out(order, provider, region, jobs)
            except StorageError as error:
                report(self.screen, error)

    async def _carry_out(
        self, order: JobOrder, provider: StorageProvider, region: str, jobs: Sequence[ZipJob]
    ) -> tuple[ZipJob, ...]:
        from cloudstore_tui.ui.dialogs.questions import ClearZipsDialog

        if order.verb is JobVerb.CANCEL and order.job is not None:
            left = await provider.cancel_zip(region, order.job.name)
            self._notify_stopped(order.job, left)
            return left
        if order.verb is JobVerb.CLEAR:
            sure = await self.screen.app.push_screen_wait(ClearZipsDialog(region, len(jobs)))
            return await provider.clear_zips(region) if sure else tuple(jobs)
        return await self._read_jobs(provider, region)

    async def _read_jobs(self, provider: StorageProvider, region: str) -> tuple[ZipJob, ...]:
        queue = await provider.zip_jobs(region)
        for failure in queue.failures:
            report(self.screen, failure)
        return queue.items

    def _notify_stopped(self, job: ZipJob, left: Sequence[ZipJob]) -> None:
        still = next((one for one in left if one.name == job.name), None)
        if still is None or still.status != job.status:
            notify_plain(self.screen, f"Stopped: {job.name}")
        else:
            notify_plain(self.screen, f"{job.name} had already ended. C empties the queue.", "warning")


def _title(folder: Location) -> str:
    """`reporting/`, or for a virtual folder `Call recordings 2024-09`, or the name of the profile."""
    name = folder.path.rstrip("/").rpartition("/")[2]
    return f"{name}/" if name else place_title(folder)


async def _objects_below(
    provider: StorageProvider, folder: Location, failures: list[StorageError], warnings: dict[str, None]
) -> AsyncGenerator[Sequence[StoredObject]]:
    """Everything below a place, page by page; notes in `failures` what is missing, and in `warnings` what may be."""
    if (query := provider.query(folder)) is not None:
        pager = Pager(partial(provider.search, query), identity, folder.address, partial(provider.prefetch, query))
        async with pager.prefetch():
            async for page in pager:
                warnings |= dict.fromkeys(page.warnings)
                yield page.items
        failures += pager.failures
        return
    # Deferred: needed only to download folders.
    from cloudstore_tui.archive.listing import FolderListing

    listing = FolderListing(provider, folder)
    async for objects in listing.pages():
        yield objects
    warnings |= listing.warnings
    failures += listing.failures


def _is_described(entry: StoredObject) -> bool:
    """Whether enough is known of an object to compare a file with it."""
    return bool(entry.checksum) and entry.size_exact
