"""Deletes objects in batches and then checks each of them, since the service does not report single outcomes."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, StorageError, UnavailableError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.provider import Deletion, DeletionOutcome
from cloudstore_tui.net.api import segment
from cloudstore_tui.net.failures import had_no_effect
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import EDIT, EightByEightClient, region_of

BATCH = 100
"""Ids in one request."""
GONE_STATES = frozenset({"REVOKED", "DELETED"})


async def delete(client: EightByEightClient, locations: Sequence[Location]) -> tuple[Deletion, ...]:
    """Delete objects of any regions; return the outcome of each, in the same order."""
    outcomes: dict[Location, Deletion] = {}
    for region in dict.fromkeys(location.region for location in locations):
        wanted = [location for location in dict.fromkeys(locations) if location.region == region]
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            outcomes |= {deletion.location: deletion for deletion in await _batch(client, batch)}
    return tuple(outcomes[location] for location in locations)


async def _batch(client: EightByEightClient, batch: list[Location]) -> list[Deletion]:
    try:
        await _send(client, batch)
    except MissingError as error:
        if not await client.knows(batch[0].region):
            return [Deletion(location, DeletionOutcome.KEPT, error) for location in batch]
        # All or nothing: one id that is gone already refuses the whole batch, so the rest is sent once more.
        return await _delete_rest(client, batch)
    except StorageError as error:
        return await _outcomes_after(client, batch, error)
    return _judged(await _outcomes_of(client, batch))


async def _delete_rest(client: EightByEightClient, batch: list[Location]) -> list[Deletion]:
    found = await _outcomes_of(client, batch)
    gone = [Deletion(one.location, DeletionOutcome.GONE) for one in found if one.outcome.is_gone]
    unknown = [one for one in found if one.outcome is DeletionOutcome.UNKNOWN]
    rest = [one.location for one in found if one.outcome is DeletionOutcome.KEPT]
    if not rest:
        return [*gone, *unknown]
    try:
        await _send(client, rest)
    except StorageError as error:
        return [*gone, *unknown, *await _outcomes_after(client, rest, error)]
    return [*gone, *unknown, *_judged(await _outcomes_of(client, rest))]


async def _send(client: EightByEightClient, batch: list[Location]) -> None:
    ids, region = [location.path for location in batch], region_of(batch[0])
    await client.send("DELETE", region.region, "bulk", body=ids, subject=region.address, level=EDIT)


async def _outcomes_after(client: EightByEightClient, batch: list[Location], error: StorageError) -> list[Deletion]:
    """The outcomes of a batch whose request failed, which have to be looked up after a lost reply or a server error."""
    if had_no_effect(error) or not isinstance(error, UnavailableError):
        return [Deletion(location, DeletionOutcome.KEPT, error) for location in batch]
    return _judged(await _outcomes_of(client, batch, error))


def _judged(found: list[Deletion]) -> list[Deletion]:
    """The outcomes of a deletion, from what was found afterwards.

    If the service still knows some of the deleted objects, one that it does not know was never there; otherwise the
    unknown ones have just been deleted.
    """
    if any(one.outcome is DeletionOutcome.DELETED for one in found):
        return found
    return [
        replace(one, outcome=DeletionOutcome.DELETED) if one.outcome is DeletionOutcome.GONE else one for one in found
    ]


async def _outcomes_of(
    client: EightByEightClient, batch: list[Location], error: StorageError | None = None
) -> list[Deletion]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_outcome_of(client, location, error)) for location in batch]
    return [task.result() for task in tasks]


async def _outcome_of(client: EightByEightClient, location: Location, error: StorageError | None) -> Deletion:
    subject = location.address
    try:
        reply = await client.get(location.region, f"objects/{segment(location.path)}", subject=subject)
        found = wire.single(reply, location, subject)
    except MissingError:
        return Deletion(location, DeletionOutcome.GONE)
    except StorageError as failure:
        return Deletion(location, DeletionOutcome.UNKNOWN, error or failure)
    if found is None or found.id.casefold() != location.path.casefold():
        return Deletion(
            location, DeletionOutcome.UNKNOWN, error or StorageError("its state cannot be read", subject=subject)
        )
    if found.state in GONE_STATES:
        return Deletion(location, DeletionOutcome.DELETED)
    why = f" ({error.message})" if error else ""
    return Deletion(
        location, DeletionOutcome.KEPT, StorageError(f"it is still there{why}", subject=subject, hint="Try again.")
    )
