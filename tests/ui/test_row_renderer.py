from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from rich.cells import cell_len

from cloudstore_tui.core.models import Column, ColumnKind, Folder, Location, StoredObject
from cloudstore_tui.providers.eightbyeight.columns import BY_TYPE, MIXED, REGION
from cloudstore_tui.ui import format as formatted
from cloudstore_tui.ui.widgets.row_renderer import REPEATED, RowRenderer

NAME, AGENT = Column("name", "Name"), Column("agent", "Agent", width=12)
CREATED, SIZE = Column("created", "Created", ColumnKind.TIME, 16), Column("size", "Size", ColumnKind.SIZE, 9)
COLUMNS = (NAME, AGENT, CREATED, SIZE)
MODIFIED = Column("modified", "Modified", ColumnKind.TIME, 16)
DIRECTION = ("direction", "INBOUND")


def entry(name: str, agent: str = "Khang", size: int = 1500) -> StoredObject:
    moment = datetime(2024, 9, 1, 9, 12, tzinfo=UTC)
    return StoredObject(Location("a", path="1"), name, size=size, created=moment, tags=(("agent", agent),))


def renderer(width: int, columns: tuple[Column, ...] = COLUMNS) -> RowRenderer:
    renderer = RowRenderer(columns, UTC)
    renderer.fit(width)
    return renderer


def test_a_row_shows_all_columns_numbers_to_the_right() -> None:
    line = renderer(65).line(entry("a.mp3"))
    assert line == f"   {'a.mp3':<19}  {'Khang':<12}  2024-09-01 09:12  {'≈1.5 kB':>9}"
    assert renderer(64).line(entry("a.mp3"), marked=True).startswith(" ● a.mp3")
    assert renderer(64).line(entry("a.mp3"), sign="✓").startswith(" ✓ a.mp3")
    assert renderer(64).line(entry("a.mp3"), marked=True, sign="✓").startswith("●✓ a.mp3")


def test_the_name_takes_what_is_left() -> None:
    for width in (70, 100, 200):
        line = renderer(width).line(entry("n" * 300))
        assert cell_len(line) == width
        assert line.rstrip().endswith("≈1.5 kB")
        assert line[3 : 3 + width - 3 - 12 - 16 - 9 - 6].replace("…", "n") == "n" * (width - 46)


def test_texts_are_narrowed_before_columns_are_left_out_from_the_right() -> None:
    assert renderer(60).header("", False).split() == ["Name", "Agent", "Created", "UTC", "Size"]
    assert renderer(50).header("", False).split() == ["Name", "Agent", "Created", "UTC"]
    assert renderer(30).header("", False).split() == ["Name", "Agent"]
    assert renderer(20).header("", False).split() == ["Name"]


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (49, ["Time", "UTC", "What", "Agent", "Len"]),
        (61, ["Time", "UTC", "What", "Agent", "Len", "Size"]),
        (80, ["Time", "UTC", "Region", "What", "Agent", "Queue", "Len", "Size"]),
    ],
)
def test_how_long_and_how_large_count_more_than_the_region(width: int, titles: list[str]) -> None:
    found = RowRenderer((MIXED[0], REGION, *MIXED[1:]), UTC)
    june, september = (int(datetime(2024, month, 1, tzinfo=UTC).timestamp()) for month in (6, 9))
    found.fit(width, (june, september))
    assert found.header("", False).split() == titles


def test_long_names_lose_their_middle_and_other_texts_their_end() -> None:
    line = renderer(70).line(entry("int-" + "x" * 60 + "-01.mp3", "Somebody With A Name"))
    name, agent = line[3:27], line[29:41]
    assert name.startswith("int-xxx")
    assert name.endswith("x-01.mp3")
    assert name.count("…") == 1
    assert agent == "Somebody Wi…"


def test_the_arrow_is_never_cut_off() -> None:
    columns = (NAME, Column("size", "A very long title", ColumnKind.SIZE, 9))
    assert "A very… ▲" in renderer(60, columns).header("size", False)
    assert renderer(60).header("name", True).startswith("   Name ▼")


def test_a_click_finds_the_column_below_it() -> None:
    wide = renderer(80)
    header = wide.header("", False)
    for column in COLUMNS:
        assert wide.column_at(header.index(column.title)) is column
    assert wide.column_at(79) is SIZE
    assert wide.column_at(500) is None


