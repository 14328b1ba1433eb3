"""Deleting that leaves a trace, whatever happens on the way."""

import asyncio
from collections.abc import Sequence

from cloudstore_tui.config.deletion_log import DeletionLog
from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import StorageError, UnavailableError
from cloudstore_tui.core.provider import Deletion, Fate, StorageProvider

BATCH = 100
"""Objects that are begun together: a program that dies leaves no more than these in doubt."""


async def delete_logged(
    log: DeletionLog, provider: StorageProvider, objects: Sequence[StoredObject]
) -> tuple[Deletion, ...]:
    """Delete exactly these objects; what came of each, in the same order.

    Every object is in the log before it is sent, and again with what came of it.

    Raises:
        LocalDiskError: nothing could be written down, so nothing was deleted.
    """
    done: list[Deletion] = []
    for first in range(0, len(objects), BATCH):
        some = objects[first : first + BATCH]
        try:
            batch = await asyncio.to_thread(log.begin, provider.profile, some)
        except StorageError as error:
            if not done:
                raise
            done += [Deletion(entry.location, Fate.KEPT, error) for entry in objects[first:]]
            break
        done += await _settled(log, batch, provider, some)
    return tuple(done)


async def _settled(
    log: DeletionLog, batch: str, provider: StorageProvider, objects: Sequence[StoredObject]
) -> list[Deletion]:
    try:
        done = list(await provider.delete([entry.location for entry in objects]))
    except UnavailableError as error:
        done = [Deletion(entry.location, Fate.UNKNOWN, error) for entry in objects]
    except StorageError as error:
        # A provider tells of each object what became of it; what it refuses as a whole it has not sent.
        done = [Deletion(entry.location, Fate.KEPT, error) for entry in objects]
    try:
        await asyncio.to_thread(log.end, batch, done)
    except StorageError as error:
        done = [Deletion(one.location, one.fate, one.error or error) for one in done]
    return done
