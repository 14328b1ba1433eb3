"""The list of a call's objects: drawn in any width, marked by line and by leg."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from cloudstore_tui.calls import CallTree, call_tree
from cloudstore_tui.core.models import Location, StoredObject, identity
from cloudstore_tui.ui.widgets.call_list import CallList
from cloudstore_tui.ui.widgets.row_renderer import RowSign


class ListApp(App[None]):
    def compose(self) -> ComposeResult:
        yield CallList(UTC, id="call")


def tree(count: int = 3, type_: str = "hologram") -> CallTree:
    """Calls of three objects each."""
    return call_tree(
        StoredObject(
            Location("acme8", "us-east", f"o{number}"),
            "int-1.json",
            id=f"o{number}",
            type=("callrecording", "summary", type_)[number % 3],
            size=5_000_000,
            size_exact=True,
            created=datetime(2024, 9, 1, 9, number % 60, tzinfo=UTC),
            duration=3_723.0,
            state="ARCHIVED" if number == 1 else "AVAILABLE",
            tags=(("callId", f"c{number // 3}"),),
        )
        for number in range(count)
    )


def lines(widget: CallList) -> list[str]:
    return ["".join(segment.text for segment in widget.render_line(y)) for y in range(widget.size.height)]


@pytest.mark.parametrize("width", [8, 30, 80, 200])
async def test_every_line_has_the_width_of_the_list(width: int) -> None:
    app = ListApp()
    async with app.run_test(size=(width, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(6, type_="文" * 90), None)
        await pilot.pause()
        assert {cell_len(line) for line in lines(widget)} == {width}


async def test_columns_signs_and_notes_stand_where_they_belong() -> None:
    app = ListApp()
    async with app.run_test(size=(62, 12)) as pilot:
        widget = app.query_one(CallList)
        shown = tree()
        widget.show(shown, None)
        widget.show_signs({identity(shown.entries[2]): RowSign.HERE})
        await pilot.pause()
        assert [line.rstrip() for line in lines(widget)[:4]] == [
            "   What                      Length      Size",
            "   Recording                1:02:03    5.0 MB",
            " ❄ Summary                  1:02:03    5.0 MB   archived",
            " ✓ hologram                 1:02:03    5.0 MB",
        ]
        await pilot.press("space")
        assert lines(widget)[1].startswith(" ● Recording")


async def test_marks_are_kept_when_more_is_found_and_the_cursor_stays_with_its_object() -> None:
    app = ListApp()
    async with app.run_test(size=(80, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(2), None)
        await pilot.press("j", "space")
        assert [entry.id for entry in widget.marked] == ["o1"]
        there = widget.entry
        assert there is not None
        widget.show(tree(6), there)
        assert widget.entry == there
        assert [entry.id for entry in widget.marked] == ["o1"]


async def test_the_line_of_a_leg_marks_that_leg_and_again_unmarks_it() -> None:
    app = ListApp()
    async with app.run_test(size=(80, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(6), None)
        assert [line.strip() for line in (lines(widget)[1], lines(widget)[5])] == [
            "This call · 09:00 · 3 files",
            "Related call · 09:03 · 3 files",
        ]
        await pilot.press("j", "j", "j", "j", "space")
        assert [entry.id for entry in widget.marked] == ["o3", "o4", "o5"]
        await pilot.press("k", "space")
        assert widget.marked == ()


async def test_a_click_goes_to_a_line_and_the_second_one_opens_it() -> None:
    opened: list[Any] = []

    class ClickApp(ListApp):
        def on_call_list_opened(self) -> None:
            opened.append(self.query_one(CallList).entry)

    app = ClickApp()
    async with app.run_test(size=(80, 12)) as pilot:
        widget = app.query_one(CallList)
        widget.show(tree(), None)
        await pilot.click(CallList, offset=(4, 3))
        assert widget.cursor == 2
        await pilot.click(CallList, offset=(4, 2), times=2)
        assert [entry.id for entry in opened] == ["o1"]
        await pilot.click(CallList, offset=(4, 11))
        assert widget.cursor == 1


async def test_an_empty_list_says_so_and_keys_do_no_harm() -> None:
    app = ListApp()
    async with app.run_test(size=(40, 6)) as pilot:
        widget = app.query_one(CallList)
        widget.show(call_tree([]), None)
        await pilot.press("space", "a", "enter", "j", "G")
        assert lines(widget)[1].strip() == "No matches."
        assert (widget.entry, widget.marked) == (None, ())
