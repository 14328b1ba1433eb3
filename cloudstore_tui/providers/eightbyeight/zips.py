"""Server-side zip jobs of a region."""

from collections.abc import Sequence

from cloudstore_tui.core.errors import JobError, MissingError, UnsupportedError, UsageError
from cloudstore_tui.core.links import ZIP_ABORTED, ZIP_RUNNING, Source, ZipJob
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.paging import Page
from cloudstore_tui.net.api import segment
from cloudstore_tui.net.failures import LostReplyError
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import DOWNLOAD, EightByEightClient, region_of
from cloudstore_tui.providers.eightbyeight.objects import Links

_LIST = "bulk/download/status"
_HINT = "Look at the queue before starting another: cloudstore zip list."


class ZipJobs:
    """Starts, checks and cancels zip jobs."""

    def __init__(self, client: EightByEightClient, links: Links) -> None:
        self._client = client
        self._links = links
        self.started: set[str] = set()
        """Names of the jobs that were started here."""

    async def start(self, locations: Sequence[Location]) -> ZipJob:
        """Start one job for objects of one region, without duplicates.

        Raises:
            JobError: the service did not start one.
            LostReplyError: it is unknown which job is ours.
        """
        if not locations:
            raise UsageError("a zip job needs at least one object")
        near = region_of(locations[0])
        if any(location.region != near.region for location in locations):
            raise UsageError("a zip job packs objects of one region", hint="Start one job for each region.")
        before = {job.name for job in await self._all(near)}
        ids = list(dict.fromkeys(location.path for location in locations))
        found: tuple[ZipJob, ...] = ()
        try:
            reply = await self._send("POST", near, "start", near.address, ids)
            found = wire.jobs(reply, near, near.address).items
        except LostReplyError:
            # Not sent again: the queue shows whether the job was started.
            pass
        new = [job for job in found if job.name not in before]
        if not new and len(found) == 1:
            new = [found[0]]
        new = new or [job for job in await self._all(near) if job.name not in before]
        if not new:
            raise JobError("the service did not start a zip job", subject=near.address, hint=_HINT)
        if len(new) > 1:
            raise LostReplyError("another zip job was started at the same time", subject=near.address, hint=_HINT)
        self.started.add(new[0].name)
        return new[0]

    async def one(self, near: Location, name: str) -> ZipJob:
        """The state of one job."""
        subject = _address(near, name)
        reply = await self._client.get(near.region, f"{_LIST}/{segment(name)}", subject=subject)
        jobs = wire.jobs(reply, near, subject).items or await self._all(near)
        found = next((job for job in jobs if job.name == name), None)
        if found is None:
            raise MissingError("the zip job is no longer on the server", subject=subject)
        return found

    async def _all(self, near: Location) -> tuple[ZipJob, ...]:
        return (await self.queue(near)).items

    async def queue(self, near: Location) -> Page[ZipJob]:
        """The whole queue; an empty one can be answered with 404."""
        try:
            reply = await self._client.get(near.region, _LIST, subject=near.address)
        except MissingError:
            if await self._client.knows(near.region):
                return Page(())
            raise
        return wire.jobs(reply, near, near.address)

    async def cancel(self, near: Location, name: str) -> tuple[ZipJob, ...]:
        """Cancel a job; return the jobs that the server then holds."""
        subject = _address(near, name)
        try:
            reply = await self._send_cancel(near, f"cancel/{segment(name)}", subject)
        except LostReplyError:
            return await self._all(near)
        return wire.jobs(reply, near, subject).items or await self._all(near)

    async def clear(self, near: Location) -> tuple[ZipJob, ...]:
        """Clear the queue; return the jobs that the server still holds."""
        try:
            reply = await self._send("PUT", near, "clear", near.address)
        except LostReplyError:
            return await self._all(near)
        return wire.jobs(reply, near, near.address).items if reply.body.strip() else await self._all(near)

    async def source(self, near: Location, name: str) -> Source:
        """A presigned link to a finished zip, or the API's own address of it.

        Raises:
            JobError: it is not finished.
        """
        subject, query = _address(near, name), [("presignUrl", "true")]
        path = f"{_LIST}/{segment(name)}"
        reply = await self._client.get(near.region, path, query, subject=subject, level=DOWNLOAD)
        job = next((job for job in wire.jobs(reply, near, subject).items if job.name == name), None)
        if job and job.status in ZIP_RUNNING | ZIP_ABORTED:
            raise JobError(f"the zip job is {job.status}", subject=subject, hint="Only a finished one can be fetched.")
        networks = self._client.profile.texts("allow_networks")
        if url := wire.job_link(reply, name, subject):
            link = self._links.vetted(url, subject)
            return Source(link.url, expires=link.expires, local=self._client.local, networks=networks)
        headers = await self._client.authorization()
        url_of_zip = self._client.url(near.region, f"bulk/download/{segment(name)}")
        ends = self._client.login.ends
        return Source(url_of_zip, headers, expires=ends, local=self._client.local, networks=networks)

    async def _send_cancel(self, near: Location, action: str, subject: str) -> Reply:
        """Newer services accept PUT, older ones POST; a job that does not exist is missing for both."""
        try:
            return await self._send("PUT", near, action, subject)
        except (MissingError, UnsupportedError) as error:
            first = error
        try:
            return await self._send("POST", near, action, subject)
        except UnsupportedError:
            raise first from None

    async def _send(
        self, method: str, near: Location, action: str, subject: str, ids: list[str] | None = None
    ) -> Reply:
        path = f"bulk/download/{action}"
        return await self._client.send(method, near.region, path, body=ids, subject=subject, level=DOWNLOAD)


def _address(near: Location, name: str) -> str:
    return f"{near.address}{name}"
