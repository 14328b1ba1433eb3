"""A bare app under a dialog, driven by keys."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Button

from tests.support.screen import text_of
from tests.support.waiting import until


@dataclass
class Opened:
    """A dialog on the screen, and what it answered."""

    app: App[None]
    pilot: Pilot[None]
    dialog: Screen[Any]
    clock: list[float]
    """What it takes the time from; it stands still."""
    answers: list[Any] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The screen as a person sees it."""
        return text_of(self.app)

    @property
    def focus(self) -> str | None:
        """The id of what has the focus."""
        return self.app.focused.id if self.app.focused else None

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, met: Callable[[], object]) -> None:
        """Wait for what a thread brings."""
        await until(met)
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        """Paste; however long a busy machine takes, what the test does next follows at once."""
        await self.app.on_event(events.Paste(text))
        await self.pilot.pause()

    def wait(self, seconds: float) -> None:
        """Let time go by for the dialog."""
        self.clock[0] += seconds

    def fits(self) -> bool:
        """Whether every button and what has the focus are wholly on the screen."""
        size = self.app.size.region
        widgets = [*self.dialog.query(Button), *([self.app.focused] if self.app.focused else [])]
        return all(widget.region.area > 0 and size.contains_region(widget.region) for widget in widgets)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractAsyncContextManager[Opened]]:
    """Open a dialog: `async with opened(dialog, size=(80, 24)) as it`."""
    clock = [1_000.0]
    monkeypatch.setattr("cloudstore_tui.ui.dialogs.dialog.monotonic", lambda: clock[0])

    @asynccontextmanager
    async def run(dialog: Screen[Any], size: tuple[int, int] = (80, 24)) -> AsyncIterator[Opened]:
        app: App[None] = App()
        async with app.run_test(size=size) as pilot:
            it = Opened(app, pilot, dialog, clock)
            app.push_screen(dialog, it.answers.append)
            await pilot.pause()
            yield it

    return run
