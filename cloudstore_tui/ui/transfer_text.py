"""What is said of transfers: their names, their states, everything about one, all of them in a line."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from cloudstore_tui.transfers.model import Request, State, TransferSnapshot, UploadRequest, ZipRequest
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK

STATE_WORDS: Mapping[State, str] = {
    State.QUEUED: "queued",
    State.SIGNING: "asking for the link",
    State.PACKING: "packing",
    State.RUNNING: "running",
    State.VERIFYING: "checking",
    State.WAITING: "waiting to try again",
    State.PAUSED: "paused",
    State.DONE: "done",
    State.SKIPPED: "skipped: already there",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}
_RESTING = frozenset({State.QUEUED, State.WAITING, State.PAUSED})


def verb(request: Request) -> str:
    """What is done, in the letters of the command that does the same."""
    if isinstance(request, ZipRequest):
        return "zip"
    return "put" if isinstance(request, UploadRequest) else "get"


def name(request: Request) -> str:
    """What it is done with; not yet safe to draw."""
    if isinstance(request, UploadRequest):
        return request.path.name
    if isinstance(request, ZipRequest):
        return counted(len(request.members), "object") if request.members else request.job
    entry = request.entry
    return request.name or (entry.name if entry is not None else request.location.path.rsplit("/", 1)[-1])


def size_text(transfer: TransferSnapshot) -> str:
    """How much it is; of a zip that is not packed yet, what its objects have together."""
    if transfer.size is not None or not isinstance(transfer.request, ZipRequest):
        return words.size(transfer.size)
    entries = [member.entry for member in transfer.request.members]
    sizes = [entry.size for entry in entries if entry is not None and entry.size is not None]
    exact = len(sizes) == len(entries) and all(entry.size_exact for entry in entries if entry is not None)
    return words.size(sum(sizes), exact=exact) if sizes else ""


def state_text(transfer: TransferSnapshot) -> str:
    """Where it stands, in a word or two, or in a sentence where it failed; not yet safe to draw."""
    error = transfer.error
    if transfer.state is State.FAILED and error is not None:
        # Without the place: the name says it.
        return f"failed: {error.message}. {error.hint}".rstrip()
    if transfer.state is State.PAUSED and transfer.size and not transfer.note:
        return f"paused at {percent(transfer)} %"
    return transfer.note or STATE_WORDS[transfer.state]


def percent(transfer: TransferSnapshot) -> int:
    """How much of it is there."""
    return int(min(transfer.done / transfer.size, 1.0) * 100) if transfer.size else 0


def title_text(transfer: TransferSnapshot) -> str:
    """What a page about it is called."""
    return f"{verb(transfer.request)} {name(transfer.request)}"


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
        f"Verified: {transfer.level}" if transfer.level else "",
        f"Attempts: {transfer.attempts}",
        f"Now: {transfer.note}" if transfer.note else "",
        f"\n{transfer.error}" if transfer.error else "",
        *_member_lines(members),
    ]
    return "\n".join(line for line in lines if line)


def _member_lines(members: Sequence[TransferSnapshot]) -> Iterator[str]:
    if not members:
        return
    states = Counter(member.state for member in members)
    counted = ", ".join(f"{states[state]:,} {STATE_WORDS[state]}" for state in State if states[state])
    yield f"\nObjects: {counted}"
    for member in members:
        said = (STATE_WORDS[member.state], member.level, name(member.request))
        error = member.error
        why = f": {error.message}. {error.hint}".rstrip() if error is not None else ""
        yield "  " + "  ".join(part for part in said if part) + why


def rank(transfer: TransferSnapshot) -> tuple[int, float]:
    """Where it stands in the list: what runs, what waits, what failed, what ended; else as they came."""
    state = transfer.state
    if state is State.FAILED:
        return 2, 0
    if state.ended:
        # Newest first: what just ended is what the user looks for.
        return 3, -transfer.ended.timestamp() if transfer.ended else 0
    return int(state in _RESTING), 0


def summary(transfers: Sequence[TransferSnapshot]) -> str:
    """All of them in a line."""
    ranks = Counter("paused" if transfer.state is State.PAUSED else rank(transfer)[0] for transfer in transfers)
    kinds = ((0, "running"), (1, "waiting"), ("paused", "paused"), (2, "failed"), (3, "finished"))
    counted = [f"{ranks[kind]:,} {said}" for kind, said in kinds if ranks[kind]]
    return f"Transfers: {', '.join(counted)}" if counted else "Transfers"
