"""The zip jobs that the service holds, whoever started them."""

from collections.abc import Sequence

from textual.screen import Screen

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.transfers.model import ZipRequest
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.dialogs.zip_jobs_dialog import JobOrder, JobVerb, ZipJobsDialog
from cloudstore_tui.ui.report import report, tell
from cloudstore_tui.ui.transfer_watch import TransferWatch


class ZipJobsFlow(Flow):
    """Shows them, and fetches, stops or clears what the user says."""

    needs = Capability.ZIP

    def __init__(self, screen: Screen[None], listing: ListingFlow, watch: TransferWatch, settings: Settings) -> None:
        super().__init__(screen, listing)
        self._watch = watch
        self._folder = settings.download_dir

    async def run(self) -> None:
        """Show the jobs until the user has done with them."""
        reading, region = self.listing.reading, self._region()
        if reading is None:
            return
        if not region:
            tell(self.screen, "Zip jobs belong to a region; open one first.", "warning")
            return
        await self._show(reading.provider, region)

    async def _show(self, provider: StorageProvider, region: str) -> None:
        jobs, at = await self._jobs(provider, region), ""
        while True:
            order = await self.screen.app.push_screen_wait(ZipJobsDialog(region, jobs, at))
            if order is None:
                return
            if order.verb is JobVerb.FETCH and order.job is not None:
                self._fetch(order.job)
                return
            at = order.job.name if order.job is not None else ""
            try:
                jobs = await self._carry_out(order, provider, region, jobs)
            except StorageError as error:
                report(self.screen, error)

    async def _carry_out(
        self, order: JobOrder, provider: StorageProvider, region: str, jobs: Sequence[ZipJob]
    ) -> tuple[ZipJob, ...]:
        """Do it; the jobs that the service then holds."""
        from cloudstore_tui.ui.dialogs.clear_zips_dialog import ClearZipsDialog

        if order.verb is JobVerb.CANCEL and order.job is not None:
            left = await provider.cancel_zip(region, order.job.name)
            self._tell_stopped(order.job, left)
            return left
        if order.verb is JobVerb.CLEAR:
            sure = await self.screen.app.push_screen_wait(ClearZipsDialog(region, len(jobs)))
            return await provider.clear_zips(region) if sure else tuple(jobs)
        return await self._jobs(provider, region)

    async def _jobs(self, provider: StorageProvider, region: str) -> tuple[ZipJob, ...]:
        queue = await provider.zip_jobs(region)
        for failure in queue.failures:
            report(self.screen, failure)
        return queue.items

    def _tell_stopped(self, job: ZipJob, left: Sequence[ZipJob]) -> None:
        still = next((one for one in left if one.name == job.name), None)
        if still is None or still.status != job.status:
            tell(self.screen, f"Stopped: {job.name}")
        else:
            tell(self.screen, f"The service keeps {job.name}: it had ended already. C empties the queue.", "warning")

    def _fetch(self, job: ZipJob) -> None:
        where = Location(job.profile, job.region)
        self._watch.submit([ZipRequest((), where, self._folder, job=job.name)], job.name, str(self._folder))

    def _region(self) -> str:
        reading, entry = self.listing.reading, self.listing.entry
        region = reading.visit.location.region if reading is not None else ""
        return region or (entry.location.region if entry is not None else "")
