"""Turning the mask on and off while everything is on the screen."""

from typing import Protocol, runtime_checkable

from textual.app import App
from textual.widget import Widget

from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import tell

ON = "Names, numbers and links are masked on this screen. What you copy, download or save is not. M shows them again."
OFF = "Names, numbers and links are shown again."


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
    tell(app, ON if MASK.on else OFF)
