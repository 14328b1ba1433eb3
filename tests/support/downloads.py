"""What tests of the engine share: the object that most of them fetch, links, and somebody who takes bytes."""

from pathlib import Path
from typing import Any

from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.transfers.model import DownloadRequest, TransferSnapshot

PLACE = Location("tiny", path="exports/x.tar")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def get(engine: Any, folder: Path, **wishes: Any) -> TransferSnapshot:
    """Wait for a download to end, one way or the other."""
    number = engine.submit(DownloadRequest(wishes.pop("location", PLACE), folder, **wishes))
    transfer: TransferSnapshot = await engine.wait(number)
    return transfer


def source(url: str, *, local: bool = True, **headers: str) -> Source:
    return Source(Secret(url), {name.replace("_", "-"): Secret(value) for name, value in headers.items()}, local=local)


class Pile:
    """Takes everything."""

    def __init__(self) -> None:
        self.bytes = b""
        self.replies = 0
        self.error: Exception | None = None

    def accept(self, reply: BlobReply) -> bool:
        self.replies += 1
        return reply.status in (200, 206)

    def write(self, data: memoryview) -> None:
        if self.error is not None:
            raise self.error
        self.bytes += data