def test_a_folder_is_shown_by_its_slash() -> None:
    assert renderer(40, (NAME,)).line(Folder(Location("a"), "exports")).rstrip() == "   exports/"


def test_times_are_those_of_the_zone() -> None:
    there = RowRenderer((NAME, CREATED), ZoneInfo("Asia/Tokyo"))
    there.fit(60)
    assert there.line(entry("x")).rstrip().endswith("2024-09-01 18:12")


@pytest.mark.parametrize("columns", [(), (SIZE,), (CREATED, SIZE), COLUMNS])
@given(st.text(st.characters(exclude_categories=()), max_size=60), st.integers(1, 120))
def test_any_name_in_any_width_fills_the_line_exactly(columns: tuple[Column, ...], name: str, width: int) -> None:
    narrow = renderer(width, columns)
    assert cell_len(narrow.line(entry(name, name), marked=True)) == width
    assert cell_len(narrow.header("size", True)) == width
    assert cell_len(narrow.sentence("x" * 200)) == width


@given(st.text("日本👩\u200d👧\ufe0f\u0301ab…", max_size=40), st.integers(24, 60))
def test_wide_and_joined_characters_do_not_move_the_next_column(name: str, width: int) -> None:
    columns = (NAME, Column("agent", "Agent", width=4))
    line = renderer(width, columns).line(entry(name, "AAAA"))
    assert line.endswith("AAAA")
    assert cell_len(line[:-4]) == width - 4


def test_without_names_columns_stay_near_each_other_in_a_wide_terminal() -> None:
    columns = (Column("agent", "Agent", width=12), Column("queue", "Queue", width=10))
    head = renderer(200, columns).header("", False)
    assert head.index("Queue") <= 50
    assert len(head) == 200


def test_times_say_as_much_of_the_date_as_tells_rows_apart_and_only_where_it_changes() -> None:
    columns = (Column("created", "Time", ColumnKind.TIME, 16), AGENT)
    moments = [datetime(2024, 9, 1, 9, 12, tzinfo=UTC), datetime(2024, 9, 1, 8, 0, tzinfo=UTC)]
    moments += [datetime(2024, 8, 31, 23, 54, tzinfo=UTC), datetime(2023, 8, 31, 23, 54, tzinfo=UTC)]
    rows = [structs.replace(entry("a"), created=moment) for moment in moments]

    def shown(*numbers: int) -> list[str]:
        rendered = RowRenderer(columns, UTC)
        rendered.fit(60, (int(moments[numbers[-1]].timestamp()), int(moments[0].timestamp())))
        above = [None, *(rows[number] for number in numbers)]
        lines = [rendered.header("created", True)]
        lines += [rendered.line(rows[number], before) for number, before in zip(numbers, above, strict=False)]
        return [line.partition("Khang")[0].partition("Agent")[0].rstrip() for line in lines]

    assert shown(0, 1) == ["   Time ▼", "   09:12", "   08:00"]
    assert shown(0, 1, 2) == ["   Time UTC ▼", "    1 Sep 09:12", "          08:00", "   31 Aug 23:54"]
    assert shown(0, 3)[1:] == ["    1 Sep 2024 09:12", "   31 Aug 2023 23:54"]


@pytest.mark.parametrize("kind", BY_TYPE)
@pytest.mark.parametrize("days", [1, 400])
def test_times_lengths_and_sizes_are_whole_however_narrow_the_list(kind: str, days: int) -> None:
    moment = datetime(2024, 9, 1, 9, 12, tzinfo=UTC)
    before = int(moment.timestamp()) - days * 86_400
    row = structs.replace(entry("a.json", size=999_600_000), duration=35_999.0)
    usual = BY_TYPE[kind]
    for columns in (usual, (usual[0], REGION, *usual[1:]), (REGION, *usual), (*usual, MODIFIED)):
        for width in (41, 51, 61, 69, 79, 99, 131):
            rendered = RowRenderer(columns, UTC)
            rendered.fit(width, (before, int(moment.timestamp())))
            line = rendered.line(row)
            for name in ("created", "modified", "duration", "size"):
                start, end = rendered.cells_of(name)
                assert "…" not in line[start:end], (width, name)
            if columns[0].name == "created":
                assert line.startswith("    1 Sep 09:12 " if days == 1 else "    1 Sep 2024 09:12 ")


