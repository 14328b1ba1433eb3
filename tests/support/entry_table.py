"""A table of entries in an app of its own, for the tests of what it draws and of which rows it holds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import ClassVar, TypeVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from cloudstore_tui.core.models import Column, Location, StoredObject
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui.browser.entry_table import EntryTable, RowStates

Kept = TypeVar("Kept", bound=Message)


def make(number: int, name: str = "", size: int | None = None) -> StoredObject:
    return StoredObject(
        Location("acme8", "us-east", f"id-{number}"),
        name or f"recording-{number:06d}.mp3",
        size=number * 1000 if size is None else size,
        size_exact=True,
        created=datetime(2024, 9, 1, tzinfo=UTC) + timedelta(minutes=number),
        tags=(("agentName", f"Agent {number % 7}"),),
    )


class TableApp(App[None]):
    """Shows one table and keeps what it says."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back_out", "Back")]

    def __init__(self, store: RowStore, columns: tuple[Column, ...]) -> None:
        super().__init__()
        self.store = store
        self.columns = columns
        self.table = EntryTable(RowStates(lambda _: None))
        self.heard: list[Message] = []
        self.backed_out = 0

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.show(self.store, self.columns)
        self.table.focus()

    def action_back_out(self) -> None:
        self.backed_out += 1

    @on(EntryTable.Highlighted)
    @on(EntryTable.NearEnd)
    @on(EntryTable.Opened)
    @on(EntryTable.MarksChanged)
    @on(EntryTable.SortAsked)
    def keep(self, message: Message) -> None:
        self.heard.append(message)

    def of(self, kind: type[Kept]) -> list[Kept]:
        """What was heard of one kind since it was asked last."""
        found = [message for message in self.heard if isinstance(message, kind)]
        self.heard = [message for message in self.heard if not isinstance(message, kind)]
        return found

    def lines(self) -> list[str]:
        """The table as text."""
        return [self.table.render_line(y).text for y in range(self.table.size.height)]

    def strip(self, y: int) -> Strip:
        return self.table.render_line(y)


@asynccontextmanager
async def running(
    store: RowStore, width: int = 90, height: int = 21, *, columns: tuple[Column, ...]
) -> AsyncIterator[tuple[TableApp, Pilot[None]]]:
    """A table of these rows in a terminal of this size."""
    app = TableApp(store, columns)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        yield app, pilot
