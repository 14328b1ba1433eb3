"""Objects and folders to a folder of this machine, one by one or packed by the service."""

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
from cloudstore_tui.ui.report import notify_plain, report
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.text import home_path
from cloudstore_tui.ui.transfer_text import batch_title, kinds_of
from cloudstore_tui.ui.transfer_watch import TransferWatch

ZIP_FROM = 10
"""Files below which nobody waits for a zip."""
MAX_ASKED = 200
"""Files in the way of which the service is asked what they have; of the others the list says it, or nobody does."""
MAX_COUNTED = 100_000
"""Files that a folder holds at most to be downloaded in one go."""
LONG_S = 1.0
"""Seconds for which keys wait for what a key has asked for."""
MAX_COMPARED = 50
"""Files compared between two looks at whether the user gave up."""


@dataclass(eq=False)
class DownloadActions(ActionGroup):
    """Downloads what is marked, or what is under the cursor; asks where there is much, or something is in the way."""

    providers: Mapping[str, StorageProvider]
    tree: PlacesTree
    watch: TransferWatch
    restores: RestoreWatch
    settings: Settings

    def __post_init__(self) -> None:
        self.folder = self.settings.download_dir
        self._named = self.folder
        """The folder that was named last."""

    @property
    def is_in_tree(self) -> bool:
        """Whether what is meant is a place of the tree, not the rows."""
        return self.screen.focused is self.tree

    @property
    def can_download(self) -> bool:
        """Whether the cursor is on something that can be fetched now."""
        if self.is_in_tree:
            return self.tree.folder is not None
        return (self.listing.entry is not None or self.on_object) and not self.on_archived

    def _wanted(self) -> list[Entry]:
        """The chosen rows, or the place under the cursor of the tree; says so where there is nothing to fetch."""
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
        await self._fetch_all(self._wanted(), self.folder)

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
        """To a folder that is asked for; the next time, the same one is offered."""
        from cloudstore_tui.ui.dialogs.paths import DownloadDialog

        if not (entries := self._wanted()):
            return
        objects = [entry for entry in entries if isinstance(entry, StoredObject)]
        what = kinds_of(objects) if objects else counted(len(entries), "folder")
        dialog = DownloadDialog(what, total_size(objects), self._named)
        if (folder := await self.screen.app.push_screen_wait(dialog)) is not None:
            self._named = folder
            await self._fetch_all(entries, folder)

    @Action(
        "z",
        "Zip",
        "Download what is marked as zips",
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
        """Download in the faster way; the user decides where there is much.

        Args:
            objects: what is wanted; left out is what cannot be fetched, or is on its way already.
            folder: where it goes.
            always_zips: whether zips are wanted, and nothing else.
            place: what they are all of, if they are; it gets a folder of its own.
            tree: the folder of the service whose own folders are kept.
        """
        ready, coming, notes = self._ready(objects)
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
        way, folder = await self._agree(offer, ready)
        if way is None:
            return
        target = await self._usable(folder) / offer.below
        if tree is None:
            await self.start(ready, target, plan if way is FetchAnswer.ZIP else None)
        else:
            await self._submit_folder(ready, tree, target)

    def _ready(self, objects: Sequence[StoredObject]) -> tuple[list[StoredObject], int, tuple[str, ...]]:
        """What can be fetched and is not on its way yet; how many are, and why others cannot. Tells if none is left."""
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
        """What either way takes, for objects that may be all of a place."""
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

    async def _agree(self, offer: FetchOffer, objects: Sequence[StoredObject]) -> tuple[FetchAnswer | None, Path]:
        """The way and the folder: the user decides where there is much, as often as another folder is wanted."""
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
        """Start the transfers, as zips if so planned; whether the user let them start.

        Args:
            objects: what is wanted.
            wanted: the folder.
            plan: how it is packed.
            names: names of files by the identity of their object, where they are not to have the object's own.
            title: what the batch is called, where its objects do not say it.
        """
        folder = await self._usable(wanted)
        there = await asyncio.to_thread(names_in, folder)
        names = {identity(entry): safe_name((names or {}).get(identity(entry), entry.name)) for entry in objects}
        files = {identity(entry): folder / names[identity(entry)] for entry in objects}
        in_the_way = [entry for entry in objects if names[identity(entry)] in there]
        on_conflict = await self._on_conflict(in_the_way, files, folder)
        if on_conflict is None:
            return False
        root = next((known for known in (self.folder, self._named) if folder.is_relative_to(known)), None)
        downloads = [replace(one, root=root) for one in requests(objects, folder, on_conflict, names, there)]
        requested = downloads if plan is None else zip_requests(plan, downloads, folder)
        self.watch.submit(requested, title or batch_title(objects, self.listing.zone), str(folder))
        return True

    async def _usable(self, wanted: Path) -> Path:
        """The folder, or the present one where it cannot be written to; that is told."""
        folder = await asyncio.to_thread(usable_folder, wanted)
        if folder != wanted:
            notify_plain(self.screen, f"{wanted} cannot be written to; the files go to {folder} instead.", "warning")
        return folder

    # Folders

    async def fetch_folder(self, folder: Location, into: Path) -> None:
        """Download everything below a folder or place, its own folders kept; counts it first."""
        provider, name = self.providers[folder.profile], _title(folder)
        if found := await self._count(provider, folder, name):
            # A place that stands for a search holds objects with names, and no folders.
            is_search = Capability.SEARCH in provider.capabilities
            await self.fetch(found, into, place=name, tree=None if is_search else folder)

    async def _count(self, provider: StorageProvider, folder: Location, name: str) -> list[StoredObject]:
        """Everything below a folder; says what could not be listed, and why there is nothing that could be fetched."""
        found, failures = list[StoredObject](), list[StorageError]()
        size, exact = 0, True
        with self._shown_if_long(f"Counting {name}") as dialog:
            async with aclosing(_objects_below(provider, folder, failures)) as pages:
                async for page in pages:
                    found += page
                    size += sum(one.size or 0 for one in page)
                    exact = exact and all(one.size is not None and one.size_exact for one in page)
                    dialog.show(f"{counted(len(found), 'file')}, {words.size(size, exact=exact)} so far.")
                    if len(found) > MAX_COUNTED:
                        break
        if len(found) > MAX_COUNTED:
            many = f"{name} holds more than {MAX_COUNTED:,} files. Open it and search, or use cloudstore pull."
            notify_plain(self.screen, many, "warning")
            return []
        for failure in failures:
            notify_plain(self.screen, str(failure), "error")
        if not found and not failures:
            notify_plain(self.screen, f"{name} is empty.", "warning")
        return found

    @contextmanager
    def _shown_if_long(self, doing: str) -> Iterator[ProgressDialog]:
        """Say how far it is: in a dialog where it takes so long that a key is no longer meant for what comes next."""
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
        """Start the transfers, with the names that `pull` gives, if the user lets them start."""
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
            in_the_way = await asyncio.to_thread(lambda: [one for one in objects if files[identity(one)].exists()])
            if (on_conflict := await self._on_conflict(in_the_way, files, target)) is None:
                return
            made = Requests(plan, PullFolder(target), on_conflict)
            downloads = [replace(made.request(item), sha256=False) for item in items.values()]
        finally:
            plan.close()
        self.watch.submit(downloads, f"{_title(folder)} ({counted(len(downloads), 'file')})", str(target))

    # Files in the way

    async def _on_conflict(
        self, in_the_way: Sequence[StoredObject], files: Mapping[str, Path], folder: Path
    ) -> OnConflict | None:
        """What to do with them; asks where they are not the same already. `None` if nothing is to be done at all."""
        if not in_the_way:
            return OnConflict.REFUSE
        with self._shown_if_long("Comparing with what is there") as progress:
            different, unasked = await self._different(in_the_way, files, progress)
        count = len(different) + unasked
        if not count:
            # The transfers look again, and find them done.
            return OnConflict.REFUSE
        dialog = ConflictDialog(different, home_path(folder), self.listing.zone, count=count)
        return await self.screen.app.push_screen_wait(dialog)

    async def _different(
        self, in_the_way: Sequence[StoredObject], files: Mapping[str, Path], progress: ProgressDialog
    ) -> tuple[list[Conflict], int]:
        """Those that are not the same already, and of how many the service was not asked what they are."""
        known = [entry for entry in in_the_way if _is_described(entry)]
        unknown = [entry for entry in in_the_way if not _is_described(entry)]
        known += [await self._known(entry) for entry in unknown[:MAX_ASKED]]
        zone = self.listing.zone

        def compare(some: Sequence[StoredObject]) -> list[Conflict]:
            return [compared(entry, files[identity(entry)], zone) for entry in some]

        different: list[Conflict] = []
        for start in range(0, len(known), MAX_COMPARED):
            conflicts = await asyncio.to_thread(compare, known[start : start + MAX_COMPARED])
            different += [conflict for conflict in conflicts if not conflict.is_same]
            progress.show(f"{start + len(conflicts):,} of {counted(len(known), 'file')} so far.")
        return different, len(unknown[MAX_ASKED:])

    async def _known(self, entry: StoredObject) -> StoredObject:
        """An object with its checksum and exact size, which lists of some services lack."""
        try:
            found = await self.providers[entry.location.profile].stat(entry.location)
        except StorageError:
            # The transfer will say what is wrong.
            return entry
        return found if isinstance(found, StoredObject) else entry

    # Zip jobs that the service holds, whoever started them

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
        """Show the queue again after each order, until one is fetched or the user closes it."""
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
    """`reporting/`; of a place that stands for a search `Call recordings 2024-09`, of a whole profile its name."""
    name = folder.path.rstrip("/").rpartition("/")[2]
    return f"{name}/" if name else place_title(folder)


async def _objects_below(
    provider: StorageProvider, folder: Location, failures: list[StorageError]
) -> AsyncGenerator[Sequence[StoredObject]]:
    """Everything below a place, and what could not be read; several pages at once where it stands for a search."""
    if (query := provider.query(folder)) is not None:
        pager = Pager(partial(provider.search, query), identity, folder.address, partial(provider.prefetch, query))
        async with pager.prefetch():
            async for page in pager:
                yield page.items
        failures += pager.failures
        return
    # Deferred: whoever downloads no folder need not wait for it at the start.
    from cloudstore_tui.archive.listing import FolderListing

    listing = FolderListing(provider, folder)
    async for objects in listing.pages():
        yield objects
    failures += listing.failures


def _is_described(entry: StoredObject) -> bool:
    """Whether what is known of an object is enough to tell whether a file is the same."""
    return bool(entry.checksum) and entry.size_exact
