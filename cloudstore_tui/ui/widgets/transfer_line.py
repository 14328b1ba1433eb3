"""One transfer as a line of text."""

from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from cloudstore_tui.transfers.transfer import State, Transfer, UploadRequest
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.text import plain

BAR_WIDTH = 12

NARROW = 80
"""Cells below which the bar is half as long, for the sake of the name."""

_LONGEST_NAME = 500
_NAME_WIDTH = 40
_VERB_WIDTH = 4
_WORDS: dict[State, str] = {
    State.QUEUED: "queued",
    State.SIGNING: "asking for the link",
    State.VERIFYING: "checking",
    State.WAITING: "waiting to try again",
    State.DONE: "done",
    State.SKIPPED: "skipped: already there",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}


def line_text(transfer: Transfer, width: int, marks: str = "█░") -> str:
    """One transfer in exactly `width` cells; `marks` are the full and the empty part of a bar."""
    end = plain(_end(transfer, marks, BAR_WIDTH if width >= NARROW else BAR_WIDTH // 2))
    name_width = max(width - _VERB_WIDTH - 2 - cell_len(end), min(_NAME_WIDTH, width // 4), 8)
    if transfer.state is State.FAILED:
        name_width = min(name_width, max(width // 3, 8))
    name = set_cell_size(elide(plain(_name(transfer), _LONGEST_NAME), name_width), name_width)
    return set_cell_size(f"{_verb(transfer):<{_VERB_WIDTH}}{name}  {end}", max(width, 0))


def elide(text: str, width: int) -> str:
    """`text` in at most `width` cells, without its middle where it is longer: names differ at both ends."""
    if cell_len(text) <= width or width < 1:
        return text if width > 0 else ""
    head = (width - 1) // 2
    tail = text
    while cell_len(tail) > width - 1 - head:
        tail = tail[1:]
    return set_cell_size(text, head).rstrip() + "…" + tail


def describe(transfer: Transfer) -> str:
    """Everything about one transfer, line by line."""
    location = transfer.request.location
    lines = [
        f"Object: {location.address}",
        f"File: {transfer.path}" if transfer.path else "",
        f"State: {_WORDS.get(transfer.state, 'running')}",
        f"Size: {words.exact_size(transfer.size)}" if transfer.size is not None else "",
        f"So far: {words.exact_size(transfer.done)}",
        f"Checked: {transfer.level}" if transfer.level else "",
        f"Attempts: {transfer.attempts}",
        f"Now: {transfer.note}" if transfer.note else "",
        f"\n{transfer.error}" if transfer.error else "",
    ]
    return "\n".join(line for line in lines if line)


def _end(transfer: Transfer, marks: str, bar_width: int) -> str:
    """What stands right of the name."""
    if transfer.state is State.FAILED and transfer.error is not None:
        return _sentence(transfer)
    if transfer.state is State.DONE:
        return "  ".join(part for part in ("done", words.size(transfer.done), transfer.level) if part)
    if transfer.state is State.RUNNING:
        return _progress(transfer, marks, bar_width)
    return transfer.note or _WORDS.get(transfer.state, "")


def _progress(transfer: Transfer, marks: str, bar_width: int) -> str:
    speed, left = words.speed(transfer.speed), words.time_left(transfer.eta)
    if not transfer.size:
        return f"{words.size(transfer.done):>9}  {speed:>10}"
    share = min(transfer.done / transfer.size, 1.0)
    full = int(share * bar_width)
    bar = marks[0] * full + marks[1] * (bar_width - full)
    return f"{bar} {int(share * 100):>3} %  {speed:>10}  {left:<12}"


def _sentence(transfer: Transfer) -> str:
    """The error without the place, which the line already names."""
    error = transfer.error
    return f"failed: {error.cause}. {error.cure}".rstrip() if error is not None else "failed"


def title_text(transfer: Transfer) -> str:
    """What a page about it is called."""
    return f"{_verb(transfer)} {_name(transfer)}"


def _verb(transfer: Transfer) -> str:
    return "put" if isinstance(transfer.request, UploadRequest) else "get"


def _name(transfer: Transfer) -> str:
    request = transfer.request
    if isinstance(request, UploadRequest):
        return request.path.name
    entry = request.entry
    return request.name or (entry.name if entry is not None else request.location.path.rsplit("/", 1)[-1])


def rank(transfer: Transfer) -> tuple[int, int]:
    """Where it stands in the list: what runs, what waits, what failed, what ended."""
    state = transfer.state
    if state is State.FAILED:
        return 2, transfer.id
    if state.ended:
        # Newest first: what just ended is what the user looks for.
        return 3, -transfer.id
    return int(state in (State.QUEUED, State.WAITING)), transfer.id


def summary(transfers: Sequence[Transfer]) -> str:
    """What the border says."""
    ranks = Counter(rank(transfer)[0] for transfer in transfers)
    names = ("running", "waiting", "failed", "ended")
    counted = [f"{ranks[rank]:,} {name}" for rank, name in enumerate(names) if ranks[rank]]
    return f"Transfers: {', '.join(counted)}" if counted else "Transfers"
