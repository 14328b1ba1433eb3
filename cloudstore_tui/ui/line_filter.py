"""The mask on the screen: a filter behind every line that is drawn, and the key that turns it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rich.segment import Segment
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter
from textual.widget import Widget

from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import notify_plain

ON = "Names, numbers and links are masked on this screen. What you copy, download or save is not. M shows them again."
OFF = "Names, numbers and links are shown again."


@dataclass(frozen=True)
class MaskFilter(LineFilter):
    """Masks what is typed into a line, or was given to a widget before the mask was on."""

    known: int
    """How many names are known: lines that were drawn with fewer are made again."""
    enabled: bool = True

    def apply(self, segments: list[Segment], _: Color) -> list[Segment]:
        """The line with pseudonyms, in the styles of what they stand for."""
        text = "".join(segment.text for segment in segments)
        told = MASK.text(text)
        if told == text or len(told) != len(text):
            return segments
        masked, at = [], 0
        for part, style, control in segments:
            masked.append(Segment(told[at : at + len(part)], style, control))
            at += len(part)
        return masked


def mask_filters() -> tuple[LineFilter, ...]:
    """What every line passes while the mask is on."""
    return (MaskFilter(MASK.known),) if MASK.on else ()


@runtime_checkable
class Masked(Protocol):
    """A widget that keeps texts as they are drawn, and has to make them again."""

    def remask(self) -> None:
        """The mask was turned on or off."""


def turn_mask(app: App[None]) -> None:
    """Turn it, on all screens."""
    MASK.on = not MASK.on
    for screen in app.screen_stack:
        for widget in [screen, *screen.walk_children(Widget)]:
            if isinstance(widget, Masked):
                widget.remask()
            widget.refresh()
    notify_plain(app, ON if MASK.on else OFF)