def test_a_size_and_the_time_behind_it_stand_apart() -> None:
    files = (NAME, Column("size", "Size", ColumnKind.SIZE, 7), MODIFIED)
    for width in (51, 79):
        assert "Size  Modified UTC" in renderer(width, files).header("", False)


def test_what_a_service_rounds_is_shown_no_finer_than_it_does() -> None:
    told = {0: "<0.1 kB", 102: "≈0.1 kB", 921: "≈0.9 kB", 4403: "≈4.4 kB"}
    assert {size: formatted.size(size, exact=False) for size in told} == told
    assert {size: formatted.short_size(size, exact=False) for size in told} == told
    assert formatted.short_size(102, exact=False, units=False) == "≈0.1k"
    assert [formatted.short_size(size, units=False) for size in (843, 194_800)] == ["843B", "195k"]
    assert (formatted.size(29), formatted.short_size(29)) == ("29 B", "29 B")


def test_a_narrow_list_shows_less_of_sizes_and_drops_what_matters_least() -> None:
    columns = BY_TYPE["callcenterrecording"]
    tags = (("agentName", "Beatriz Carvalho"), ("address", "+16695553203"), ("queueName", "Collections"), DIRECTION)
    row = structs.replace(entry("a", size=3_813_176), tags=tags, duration=1271.0, size_exact=True)
    moment = int(row.created.timestamp()) if row.created else 0

    def shown(width: int) -> str:
        rendered = RowRenderer(columns, UTC)
        rendered.fit(width, (moment, moment))
        return rendered.line(row).rstrip()

    assert shown(20) == "   09:12   Beatriz …"
    assert shown(51) == "   09:12   Beatriz Carvalho Collections 21:11  3.8M"
    assert shown(80).split() == ["09:12", "Beatriz", "Carvalho", "+16695553203", "Collections", "21:11", "3.8", "MB"]
    assert shown(130).endswith("3.8 MB  Inbound")


def test_what_names_nobody_shows_the_people_of_its_call() -> None:
    columns = BY_TYPE["summary"]
    person = structs.replace(entry("a"), tags=(("agentName", "Khang Glynn"), ("queueName", "Level 3")), duration=60.0)
    summary = structs.replace(entry("b", size=269), type="summary", tags=(), size_exact=True)
    rendered = RowRenderer(columns, UTC)
    rendered.fit(100)
    assert rendered.line(summary, None, person).split() == [
        *("2024-09-01", "09:12", "Summary", "Khang", "Glynn", "Level", "3", "269", "B")
    ]


def test_with_rows_of_several_years_a_name_gives_way_before_a_size_does() -> None:
    tags = (("agentName", "Beatriz Carvalho"), ("address", "+16695553203"), ("queueName", "Collections"))
    row = structs.replace(entry("a", size=3_813_176), type="callcenterrecording", tags=tags, duration=1271.0)
    newest = int(row.created.timestamp()) if row.created else 0

    def shown(width: int, oldest: int) -> str:
        rendered = RowRenderer(MIXED, UTC)
        rendered.fit(width, (oldest, newest))
        return rendered.line(row).rstrip()

    # What is left for the table in 120 columns.
    assert shown(56, newest - 86_400) == "    1 Sep 09:12  Recording  Beatriz Carvalho 21:11 ≈3.8M"
    assert shown(56, newest - 400 * 86_400) == "    1 Sep 2024 09:12 Recording  Beatriz Car… 21:11 ≈3.8M"


def test_a_column_that_says_the_same_in_every_row_is_left_out_first() -> None:
    repeated = tuple(structs.replace(one, rank=REPEATED) if one.name == "agentName" else one for one in MIXED)
    moment = int(datetime(2024, 9, 1, 9, 12, tzinfo=UTC).timestamp())

    def titles(columns: tuple[Column, ...], width: int) -> list[str]:
        rendered = RowRenderer(columns, UTC)
        rendered.fit(width, (moment, moment))
        return rendered.header("", False).split()

    assert titles(MIXED, 56) == ["Time", "What", "Agent", "Len", "Size"]
    assert titles(repeated, 56) == ["Time", "What", "Caller", "Queue", "Len", "Size"]
    assert titles(repeated, 80) == titles(MIXED, 80) == ["Time", "What", "Agent", "Caller", "Queue", "Len", "Size"]
