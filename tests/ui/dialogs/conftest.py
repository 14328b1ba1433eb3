"""A bare app under a dialog, driven by keys."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Button

from cloudstore_tui.ui.dialogs.dialog import Dialog


@dataclass
class Opened:
    """A dialog on the screen, and what it answered."""

    app: App[None]
    pilot: Pilot[None]
    dialog: Screen[Any]
    answers: list[Any] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The screen as a person sees it."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    @property
    def focus(self) -> str | None:
        """The id of what has the focus."""
        return self.app.focused.id if self.app.focused else None

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        await self.app.on_event(events.Paste(text))
        await self.pilot.pause()
        if isinstance(self.dialog, Dialog) and self.dialog._pasted:
            # However long a busy machine took, what the test does next follows at once.
            self.dialog._pasted = monotonic()

    def fits(self) -> bool:
        """Whether every button and what has the focus are wholly on the screen."""
        size = self.app.size.region
        widgets = [*self.dialog.query(Button), *([self.app.focused] if self.app.focused else [])]
        return all(widget.region.area > 0 and size.contains_region(widget.region) for widget in widgets)


@pytest.fixture
def opened() -> Callable[..., AbstractAsyncContextManager[Opened]]:
    """Open a dialog: `async with opened(dialog, size=(80, 24)) as it`."""

    @asynccontextmanager
    async def run(dialog: Screen[Any], size: tuple[int, int] = (80, 24)) -> AsyncIterator[Opened]:
        app: App[None] = App()
        async with app.run_test(size=size) as pilot:
            it = Opened(app, pilot, dialog)
            app.push_screen(dialog, it.answers.append)
            await pilot.pause()
            yield it

    return run
