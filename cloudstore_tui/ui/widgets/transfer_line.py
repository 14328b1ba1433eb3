"""One transfer as a line of text."""

from rich.cells import cell_len, set_cell_size

from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.text import plain
from cloudstore_tui.ui.transfer_text import name, percent, size_text, state_text, verb

BAR_WIDTH = 12

NARROW = 80
"""Cells below which the bar is half as long, for the sake of the name."""

LONGEST_NAME = 500
"""Characters of a name that are looked at."""

_NAME_WIDTH = 40
_VERB_WIDTH = 4


def line_text(transfer: TransferSnapshot, width: int, marks: str = "█░") -> str:
    """One transfer in exactly `width` cells; `marks` are the full and the empty part of a bar."""
    end = plain(_end(transfer, marks, BAR_WIDTH if width >= NARROW else BAR_WIDTH // 2))
    name_width = max(width - _VERB_WIDTH - 2 - cell_len(end), min(_NAME_WIDTH, width // 4), 8)
    if transfer.state is State.FAILED:
        name_width = min(name_width, max(width // 3, 8))
    what = name_text(transfer, name_width)
    return set_cell_size(f"{verb(transfer.request):<{_VERB_WIDTH}}{what}  {end}", max(width, 0))


def name_text(transfer: TransferSnapshot, width: int) -> str:
    """Its name in exactly `width` cells, safe to draw."""
    return set_cell_size(elide(plain(name(transfer.request), LONGEST_NAME), width), width)


def elide(text: str, width: int) -> str:
    """`text` in at most `width` cells, without its middle where it is longer: names differ at both ends."""
    if cell_len(text) <= width or width < 1:
        return text if width > 0 else ""
    head = (width - 1) // 2
    tail = text
    while cell_len(tail) > width - 1 - head:
        tail = tail[1:]
    return set_cell_size(text, head).rstrip() + "…" + tail


def bar_text(transfer: TransferSnapshot, marks: str, width: int) -> str:
    """How much of it is there, as a bar of `width` cells and a number."""
    full = percent(transfer) * width // 100
    return f"{marks[0] * full + marks[1] * (width - full)} {percent(transfer):>3} %"


def _end(transfer: TransferSnapshot, marks: str, bar_width: int) -> str:
    """What stands right of the name."""
    if transfer.state is State.DONE:
        return "  ".join(part for part in ("done", words.size(transfer.done), transfer.level) if part)
    if transfer.state is State.PACKING:
        return "  ".join(part for part in (size_text(transfer), state_text(transfer)) if part)
    if transfer.state is State.RUNNING:
        return _progress(transfer, marks, bar_width)
    return state_text(transfer)


def _progress(transfer: TransferSnapshot, marks: str, bar_width: int) -> str:
    speed, left = words.speed(transfer.speed), words.time_left(transfer.eta)
    if not transfer.size:
        return f"{words.size(transfer.done):>9}  {speed:>10}"
    return f"{bar_text(transfer, marks, bar_width)}  {speed:>10}  {left:<12}"
