"""Downloads of the one object that most tests of the engine fetch."""

from pathlib import Path
from typing import Any

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import DownloadRequest, TransferSnapshot

PLACE = Location("tiny", path="exports/x.tar")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def get(engine: Any, folder: Path, **wishes: Any) -> TransferSnapshot:
    """Wait for a download to end, one way or the other."""
    number = engine.submit(DownloadRequest(wishes.pop("location", PLACE), folder, **wishes))
    transfer: TransferSnapshot = await engine.wait(number)
    return transfer
