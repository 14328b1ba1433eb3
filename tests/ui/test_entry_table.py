"""The table of entries, and the signs of its rows."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding
from textual.strip import Strip

from cloudstore_tui.config.themes import load_themes
from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, Location, StoredObject
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot
from cloudstore_tui.ui.browser.entry_table import EntryTable, RowStates
from cloudstore_tui.ui.themes import textual_theme
from cloudstore_tui.ui.widgets.row_renderer import RowSign
from tests.support.contrast import TEXT, contrast
from tests.support.entry_table import make
from tests.support.entry_table import running as running_table

NAME, AGENT = Column("name", "Name"), Column("agentName", "Agent", width=10)
CREATED, SIZE = Column("created", "Time", ColumnKind.TIME, 16), Column("size", "Size", ColumnKind.SIZE, 9)
COLUMNS = (NAME, AGENT, CREATED, SIZE)
running = partial(running_table, columns=COLUMNS)
TITLES = {"Transcript", "Work voicemail", "Voicemail", "Survey", "Screen recording"}


async def test_rows_are_drawn_in_columns_that_fit(filled: RowStore) -> None:
    async with running(filled) as (app, _):
        lines = app.lines()
        assert {cell_len(line) for line in lines} == {90}
        assert lines[0].split() == ["Name", "Agent", "Time", "UTC", "Size"]
        assert lines[2][:-1].split() == ["recording-000001.mp3", "Agent", "1", "2024-09-01", "00:01", "1.0", "kB"]
        assert lines[0].index("Agent") == lines[2].index("Agent")
        assert lines[0].rstrip().endswith("Size")
        assert lines[2].endswith("1.0 kB▐")


async def test_a_row_is_one_segment_and_a_piece_of_the_scroll_bar(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        assert [len(list(app.strip(y))) for y in range(21)] == [1, *[2] * 20]
        bar = "".join(list(app.strip(y))[-1].text for y in range(1, 21))
        assert bar == "▐" * 4 + " " * 16
        await pilot.press("G")
        assert "".join(list(app.strip(y))[-1].text for y in range(1, 21)) == " " * 16 + "▐" * 4


async def test_a_sign_says_what_is_the_matter_and_only_its_row_is_drawn_anew(
    filled: RowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(filled) as (app, pilot):
        signs: dict[str, RowSign] = {}
        monkeypatch.setattr(EntryTable, "sign_of", lambda _, entry: signs.get(entry.name))
        drawn: list[int] = []
        refresh_row = EntryTable.refresh_row

        def noted(table: EntryTable, row: int) -> None:
            drawn.append(row)
            refresh_row(table, row)

        monkeypatch.setattr(EntryTable, "refresh_row", noted)
        for sign in (RowSign.COMING, RowSign.HERE):
            signs[make(2).name] = sign
            app.table.signs_changed()
            await pilot.pause()
            assert app.lines()[3].startswith(f" {sign.value} ")
        app.table.signs_changed()
        assert drawn == [2, 2]
        app.table.cursor = 2
        await pilot.press("space")
        assert app.lines()[3].startswith("●✓ ")


OURS = tuple(sorted(load_themes().loaded))


@pytest.mark.parametrize("theme", OURS)
async def test_types_differ_in_colour_and_can_be_read_in_every_theme(store: RowStore, theme: str) -> None:
    kinds = ("callcenterrecording", "transcription", "voicemail", "postcallsurvey", "screenrecording", "transcription")
    store.extend(replace(make(number), type=kind) for number, kind in enumerate(kinds))
    async with running(store) as (app, pilot):
        app.register_theme(textual_theme(load_themes().loaded[theme]))
        app.theme = theme
        app.table.show(store, (CREATED, Column("type", "What", width=16), AGENT))
        store.toggle(5)
        await pilot.pause()
        rows = {kind: list(app.strip(y)) for y, kind in enumerate(kinds[:5], 1)}
        drawn = {kind: piece.style for kind, row in rows.items() for piece in row[:-1] if piece.text.strip() in TITLES}
        # What the cursor is on has its colour, and a recording that of the row.
        assert set(drawn) == {"transcription", "voicemail", "postcallsurvey", "screenrecording"}
        assert len(list(app.strip(1))) == 2
        assert [piece.text.strip() for piece in app.strip(6)][1:4] == ["●", "00:05", "Transcript"]
        mark = list(app.strip(6))[1].style
        # Where colours are few or none, a sign alone is soon overlooked.
        assert mark is not None
        assert bool(mark.reverse) == load_themes().loaded[theme].ansi
        row = next(iter(app.strip(2))).style
        assert row is not None
        for style in drawn.values():
            assert style is not None
            assert style.bgcolor == row.bgcolor
            assert style.color is not None
            if not load_themes().loaded[theme].ansi:
                assert contrast(Segment("x", style)) >= TEXT
        if theme != "monochrome":
            assert any(style is not None and style.color != row.color for style in drawn.values())


@pytest.mark.parametrize("width", [1, 2, 5, 12, 24, 40, 60, 200])
async def test_any_width_is_filled_exactly(filled: RowStore, width: int) -> None:
    filled.extend([make(500, "日本語の名前がとても長い録音ファイル👩‍👩‍👧.mp3")])
    async with running(filled, width) as (app, _):
        app.table.action_go(-1)
        assert {cell_len(line) for line in app.lines()} == {width}


async def test_a_long_name_keeps_its_end(store: RowStore) -> None:
    store.extend([make(1, "int-181940bd19c-" + "x" * 80 + "-acmecorp01.mp3")])
    async with running(store, 70) as (app, _):
        name = app.lines()[1].split()[0]
        assert name.startswith("int-1819")
        assert "…" in name
        assert name.endswith("corp01.mp3")


async def test_the_cursor_moves_by_row_page_and_half_page(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        table = app.table
        for keys, cursor in (
            (["j"], 1),
            (["down", "down"], 3),
            (["k"], 2),
            (["up", "up", "up"], 0),
            (["pagedown"], 20),
            (["ctrl+f"], 40),
            (["pageup"], 20),
            (["ctrl+d"], 30),
            (["ctrl+u"], 20),
            (["ctrl+b"], 0),
            (["G"], 99),
            (["j"], 99),
            (["g"], 0),
            (["end"], 99),
            (["home"], 0),
        ):
            await pilot.press(*keys)
            assert table.cursor == cursor, keys
            assert table.cursor in table.rows_in_view
        assert table.entry == make(0)


async def test_a_page_keeps_the_cursor_on_its_line(filled: RowStore) -> None:
    async with running(filled) as (app, _):
        app.table.action_go(5)
        app.table.action_page(1)
        assert app.table.cursor - app.table.scroll_offset.y == 5
        app.table.action_page(-1)
        assert (app.table.cursor, app.table.scroll_offset.y) == (5, 0)


async def test_a_step_over_the_edge_moves_the_view_by_half_a_page(filled: RowStore) -> None:
    async with running(filled) as (app, _):
        table, offsets = app.table, []
        for _step in range(60):
            table.action_move(1)
            offsets.append(table.scroll_offset.y)
        assert len(set(offsets)) <= 6
        offsets.clear()
        for _step in range(60):
            table.action_move(-1)
            assert table.cursor in table.rows_in_view
            offsets.append(table.scroll_offset.y)
        assert len(set(offsets)) <= 6


async def test_a_step_inside_the_view_repaints_two_lines(filled: RowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(filled) as (_, pilot):
        await pilot.press("j")
        painted: list[int] = []
        paint = EntryTable.render_line

        def render_line(table: EntryTable, y: int) -> Strip:
            painted.append(y)
            return paint(table, y)

        monkeypatch.setattr(EntryTable, "render_line", render_line)
        await pilot.press("j")
        await pilot.pause()
        assert sorted(painted) == [2, 3]


async def test_marks_are_shown_by_a_sign_and_counted(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        await pilot.press("space", "j", "insert")
        assert app.table.cursor == 3
        assert [line[1] for line in app.lines()[1:5]] == ["●", " ", "●", " "]
        assert len(app.of(EntryTable.MarksChanged)) == 2
        assert filled.selection.count == 2
        plain, marked = app.strip(2), app.strip(1)
        assert [segment.text[:2] for segment in marked][:3] == [" ", "●", " r"]
        assert {segment.style for segment in marked} - {segment.style for segment in plain}
        await pilot.press("asterisk")
        assert filled.selection.count == 98
        await pilot.press("a")
        assert filled.selection.count == 100
        app.table.action_marks("none")
        assert filled.selection.count == 0
        await pilot.pause()
        assert len(app.of(EntryTable.MarksChanged)) == 3


async def test_a_range_is_marked_from_v_to_v_and_escape_gives_it_up(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        await pilot.press("j", "v")
        assert len(app.of(EntryTable.MarksChanged)) == 1
        await pilot.press("j", "j")
        assert [line[1] for line in app.lines()[1:6]] == [" ", "●", "●", "●", " "]
        assert filled.selection.count == 0
        assert len(app.of(EntryTable.MarksChanged)) == 2, "a range that grows is told row by row"
        await pilot.press("v")
        assert filled.selection.count == 3
        await pilot.press("g", "v", "escape")
        assert app.backed_out == 0
        assert [line[1] for line in app.lines()[1:6]] == [" ", "●", "●", "●", " "]
        await pilot.press("escape")
        assert app.backed_out == 1


async def test_a_range_upwards_is_marked_too(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        app.table.action_go(10)
        await pilot.press("v")
        app.table.action_go(5)
        await pilot.press("v")
        assert [entry.name for entry in filled.marked()] == [make(number).name for number in range(5, 11)]


async def test_a_range_is_given_up_when_the_rows_move(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        await pilot.press("v", "j")
        filled.sort(SIZE, descending=True)
        app.table.rows_changed()
        await pilot.press("v")
        assert filled.selection.count == 0


@pytest.mark.parametrize("key", ["enter", "l", "right"])
async def test_opening_tells_the_entry(filled: RowStore, key: str) -> None:
    async with running(filled) as (app, pilot):
        await pilot.press("j", key)
        assert [message.entry for message in app.of(EntryTable.Opened)] == [make(1)]


async def test_the_mouse_selects_opens_and_sorts(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        await pilot.click(EntryTable, offset=(5, 4))
        assert app.table.cursor == 3
        assert app.of(EntryTable.Opened) == []
        await pilot.click(EntryTable, offset=(5, 6), times=2)
        assert [message.entry for message in app.of(EntryTable.Opened)] == [make(5)]
        await pilot.click(EntryTable, offset=(app.lines()[0].index("Agent"), 0))
        await pilot.click(EntryTable, offset=(3, 0))
        assert [message.column for message in app.of(EntryTable.SortAsked)] == [AGENT, NAME]


async def test_the_header_tells_the_order(filled: RowStore) -> None:
    async with running(filled) as (app, _):
        filled.sort(SIZE, descending=True)
        app.table.rows_changed()
        assert "Size ▼" in app.lines()[0]
        app.table.order = ("created", False)
        assert "Time UTC ▲" in app.lines()[0]
        assert "▼" not in app.lines()[0]


HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]52;c;QQ==\x1b\\",
    "\x9b31m",
    "a\nb\rc\td\x00",
    "gpj\u202e.exe",
    "\ud800lone",
    "[bold red]x[/]",
    "a[/b]",
    "[@click=app.quit]x[/]",
    "e" + "\u0301" * 500,
    "\u0301\u0301start",
    "👩\u200d👩\u200d👧\u200d👦 family",
    "日本語" * 40,
    "x" * 10_000,
    "\u2028\u2029",
    "",
]


async def test_hostile_names_stay_in_their_row_and_column(store: RowStore) -> None:
    entries: list[Entry] = [make(number, name or "") for number, name in enumerate(HOSTILE)]
    entries += [Folder(Location("acme", place=(name, "f")), name) for name in HOSTILE]
    store.extend(entries)
    async with running(store, 80, 40) as (app, _):
        lines = app.lines()
        assert {cell_len(line) for line in lines} == {80}
        text = "".join(lines)
        assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in text)
        assert "\u202e" not in text
        assert "[bold red]x[/]" in text
        assert "[@click=app.quit]x[/]" in text
        text.encode()
        ends = {cell_len(line[: line.index("2024-")]) for line in lines if "2024-" in line}
        assert len(ends) == 1


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "ansi-light"])
async def test_the_cursor_is_seen_in_every_theme(filled: RowStore, theme: str) -> None:
    async with running(filled) as (app, pilot):
        app.theme = theme
        await pilot.pause()
        cursor, other = (next(iter(app.strip(y))).style for y in (1, 3))
        assert cursor is not None
        assert other is not None
        assert (cursor.bgcolor, cursor.reverse) != (other.bgcolor, other.reverse)
        if theme.startswith("ansi"):
            assert cursor.reverse


async def test_the_cursor_is_seen_without_colours(filled: RowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(filled) as (app, _):
        style = next(iter(app.strip(1))).style
        assert style is not None
        assert style.reverse


async def test_the_terminal_cursor_follows_for_magnifiers(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        await pilot.press("j", "j")
        assert app.cursor_position == (0, 3)
        await pilot.press("pagedown")
        assert app.cursor_position == (0, 3)


async def test_a_smaller_window_keeps_the_cursor_in_view(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        app.table.action_go(18)
        await pilot.resize_terminal(90, 8)
        await pilot.pause()
        assert app.table.cursor in app.table.rows_in_view


def test_every_binding_has_an_id_and_says_what_it_does() -> None:
    bindings = [binding for kind in EntryTable.__mro__ for binding in vars(kind).get("BINDINGS", [])]
    ours = [binding for binding in bindings if isinstance(binding, Binding) and str(binding.id).startswith("entries.")]
    assert len(ours) == len({binding.id for binding in ours}) >= 14
    assert all(binding.tooltip and binding.description and not binding.priority for binding in ours)


async def test_a_store_may_shrink_before_the_table_is_updated(filled: RowStore) -> None:
    async with running(filled) as (app, pilot):
        app.table.action_go(90)
        filled.filter("00004")
        app.table.refresh()
        await pilot.press("space", "v", "enter", "k")
        app.table.rows_changed()
        assert app.table.row_count == 11
        assert app.table.cursor in app.table.rows_in_view


HERE = Location("acme8", "us-east", "id-1")


def transfer(state: State) -> TransferSnapshot:
    return TransferSnapshot(1, DownloadRequest(HERE, Path("/calls")), state)


@pytest.mark.parametrize(
    ("service", "state", "sign"),
    [
        ("AVAILABLE", None, None),
        ("ARCHIVED", None, RowSign.ARCHIVED),
        ("PENDING", None, RowSign.RESTORING),
        ("DELETED", None, RowSign.LOST),
        ("AVAILABLE", State.QUEUED, RowSign.COMING),
        ("AVAILABLE", State.RUNNING, RowSign.COMING),
        ("AVAILABLE", State.DONE, RowSign.HERE),
        ("AVAILABLE", State.SKIPPED, RowSign.HERE),
        ("AVAILABLE", State.FAILED, None),
        ("ARCHIVED", State.CANCELLED, RowSign.ARCHIVED),
    ],
)
def test_the_sign_is_that_of_the_transfer_or_of_the_state(service: str, state: State | None, sign: object) -> None:
    states = RowStates(lambda _: transfer(state) if state is not None else None)
    assert states.sign_of(StoredObject(HERE, "a.mp3", state=service)) is sign


def test_what_arrived_stays_here_when_its_transfer_is_forgotten_and_what_is_asked_back_says_so() -> None:
    states = RowStates(lambda _: None)
    entry = StoredObject(HERE, "a.mp3", state="ARCHIVED")
    assert states.sign_of(Folder(HERE, "a")) is None
    states.note_restores(frozenset({HERE}))
    assert states.sign_of(entry) is RowSign.RESTORING
    states.note_ended([transfer(State.FAILED)])
    assert states.sign_of(entry) is RowSign.RESTORING
    states.note_ended([transfer(State.DONE)])
    assert states.sign_of(entry) is RowSign.HERE


async def test_a_row_shows_how_its_download_goes_on(browser: Any) -> None:
    def row() -> str:
        table = [line.split("│")[1] for line in it.lines if line.count("│") > 1]
        return next(str(line) for line in table if "report-001.tar" in line)

    async with browser(start="acme:exports/reporting/") as it:
        await it.press("j", "d")
        await it.until(lambda: row().startswith(" ↓ report-001.tar"))
        it.engine.become(1, State.DONE)
        await it.until(lambda: row().startswith(" ✓ report-001.tar"))
        await it.press("space")
        assert row().startswith("●✓ report-001.tar")
        it.engine.forget(1)
        await it.settle()
        assert row().startswith("●✓ report-001.tar")
