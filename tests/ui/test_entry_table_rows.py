from functools import partial
from zoneinfo import ZoneInfo

import pytest
from textual import events
from textual.strip import Strip

from cloudstore_tui.core.models import Column, ColumnKind, identity
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.ui.browser.entry_table import EntryTable
from tests.support.entry_table import make
from tests.support.entry_table import running as running_table

NAME, CREATED = Column("name", "Name"), Column("created", "When (UTC)", ColumnKind.TIME, 16)
SIZE = Column("size", "Size", ColumnKind.SIZE, 9)
COLUMNS = (NAME, CREATED, SIZE)
running = partial(running_table, columns=COLUMNS)


def fill(store: RowStore, count: int) -> None:
    for first in range(0, count, 1000):
        store.extend(make(number) for number in range(first, min(first + 1000, count)))


async def test_more_rows_below_the_view_repaint_nothing(filled: RowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(filled) as (app, pilot):
        painted: list[int] = []
        paint = EntryTable.render_line

        def render_line(table: EntryTable, y: int) -> Strip:
            painted.append(y)
            return paint(table, y)

        monkeypatch.setattr(EntryTable, "render_line", render_line)
        filled.extend(make(number) for number in range(100, 200))
        app.table.rows_changed()
        assert app.table.row_count == 200
        await pilot.pause()
        # The scroll bar says that there are more.
        painted.clear()
        filled.merge([make(150, size=1)])
        app.table.rows_changed()
        await pilot.pause()
        assert painted == []
        filled.merge([make(5, size=1)])
        app.table.rows_changed()
        await pilot.pause()
        assert painted


async def test_near_the_end_more_rows_are_asked_for_once(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        assert app.of(EntryTable.NearEnd) == []
        app.table.action_go(70)
        await pilot.pause()
        assert len(app.of(EntryTable.NearEnd)) == 1
        app.table.action_go(-1)
        app.table.rows_changed()
        await pilot.pause()
        assert app.of(EntryTable.NearEnd) == []
        filled.extend(make(number) for number in range(100, 110))
        app.table.rows_changed()
        await pilot.pause()
        assert len(app.of(EntryTable.NearEnd)) == 1


async def test_a_first_page_that_does_not_fill_the_view_asks_for_the_next(store: RowStore) -> None:
    async with running(store) as (app, pilot):
        assert app.of(EntryTable.NearEnd) == []
        store.extend([make(1)])
        app.table.rows_changed()
        await pilot.pause()
        assert len(app.of(EntryTable.NearEnd)) == 1


async def test_a_filter_that_finds_little_does_not_load_everything(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        filled.filter("000042")
        app.table.rows_changed()
        await pilot.pause()
        filled.extend(make(number) for number in range(100, 200))
        app.table.rows_changed()
        await pilot.pause()
        assert app.of(EntryTable.NearEnd) == []
        await pilot.press("j")
        assert app.table.row_count == 1


async def test_the_wheel_asks_for_more_rows_too(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        for _step in range(40):
            app.table.post_message(
                events.MouseScrollDown(app.table, 5, 5, 0, 1, 0, shift=False, meta=False, ctrl=False)
            )
        await pilot.pause()
        assert app.table.scroll_offset.y > 60
        assert len(app.of(EntryTable.NearEnd)) == 1


async def test_the_cursor_stays_with_its_entry(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        app.table.action_go(30)
        filled.sort(SIZE, descending=True)
        app.table.rows_changed()
        assert app.table.entry == make(30)
        assert app.table.cursor == 69
        assert app.table.cursor in app.table.rows_in_view
        filled.filter("agent 2")
        app.table.rows_changed()
        assert app.table.entry == make(30)
        filled.filter("agent 3")
        app.table.rows_changed()
        assert app.table.entry != make(30)
        filled.filter("")
        app.table.rows_changed()
        assert app.table.entry == make(30)
        with filled.refresh():
            filled.merge([make(200), make(30, size=5)])
        app.table.rows_changed()
        assert app.table.entry == make(30, size=5)
        filled.remove([identity(make(30))])
        app.table.rows_changed()
        assert app.table.entry == make(200)
        await pilot.pause()
        assert app.of(EntryTable.Highlighted)[-1].entry == make(200)


async def test_an_entry_is_announced_once_while_the_cursor_is_on_it(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        app.table.rows_changed()
        app.table.rows_changed()
        await pilot.press("j")
        assert [message.entry for message in app.of(EntryTable.Highlighted)] == [make(0), make(1)]
        filled.clear()
        app.table.rows_changed()
        await pilot.pause()
        assert [message.entry for message in app.of(EntryTable.Highlighted)] == [None]


async def test_another_store_begins_at_its_top(filled: RowStore) -> None:
    other = RowStore()
    try:
        other.extend(make(number) for number in range(300, 400))
        async with running(filled) as (app, pilot):
            app.table.action_go(-1)
            app.table.show(other, COLUMNS)
            await pilot.pause()
            assert (app.table.cursor, app.table.scroll_offset.y, app.table.entry) == (0, 0, make(300))
            app.table.action_go(50)
            app.table.show(other, (NAME, CREATED), ZoneInfo("Asia/Tokyo"))
            assert app.table.entry == make(350)
            assert "2024-09-01 14:50" in app.lines()[app.table.cursor - app.table.scroll_offset.y + 1]
    finally:
        other.close()


async def test_a_table_without_rows_says_why(store: RowStore) -> None:
    async with running(store, 44) as (app, pilot):
        app.table.set_status("Loading exports/ …")
        assert app.lines()[1].strip() == "Loading exports/ …"
        app.table.set_status("acme8: the service did not answer in 30 s. Press r to try again. \x1b[31m[red]x[/red]")
        words = " ".join(line.strip() for line in app.lines()[1:] if line.strip())
        assert words == "acme8: the service did not answer in 30 s. Press r to try again. ␛[31m[red]x[/red]"
        for key in ("j", "G", "pagedown"):
            await pilot.press(key)
        assert app.table.entry is None
        store.extend([make(1)])
        app.table.rows_changed()
        assert "recording-000001.mp3" in app.lines()[1]


@pytest.mark.parametrize("count", [10_000, 100_000])
async def test_many_rows_are_sorted_while_the_screen_goes_on(store: RowStore, count: int) -> None:
    fill(store, count)
    async with running(store) as (app, _):
        app.table.action_go(-1)
        assert app.table.entry == make(count - 1)
        app.table.action_go(count // 2)
        store.sort(SIZE, descending=True)
        app.table.rows_changed()
        await app.workers.wait_for_complete()
        assert not store.stale
        assert app.table.entry == make(count // 2)
        assert app.table.cursor == count - 1 - count // 2
        app.table.action_go(0)
        assert app.table.entry == make(count - 1)


async def test_rows_that_keep_coming_do_not_start_the_sorting_again(store: RowStore) -> None:
    fill(store, 30_000)
    async with running(store) as (app, pilot):
        store.sort(SIZE, descending=True)
        for page in range(30, 40):
            app.table.rows_changed()
            await pilot.pause(0.01)
            store.extend(make(number) for number in range(page * 1000, page * 1000 + 1000))
        app.table.rows_changed()
        await app.workers.wait_for_complete()
        assert not store.stale
        assert store.at(0) == make(39_999)


async def test_an_entry_that_a_filter_hides_gets_the_cursor_back(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        app.table.action_go(60)
        filled.filter("agent 3")
        app.table.rows_changed()
        assert app.table.row_count == 14
        filled.filter("")
        app.table.rows_changed()
        assert app.table.cursor == 60
        filled.filter("agent 3")
        app.table.rows_changed()
        await pilot.press("k")
        chosen = app.table.entry
        filled.filter("")
        app.table.rows_changed()
        assert app.table.entry == chosen


async def test_a_page_that_did_not_come_can_be_asked_for_again(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        app.table.action_go(-1)
        app.table.ask_again()
        app.table.action_move(-1)
        await pilot.pause()
        assert len(app.of(EntryTable.NearEnd)) == 2
