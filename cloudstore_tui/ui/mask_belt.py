"""The belt behind the mask: every line that a widget draws passes here, whatever it was given."""

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from cloudstore_tui.ui.mask import MASK

_render_lines = Widget.render_lines


def _masked_lines(widget: Widget, crop: Region) -> list[Strip]:
    strips = _render_lines(widget, crop)
    return [masked(strip) for strip in strips] if MASK.on else strips


def install_mask() -> None:
    """Mask what is typed into a line, or was given to a widget before the mask was on."""
    # By name: the method is the one of all widgets.
    setattr(Widget, _render_lines.__name__, _masked_lines)


def masked(strip: Strip) -> Strip:
    """The strip with stand-ins in the styles of what they stand for."""
    text = strip.text
    told = MASK.text(text)
    if told == text or len(told) != len(text):
        return strip
    segments: list[Segment] = []
    at = 0
    for part, style, control in strip:
        segments.append(Segment(told[at : at + len(part)], style, control))
        at += len(part)
    return Strip(segments, strip.cell_length)
