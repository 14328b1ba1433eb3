"""An object written to a pipe instead of a file."""

from collections.abc import Callable
from pathlib import Path

from cloudstore_tui.core.errors import IntegrityError, StorageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.transfers.fetch import Fetch, may_be_html
from cloudstore_tui.transfers.live import LiveTransfer
from cloudstore_tui.transfers.means import Means
from cloudstore_tui.transfers.stream import Stream
from cloudstore_tui.transfers.transfer import DownloadRequest, State, Transfer
from cloudstore_tui.transfers.verify import verify


async def pipe(
    provider: StorageProvider, means: Means, location: Location, write: Callable[[bytes], object]
) -> Transfer:
    """Fetch an object into a function that takes its bytes in order, such as the write of a pipe.

    It is verified while it is written: what was written before an error is found stays written.

    Raises:
        OSError: `write` failed, such as by a closed pipe.
    """
    live = LiveTransfer(0, DownloadRequest(location, Path("-")), means.clock)
    store = Stream(write)
    live.meter = lambda: store.offset
    fetch = Fetch(means, lambda: provider.source(location), live, html=may_be_html(location.path))
    try:
        await fetch.run(store)
        verdict = verify(fetch.claim, store.digests, lambda _size: "")
        if verdict.contradiction:
            raise IntegrityError(f"it arrived damaged: {verdict.contradiction}", hint="Fetch it again.")
    except StorageError as error:
        live.error = error.about(location.address)
        live.to(State.FAILED)
    else:
        live.level = verdict.level
        live.to(State.DONE)
    return live.snapshot()
