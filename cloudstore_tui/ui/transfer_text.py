"""Transfers in words: titles, targets, progress, results, and all details of one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.fields import TYPE_NAMES, type_label, type_plural
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    Request,
    State,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
    name_of,
)
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import LONGEST_NAME, cell, home_path, plain, shorten
from cloudstore_tui.ui.transfer_watch import ACTIVE, BatchProgress

WIDE = 110
"""Cells from which lines have room for more detail, such as a column for the target."""

STATE_WORDS: Mapping[State, str] = {
    State.QUEUED: "waiting",
    State.SIGNING: "asking for the link",
    State.PACKING: "the service is packing it",
    State.RUNNING: "running",
    State.VERIFYING: "checking",
    State.WAITING: "waiting to try again",
    State.PAUSED: "paused",
    State.DONE: "done",
    State.SKIPPED: "already there",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


# Words


def object_title(entry: StoredObject, zone: tzinfo) -> str:
    """A title for an object: `Recording of Khang Glynn, 1 Sep 2024 09:16`, `Summary, 1 Sep …`, or its name."""
    if entry.created is None or not (title := _title_without_time(entry)):
        return entry.name
    return f"{title}, {words.day_and_time(entry.created, zone)}"


def _title_without_time(entry: StoredObject) -> str:
    """`Recording of Khang Glynn`; empty for an object that is known by its name alone."""
    agent = entry.tag("agentName")
    if not (agent or entry.type in TYPE_NAMES):
        return ""
    return f"{type_label(entry.type)}{f' of {agent}' if agent else ''}"


def request_title(request: Request, zone: tzinfo) -> str:
    """The title of its object; the name of its file where the user chose one, or the object is unknown."""
    if isinstance(request, DownloadRequest) and request.entry is not None and not request.name:
        return object_title(request.entry, zone)
    return name_of(request)


def kinds_of(entries: Sequence[StoredObject]) -> str:
    """`41 call recordings`, or `41 files` if they are of several types."""
    types = {entry.type for entry in entries}
    kind = types.pop() if len(types) == 1 else ""
    if kind not in TYPE_NAMES:
        return counted(len(entries), "file")
    return counted(len(entries), type_label(kind).lower(), type_plural(kind).lower())


def batch_title(entries: Sequence[StoredObject], zone: tzinfo) -> str:
    """The title of a download: `41 call recordings of Khang Glynn`, or that of its only object."""
    if len(entries) == 1:
        return object_title(entries[0], zone)
    agents = {entry.tag("agentName") for entry in entries}
    regions = {entry.region for entry in entries}
    title = kinds_of(entries)
    if len(agents) == 1 and (agent := agents.pop()):
        return f"{title} of {agent}"
    return f"{title}, {region}" if len(regions) == 1 and (region := regions.pop()) else title


def title_of(batch: BatchProgress) -> str:
    """The title of a batch; not yet safe to draw."""
    if batch.batch.title:
        return batch.batch.title
    return name_of(batch.only.request) if batch.only is not None else counted(batch.count, "file")


def target_of(batch: BatchProgress) -> str:
    """Where a batch goes: a local folder, or an address for uploads."""
    target = batch.batch.target
    if batch.is_upload:
        return target
    only = batch.only
    if not target and only is not None and not isinstance(only.request, UploadRequest):
        target = str(only.request.folder)
    return home_path(target) if target else ""


def path_of(batch: BatchProgress) -> Path | None:
    """The local file of a batch of one, else its folder; `None` if there is neither."""
    only = batch.only
    if only is not None and only.state is State.DONE and only.path is not None:
        return only.path
    if batch.is_upload:
        return only.path or only.request.path if only and isinstance(only.request, UploadRequest) else None
    return Path(batch.batch.target) if batch.batch.target else None


def verified(levels: Mapping[str, int]) -> str:
    """`all verified`, `38 of 41 verified`; for one file `verified` or `size checked`."""
    good = sum(count for level, count in levels.items() if level and not level.startswith(("size", "unverified")))
    sized = sum(count for level, count in levels.items() if level.startswith("size"))
    files = sum(levels.values())
    every = "all " if files > 1 else ""
    if good == files:
        return f"{every}verified"
    if good:
        return f"{good:,} of {files:,} verified"
    return "size checked" if sized == files else "not verified"


def failure(transfer: TransferSnapshot) -> str:
    """Why a transfer failed and what to do, without the subject, which the title names."""
    error = transfer.error
    return f"{error.message}. {error.hint}".rstrip() if error is not None else transfer.note or "failed"


def summary(batches: Mapping[str, BatchProgress]) -> str:
    """All batches in brief: `2 batches running · 6.9 MB/s · 38 min left`."""
    ours = [batch for batch in batches.values() if not batch.process]
    running = [batch for batch in ours if batch.goes_on]
    if running:
        speed = sum(batch.speed for batch in running)
        left = sum(max(batch.size - batch.done, 0) for batch in running)
        seconds = left / speed if speed else None
        parts = [f"{counted(len(running), 'batch', 'batches')} running", words.speed(speed), words.about(seconds)]
        return " · ".join(filter(None, parts))
    states = Counter(batch.state for batch in ours)
    kinds = ((State.PAUSED, "paused"), (State.FAILED, "failed"), (State.DONE, "done"))
    return " · ".join(f"{states[state]:,} {said}" for state, said in kinds if states[state])


# The strip below the browser


def running_text(running: Sequence[BatchProgress], width: int) -> str:
    """All running transfers in one line of `width` cells: files, meter, bytes, speed, time left and target."""
    files, count = sum(batch.files_done for batch in running), sum(batch.count for batch in running)
    done, size = sum(batch.done for batch in running), sum(batch.size for batch in running)
    speed = sum(batch.speed for batch in running)
    sign = "↑" if all(batch.is_upload for batch in running) else "↓"
    wide = width >= WIDE
    gap, between = ("  ", "   ") if wide else (" ", "  ")
    head = f" {sign} {files:,} of {count:,}" + (" files" if wide else "")
    if size:
        head += f"{gap}{words.meter(done, size, 20 if wide else 10)}{gap}{words.percent(done, size):>2} %"
    parts = [head, words.of_text(done, size) if wide and size else ""]
    if all(batch.state is State.PACKING for batch in running):
        parts += [STATE_WORDS[State.PACKING]]
    elif speed:
        parts += [words.speed(speed), words.about(max(size - done, 0) / speed if size else None)]
    else:
        parts += [shorten(plain(_why_waiting(running)), max(width // 3, 20))]
    left = between.join(filter(None, parts)) + " → "
    hint = "t transfers" if wide else "t"
    targets = list(dict.fromkeys(target_of(batch) for batch in running))
    target = targets[-1] + (f" and {len(targets) - 1} more" if len(targets) > 1 else "")
    room = width - cell_len(left) - cell_len(hint) - 3
    if room < 4:
        return set_cell_size(left.removesuffix(" → "), width)
    return left + cell(target, room) + f"  {hint} "


def _why_waiting(running: Sequence[BatchProgress]) -> str:
    """What all started transfers are waiting for: `the disk is too full: …`."""
    if any(batch.of_state[state] for batch in running for state in ACTIVE - {State.WAITING}):
        return ""
    waiting = (batch.transfers[number] for batch in running for number in batch.of_state[State.WAITING])
    return next((transfer.note for transfer in waiting), "")


def result_text(batch: BatchProgress, width: int = 10_000, *, hint: str = "") -> str:
    """How a batch ended and where its files are: `✓ 10 files, 13.1 MB, all verified → ~/calls`."""
    failed = list(batch.failures())
    if failed:
        many = f"{len(failed):,} of {len(batch.transfers):,} failed" if len(batch.transfers) > 1 else title_of(batch)
        head, target = f" ✗ {many}: {failure(failed[0])}", ""
    else:
        head, target = f" ✓ {_result(batch)}", target_of(batch)
    end = f"  {hint} " if hint else " "
    if not target:
        # Keep the beginning of a sentence, which says what is wrong.
        text = shorten(plain(head, LONGEST_NAME), width - cell_len(end) if hint else width)
        return set_cell_size(text, width - cell_len(end)) + end if hint else text
    room = width - cell_len(end) - 3
    # Where it is comes first: half of the line, if it needs that.
    target = plain(target, LONGEST_NAME)
    most = room - min(cell_len(target), room // 2)
    if cell_len(head) > most and (brief := _brief_title(batch)):
        head = head.replace(title_of(batch), brief, 1)
    head = shorten(plain(head, LONGEST_NAME), most, middle=batch.count == 1)
    line = f"{head} → {shorten(target, room - cell_len(head), middle=True)}"
    return set_cell_size(line, width - cell_len(end)) + end if hint else line


def _brief_title(batch: BatchProgress) -> str:
    """The title of the only object of a batch, without its time; empty if it is not called so."""
    request = batch.only.request if batch.only is not None else None
    entry = request.entry if isinstance(request, DownloadRequest) else None
    brief = _title_without_time(entry) if entry is not None else ""
    return brief if title_of(batch).startswith(f"{brief}, ") else ""


def _result(batch: BatchProgress) -> str:
    done, skipped = len(batch.of_state[State.DONE]), batch.files(State.SKIPPED)
    files = batch.files(State.DONE)
    title = title_of(batch) if batch.only is not None and batch.count == 1 else counted(files, "file")
    if batch.is_upload:
        return f"Uploaded {title}, {words.size(batch.done)}"
    if not done:
        return f"Already there: {title_of(batch) if batch.count == 1 else counted(skipped, 'file')}"
    if batch.same == done == len(batch.transfers):
        return f"Already there, the same: {title}"
    parts = [title, words.size(batch.done), verified(batch.levels)]
    return ", ".join(parts) + (f" · {skipped:,} were there already" if skipped else "")


# A page about one transfer


def describe(transfer: TransferSnapshot, members: Sequence[TransferSnapshot] = ()) -> str:
    """All details of a transfer, line by line; for a zip also the result of each object."""
    request = transfer.request
    of_zip = isinstance(request, ZipRequest)
    lines = [
        f"{'Region' if of_zip else 'Object'}: {request.location.address}",
        f"Job: {request.job}" if isinstance(request, ZipRequest) and request.job else "",
        f"File: {MASK.path(transfer.path)}" if transfer.path else "",
        f"State: {STATE_WORDS[transfer.state]}",
        f"Size: {words.exact_size(transfer.size)}" if transfer.size is not None else "",
        f"So far: {words.exact_size(transfer.done)}" if transfer.done != transfer.size else "",
        f"Speed: {words.speed(transfer.speed)}" if transfer.speed else "",
        f"Verified: {_LEVELS.get(transfer.level, transfer.level)}" if transfer.level else "",
        f"Attempts: {transfer.attempts}",
        f"Now: {transfer.note}" if transfer.note else "",
        f"\n{transfer.error}" if transfer.error else "",
        *_member_lines(members),
    ]
    return "\n".join(line for line in lines if line)


_LEVELS: Mapping[str, str] = {
    "md5": "MD5",
    "md5-1": "MD5",
    "md5-N": "MD5 (multipart)",
    "store": "the store's own checksum",
    "size+etag": "size and version",
    "size": "size only",
    "crc32+size": "CRC-32 and size",
    "unverified": "not possible",
}
"""Levels of verification in words."""


def _member_lines(members: Sequence[TransferSnapshot]) -> Iterator[str]:
    if not members:
        return
    states = Counter(member.state for member in members)
    counts = ", ".join(f"{states[state]:,} {STATE_WORDS[state]}" for state in State if states[state])
    yield f"\nObjects: {counts}"
    for member in members:
        parts = (STATE_WORDS[member.state], _LEVELS.get(member.level, member.level), name_of(member.request))
        why = f": {failure(member)}" if member.error is not None else ""
        yield "  " + "  ".join(part for part in parts if part) + why
