"""Downloads turned into zip jobs, as far as the service takes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, Request, ZipRequest
from cloudstore_tui.transfers.zip.plan import ZipPlan, plan_zips
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted


@dataclass(frozen=True, slots=True)
class Zipping:
    """What goes into which zip, and what is fetched apart."""

    plan: ZipPlan

    @classmethod
    def of(cls, objects: Sequence[StoredObject]) -> "Zipping":
        """The plan for these objects."""
        return cls(plan_zips(objects))

    @property
    def packed(self) -> int:
        """How many objects go into zips."""
        return sum(len(batch.entries) for batch in self.plan.batches)

    @property
    def text(self) -> str:
        """`412 objects, 1.7 GB, in 2 zips`."""
        size = words.size(sum(batch.size for batch in self.plan.batches))
        return f"{counted(self.packed, 'object')}, {size}, in {counted(len(self.plan.batches), 'zip')}"

    @property
    def exceptions(self) -> str:
        """Why some objects are not in a zip, as a sentence; empty if all are."""
        apart = len(self.plan.direct) + len(self.plan.left_out)
        if not apart:
            return ""
        reasons = {left.error.message for left in self.plan.left_out}
        reasons |= {"the service does not take it into a zip"} if self.plan.direct else set()
        fetched = "is fetched by itself" if apart == 1 else "are fetched one by one"
        return f"{counted(apart, 'object')} {fetched}: {'; '.join(sorted(reasons))}."

    def requests(self, downloads: Sequence[DownloadRequest], folder: Path) -> Iterator[Request]:
        """The transfers: zips first, then whatever is in none of them."""
        by_location = {download.location: download for download in downloads}
        for batch in self.plan.batches:
            members = tuple(by_location.pop(entry.location) for entry in batch.entries)
            yield ZipRequest(members, Location(members[0].location.profile, batch.region), folder)
        # What cannot be fetched at all is tried, so that it is seen among the transfers with its reason.
        yield from by_location.values()
