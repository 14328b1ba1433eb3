"""Deleting objects in batches, each verified afterwards, because the service does not report single outcomes."""

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
    """Delete objects of any regions; returns the outcome of each, in the same order."""
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
        # All or nothing: an id that is gone already refuses the whole batch, so the rest is sent once more.
        return await _send_rest(client, batch)
    except StorageError as error:
        return await _after(client, batch, error)
    return _judged(await _outcomes_of(client, batch))


async def _send_rest(client: EightByEightClient, batch: list[Location]) -> list[Deletion]:
    seen = await _outcomes_of(client, batch)
    gone = [Deletion(one.location, DeletionOutcome.GONE) for one in seen if one.outcome.is_gone]
    unknown = [one for one in seen if one.outcome is DeletionOutcome.UNKNOWN]
    left = [one.location for one in seen if one.outcome is DeletionOutcome.KEPT]
    if not left:
        return [*gone, *unknown]
    try:
        await _send(client, left)
    except StorageError as error:
        return [*gone, *unknown, *await _after(client, left, error)]
    return [*gone, *unknown, *_judged(await _outcomes_of(client, left))]


async def _send(client: EightByEightClient, batch: list[Location]) -> None:
    ids, region = [location.path for location in batch], region_of(batch[0])
    await client.send("DELETE", region.region, "bulk", body=ids, subject=region.address, level=EDIT)


async def _after(client: EightByEightClient, batch: list[Location], error: StorageError) -> list[Deletion]:
    """The outcomes of a batch whose request failed: a lost reply, or a broken service, says nothing."""
    if had_no_effect(error) or not isinstance(error, UnavailableError):
        return [Deletion(location, DeletionOutcome.KEPT, error) for location in batch]
    return _judged(await _outcomes_of(client, batch, error))


def _judged(seen: list[Deletion]) -> list[Deletion]:
    """What a deletion did to objects that were looked at afterwards.

    A service that still knows those it deleted would know all; only then was one that it does not know never there.
    """
    if any(one.outcome is DeletionOutcome.DELETED for one in seen):
        return seen
    return [
        replace(one, outcome=DeletionOutcome.DELETED) if one.outcome is DeletionOutcome.GONE else one for one in seen
    ]


async def _outcomes_of(
    client: EightByEightClient, batch: list[Location], error: StorageError | None = None
) -> list[Deletion]:
    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(_outcome_of(client, location, error)) for location in batch]
    return [look.result() for look in looks]


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
