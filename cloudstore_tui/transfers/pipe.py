"""An object written to a pipe instead of a file."""

from collections.abc import Callable
from pathlib import Path

from cloudstore_tui.core.errors import IntegrityError, StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.transfers.context import TransferContext
from cloudstore_tui.transfers.fetch import Fetch, may_be_html
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot
from cloudstore_tui.transfers.stream import Stream
from cloudstore_tui.transfers.verify import verify


async def pipe(
    provider: StorageProvider, context: TransferContext, location: Location, write: Callable[[bytes], object]
) -> TransferSnapshot:
    """Fetch an object into a function that takes its bytes in order, such as the write of a pipe.

    It is verified while it is written: what was written before an error is found stays written.

    Raises:
        OSError: `write` failed, such as by a closed pipe.
    """
    live = LiveTransfer(0, DownloadRequest(location, Path("-")), context.clock)
    store = Stream(write)
    live.meter = lambda: store.offset
    fetch = Fetch(context, lambda: provider.source(location), live, html=may_be_html(location.path))
    try:
        await fetch.run(store)
        result = verify(fetch.expected, store.digests, lambda _size: "")
        if result.contradiction:
            raise IntegrityError(f"it arrived damaged: {result.contradiction}", hint="Fetch it again.")
    except StorageError as error:
        live.error = error.about(location.address)
        live.to(State.FAILED)
    else:
        live.level = result.level
        live.to(State.DONE, fetch.remark)
    return live.snapshot()
