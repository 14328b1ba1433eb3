"""What is said of transfers: batches and their rows, how they ended, where the files are, everything about one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias

import msgspec
from rich.cells import cell_len, set_cell_size

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.fields import TYPE_NAMES, type_label, type_plural
from cloudstore_tui.transfers.model import State, TransferSnapshot, UploadRequest, ZipRequest, name_of, sizes_of
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import elide, end_of, home_path, plain
from cloudstore_tui.ui.transfer_watch import ACTIVE, BatchProgress, span_of, was_there

WIDE, NARROW, TINY = 110, 60, 40
"""Cells from which on there is a column for the target, a meter of ten, a meter at all."""
FEW = 20
"""Transfers up to which a batch shows each of them; of more, those that wait or are done are one row."""
LONGEST_NAME = 500
"""Characters of a name that are looked at."""

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
_SIGNS: Mapping[State, str] = {
    State.QUEUED: "·",
    State.PACKING: "⟳",
    State.PAUSED: "‖",
    State.DONE: "✓",
    State.SKIPPED: "✓",
    State.FAILED: "✗",
    State.CANCELLED: "✗",
}
_WITH_METER = frozenset({State.RUNNING, State.PAUSED})

Piece: TypeAlias = tuple[str, str]
"""A text that is safe to draw, and its role: a state, `head`, `muted` or empty."""
Line: TypeAlias = tuple[Piece, ...]


# Words


def object_title(entry: StoredObject, zone: tzinfo = UTC) -> str:
    """What people call an object: `Recording of Khang Glynn, 1 Sep 2024 09:16`, or its name."""
    agent = entry.tag("agentName")
    if not agent or entry.created is None:
        return entry.name
    return f"{type_label(entry.type)} of {agent}, {words.day_and_time(entry.created, zone)}"


def kinds_of(entries: Sequence[StoredObject]) -> str:
    """How many objects of which kind: `41 call recordings`, or `41 files` where they are mixed."""
    types = {entry.type for entry in entries}
    kind = types.pop() if len(types) == 1 else ""
    if kind not in TYPE_NAMES:
        return counted(len(entries), "file")
    return counted(len(entries), type_label(kind).lower(), type_plural(kind).lower())


def batch_title(entries: Sequence[StoredObject], zone: tzinfo = UTC) -> str:
    """What a download is called: `41 call recordings of Khang Glynn`, or as its only object is."""
    if len(entries) == 1:
        return object_title(entries[0], zone)
    agents = {entry.tag("agentName") for entry in entries}
    regions = {entry.region for entry in entries}
    title = kinds_of(entries)
    if len(agents) == 1 and (agent := agents.pop()):
        return f"{title} of {agent}"
    return f"{title}, {region}" if len(regions) == 1 and (region := regions.pop()) else title


def title_of(batch: BatchProgress) -> str:
    """What a batch is called; not yet safe to draw."""
    if batch.batch.title:
        return batch.batch.title
    return name_of(batch.only.request) if batch.only is not None else counted(batch.count, "file")


def target_of(batch: BatchProgress) -> str:
    """Where all of a batch goes, or is."""
    target = batch.batch.target
    if batch.is_upload:
        return target
    only = batch.only
    if not target and only is not None and not isinstance(only.request, UploadRequest):
        target = str(only.request.folder)
    return home_path(target) if target else ""


def path_of(batch: BatchProgress) -> Path | None:
    """The file of a batch of one, else its folder; `None` where nothing is on this machine."""
    only = batch.only
    if only is not None and only.state is State.DONE and only.path is not None:
        return only.path
    if batch.is_upload:
        return only.path or only.request.path if only and isinstance(only.request, UploadRequest) else None
    return Path(batch.batch.target) if batch.batch.target else None


def verified(levels: Mapping[str, int], files: int = 0) -> str:
    """How well files were verified: `all verified`, `38 of 41 verified`; of one file `verified`, `size checked`."""
    good = sum(count for level, count in levels.items() if level and not level.startswith(("size", "unverified")))
    sized = sum(count for level, count in levels.items() if level.startswith("size"))
    files = max(files, sum(levels.values()))
    every = "all " if files > 1 else ""
    if good == files:
        return f"{every}verified"
    if good:
        return f"{good:,} of {files:,} verified"
    return "size checked" if sized == files else "not verified"


def failure(transfer: TransferSnapshot) -> str:
    """Why it failed and what helps, without the place: the name says that."""
    error = transfer.error
    return f"{error.message}. {error.hint}".rstrip() if error is not None else transfer.note or "failed"


# Cells


def _cell(text: str, width: int) -> str:
    """A text that is made safe and brought to a width."""
    return set_cell_size(elide(plain(text, LONGEST_NAME), width), max(width, 0))


class RowKind(StrEnum):
    """What a row of the list stands for."""

    BATCH = "batch"
    TRANSFER = "transfer"
    REST = "rest"
    """Transfers of a large batch that have the same state."""


class TransferRow(msgspec.Struct, frozen=True):
    """One row: a batch, one of its transfers, or many of them that wait or are done."""

    batch: str
    """The key of its batch."""
    kind: RowKind = RowKind.BATCH
    number: int = 0
    states: tuple[State, ...] = ()


def rows_of(batches: Mapping[str, BatchProgress], unfolded: set[str], *, is_narrow: bool) -> list[TransferRow]:
    """All rows, in the order the batches came."""
    rows: list[TransferRow] = []
    for key, batch in batches.items():
        rows.append(TransferRow(key))
        if key in unfolded:
            rows += _members(key, batch, is_narrow=is_narrow)
    return rows


def _members(key: str, batch: BatchProgress, *, is_narrow: bool) -> Iterator[TransferRow]:
    """The rows below a batch: each transfer of a small one; of a large one what happens now, and how much is left."""
    if len(batch.transfers) <= FEW:
        yield from (TransferRow(key, RowKind.TRANSFER, number) for number in batch.transfers)
        return
    now = [number for state in ACTIVE for number in batch.of_state[state]]
    now += islice(batch.of_state[State.FAILED], FEW)
    yield from (TransferRow(key, RowKind.TRANSFER, number) for number in sorted(now, key=batch.places.__getitem__))
    rests = [rest for rest in _RESTS if any(batch.of_state[state] for state in rest)]
    if len(batch.of_state[State.FAILED]) <= FEW:
        # Each of them has a row above.
        rests = [rest for rest in rests if State.FAILED not in rest]
    if is_narrow and rests:
        rests = [tuple(chain(*rests))]
    yield from (TransferRow(key, RowKind.REST, states=rest) for rest in rests)


_RESTS: Sequence[tuple[State, ...]] = (
    (State.QUEUED,),
    (State.PAUSED,),
    (State.CANCELLED,),
    (State.FAILED,),
    (State.DONE, State.SKIPPED),
)
"""States whose transfers share a row in a large batch."""


def numbers_of(row: TransferRow, batch: BatchProgress) -> list[int]:
    """The transfers that a row stands for."""
    if row.kind is RowKind.BATCH:
        return list(batch.transfers)
    if row.kind is RowKind.TRANSFER:
        return [row.number] if row.number in batch.transfers else []
    return [number for state in row.states for number in batch.of_state[state]]


def states_of(row: TransferRow, batch: BatchProgress) -> Iterator[State]:
    """The states of the transfers that a row stands for."""
    if row.kind is RowKind.TRANSFER:
        yield from (batch.transfers[number].state for number in numbers_of(row, batch))
    else:
        yield from (state for state in row.states or State if batch.of_state[state])


class Columns(msgspec.Struct, frozen=True):
    """Where the columns of the list begin, in a line of some width."""

    width: int

    @property
    def meter(self) -> int:
        """Cells of a meter."""
        return 16 if self.width >= WIDE else 10 if self.width >= NARROW else 4 if self.width >= TINY else 0

    @property
    def progress(self) -> int:
        """Where meters and sizes begin."""
        if self.width >= WIDE:
            return self.width - 41
        return self.width - (39 if self.width >= NARROW else 26 if self.width >= TINY else 7)

    @property
    def where(self) -> int:
        """Where the target begins; where there is no room for it, it stands behind the title."""
        return self.progress - 33 - (self.width - 120) // 4 if self.width >= WIDE else self.progress

    def head(self) -> str:
        """The line of titles, or a rule where there is no room for them."""
        if self.width < WIDE:
            return "─" * self.width
        return _put(self.width, (3, "What"), (self.where, "Where to"), (self.progress, "Progress"))


def _put(width: int, *parts: tuple[int, str]) -> str:
    line = ""
    for start, text in parts:
        line = set_cell_size(line, start) + text
    return set_cell_size(line, max(width, 0))


def line_of(
    row: TransferRow, batch: BatchProgress, columns: Columns, zone: tzinfo = UTC, *, is_open: bool = False
) -> Line:
    """A row in exactly the width of the line, but for its first cell, which is for the mark."""
    if row.kind is RowKind.REST:
        text = " · ".join(_rest(batch, rest) for rest in _RESTS if rest[0] in row.states)
        return ((_cell(f"     {text}", columns.width)[1:], "muted"),)
    if row.kind is RowKind.BATCH:
        return _batch_line(batch, columns, zone, is_open=is_open)
    return _transfer_line(batch, batch.transfers[row.number], columns, zone)


def _rest(batch: BatchProgress, states: tuple[State, ...]) -> str:
    """`36 more waiting`, or `2 zips done: 1 000 files, 805 MB, all verified`."""
    many = sum(len(batch.of_state[state]) for state in states)
    if State.DONE not in states:
        return f"{_SIGNS[states[0]]} {many:,} more {STATE_WORDS[states[0]]}"
    what = f"{counted(many, 'zip')} done: " if batch.zips else ""
    files = counted(batch.files(*states), "file") + ("" if what else " done")
    return f"✓ {what}{files}, {words.size(batch.bytes_of(*states))}, {verified(batch.levels)}"


def sign_of(state: State, *, is_upload: bool = False) -> str:
    """The sign of a state."""
    return _SIGNS.get(state, "↑" if is_upload else "↓")


def _batch_line(batch: BatchProgress, columns: Columns, zone: tzinfo, *, is_open: bool) -> Line:
    state = batch.state
    sign = sign_of(state, is_upload=batch.is_upload)
    title, target = title_of(batch), target_of(batch)
    if batch.process:
        title += f" (pid {batch.process})"
    where = ""
    if columns.width >= WIDE:
        zips = len(batch.zips)
        where = f"{target}  ({zips} zips of {batch.in_zip:,})" if zips > 1 else target
    elif target:
        room = columns.where - 9
        target = end_of(plain(target, LONGEST_NAME), max(room // 3, room - cell_len(plain(title, LONGEST_NAME))))
        title = f"{elide(plain(title, LONGEST_NAME), room - cell_len(target))} → {target}"
    fold = "▾" if is_open else "▸"
    said, time = _said_of_batch(batch, state), _time_of_batch(batch, state, zone)
    # Something of it arrived: that says more than what happens to one of many.
    shown = State.RUNNING if batch.goes_on and batch.done and batch.only is None else state
    progress = _progress(columns, shown, batch.done, batch.size, said, time)
    return _line(columns, f"{fold} ", sign, title, where, state, progress)


def _said_of_batch(batch: BatchProgress, state: State) -> str:
    """What stands in place of a meter."""
    if state is State.DONE or state is State.SKIPPED:
        said = verified(batch.levels) if batch.levels else STATE_WORDS[State.SKIPPED]
        return f"{words.size(batch.size)} · {said.removeprefix('all ')}"
    if state is State.FAILED:
        many, count = len(batch.of_state[State.FAILED]), len(batch.transfers)
        return (f"{many:,} of {count:,} failed: " if count > 1 else "") + failure(next(batch.failures()))
    only = batch.only
    return only.note if only is not None and only.note else STATE_WORDS[state]


def _time_of_batch(batch: BatchProgress, state: State, zone: tzinfo) -> str:
    if batch.goes_on:
        return words.duration(batch.seconds_left)
    if state is State.PAUSED:
        return "stopped" if batch.kept else "paused"
    return _clock(batch.ended, zone)


def _clock(moment: datetime | None, zone: tzinfo) -> str:
    return words.time(moment, zone)[11:]


def _transfer_line(batch: BatchProgress, transfer: TransferSnapshot, columns: Columns, zone: tzinfo) -> Line:
    request, state = transfer.request, transfer.state
    title, where = name_of(request), ""
    if isinstance(request, ZipRequest):
        title = f"zip {batch.zips[transfer.id]}"
        title += f" of {len(batch.zips)}" if columns.width < WIDE else ""
        if (span := span_of(request)) is not None:
            title += "   " + span_text(*span, zone, is_short=columns.width < WIDE)
        where = counted(len(request.members), "file")
    elif isinstance(request, UploadRequest):
        where = home_path(request.path.parent)
    elif columns.width >= WIDE:
        where = home_path(request.folder)
    size = transfer.size if transfer.size is not None else sum(size or 0 for size in sizes_of(request))
    said = _said(transfer)
    if state is State.RUNNING:
        time = words.duration(transfer.eta)
    elif state is State.PAUSED:
        time = "stopped" if transfer.id in batch.kept else "paused"
    else:
        time = _clock(transfer.ended, zone)
    progress = _progress(columns, state, transfer.done, size, said, time)
    where = where if columns.width >= WIDE else ""
    return _line(columns, "    ", sign_of(state, is_upload=batch.is_upload), title, where, state, progress)


def _said(transfer: TransferSnapshot) -> str:
    if transfer.state is State.FAILED:
        return failure(transfer)
    if transfer.state is State.DONE:
        level = transfer.level or ("crc32+size" if isinstance(transfer.request, ZipRequest) else "")
        said = "already there, the same" if was_there(transfer) else verified({level: 1})
        return " · ".join(filter(None, (words.size(transfer.size or transfer.done), said, transfer.note)))
    return transfer.note or STATE_WORDS[transfer.state]


def _progress(columns: Columns, state: State, done: int, size: int, said: str, time: str) -> str:
    """Meter, bytes and time, or what there is to say; in the width from where it begins."""
    room = columns.width - columns.progress - 1
    if state in _WITH_METER and size and not said.startswith("failed"):
        if not columns.meter:
            return f"{words.percent(done, size):>4} % "
        pair = words.of_text(done, size)
        left = f"{words.meter(done, size, columns.meter)}  {pair}"
        return set_cell_size(left, max(room - cell_len(time) - 1, 0)) + f" {time} "
    said = plain(said, 4 * LONGEST_NAME)
    if time and columns.meter:
        return set_cell_size(elide(said, room - len(time) - 2), room - len(time)) + f"{time} "
    return _cell(said, room + 1)


def _line(columns: Columns, indent: str, sign: str, title: str, where: str, state: State, progress: str) -> Line:
    room = columns.where - 1 - len(indent) - 2
    what = _cell(title, room - 1) + " "
    target = _cell(where, columns.progress - columns.where - 2) + "  " if columns.where < columns.progress else ""
    line = ((indent, "muted"), (f"{sign} ", state.value), (what, ""), (target, "muted"), (progress, state.value))
    return tuple(piece for piece in line if piece[0])


def span_text(first: datetime, last: datetime, zone: tzinfo, *, is_short: bool) -> str:
    """From the oldest to the newest: `30 Aug 14:02 – 31 Aug 09:40`, or in short `30–31 Aug`."""
    first, last = first.astimezone(zone), last.astimezone(zone)
    if not is_short:
        return f"{first.day} {first:%b %H:%M} – {last.day} {last:%b %H:%M}"
    if first.date() == last.date():
        return f"{last.day} {last:%b}"
    is_one_month = (first.year, first.month) == (last.year, last.month)
    return f"{first.day}–{last.day} {last:%b}" if is_one_month else f"{first.day} {first:%b}–{last.day} {last:%b}"


def summary(batches: Mapping[str, BatchProgress]) -> str:
    """All of them in a few words: `2 batches running · 6.9 MB/s · 38 min left`."""
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
    """What runs, in a line: files, meter, bytes, speed, time left and where it goes. Not longer than the line."""
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
    left = between.join(filter(None, parts)) + " → "
    hint = "t transfers" if wide else "t"
    targets = list(dict.fromkeys(target_of(batch) for batch in running))
    target = targets[-1] + (f" and {len(targets) - 1} more" if len(targets) > 1 else "")
    room = width - cell_len(left) - cell_len(hint) - 3
    if room < 4:
        return set_cell_size(left.removesuffix(" → "), width)
    return left + _cell(target, room) + f"  {hint} "


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
        return _cell(head, width - cell_len(end)) + end if hint else elide(plain(head), width)
    room = width - cell_len(end) - 3
    head = elide(plain(head, LONGEST_NAME), max(room - 12, room // 2))
    line = f"{head} → {elide(plain(target, LONGEST_NAME), room - cell_len(head))}"
    return set_cell_size(line, width - cell_len(end)) + end if hint else line


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
    """Everything about one transfer, line by line; of a zip also what became of each of its objects."""
    request = transfer.request
    of_zip = isinstance(request, ZipRequest)
    lines = [
        f"{'Region' if of_zip else 'Object'}: {request.location.address}",
        f"Job: {request.job}" if isinstance(request, ZipRequest) and request.job else "",
        f"File: {MASK.path(transfer.path)}" if transfer.path else "",
        f"State: {STATE_WORDS[transfer.state]}",
        f"Size: {words.exact_size(transfer.size)}" if transfer.size is not None else "",
        f"So far: {words.exact_size(transfer.done)}",
        f"Speed: {words.speed(transfer.speed)}" if transfer.speed else "",
        f"Verified: {level_words(transfer.level)}" if transfer.level else "",
        f"Attempts: {transfer.attempts}",
        f"Now: {transfer.note}" if transfer.note else "",
        f"\n{transfer.error}" if transfer.error else "",
        *_member_lines(members),
    ]
    return "\n".join(line for line in lines if line)


@lru_cache(maxsize=64)
def level_words(level: str) -> str:
    """A level of verification as people say it: `MD5 (multipart)`."""
    return {
        "md5": "MD5",
        "md5-1": "MD5",
        "md5-N": "MD5 (multipart)",
        "store": "the store's own checksum",
        "size+etag": "size and version",
        "size": "size only",
        "crc32+size": "CRC-32 and size",
        "unverified": "not possible",
    }.get(level, level)


def _member_lines(members: Sequence[TransferSnapshot]) -> Iterator[str]:
    if not members:
        return
    states = Counter(member.state for member in members)
    told = ", ".join(f"{states[state]:,} {STATE_WORDS[state]}" for state in State if states[state])
    yield f"\nObjects: {told}"
    for member in members:
        said = (STATE_WORDS[member.state], level_words(member.level), name_of(member.request))
        why = f": {failure(member)}" if member.error is not None else ""
        yield "  " + "  ".join(part for part in said if part) + why
