"""Rows of a preview: wrapping, folding, and what they cost."""

import time

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.strip import Strip

from cloudstore_tui.preview.render import RenderedDocument, RenderedLine
from cloudstore_tui.ui.widgets.preview_view import PreviewRows, PreviewView

TREE = (
    RenderedLine("{", last=5, folded="{ … }"),
    RenderedLine("  a: [", last=3, folded="  a: [ … ]"),
    RenderedLine("    1"),
    RenderedLine("  ]"),
    RenderedLine("  b"),
    RenderedLine("}"),
)


def rows_of(*lines: RenderedLine, width: int = 20, wrap: bool = True) -> PreviewRows:
    rows = PreviewRows()
    rows.show(RenderedDocument(lines))
    rows.arrange(width, wrap=wrap)
    return rows


def texts(rows: PreviewRows) -> list[str]:
    return [" " * row.indent + rows.text(row.line)[row.start : row.end] for row in rows.rows]


def test_words_are_wrapped_between_them_and_moved_in() -> None:
    rows = rows_of(RenderedLine("0:00  Ann  Hello there, how can I help you today?", hang=11), width=32)
    assert texts(rows) == ["0:00  Ann  Hello there, how can", "           I help you today?"]


@pytest.mark.parametrize("text", ["x" * 100, "漢字" * 40, "e\u0301" * 90, "a 漢 " * 30, " " * 50, ""])
@pytest.mark.parametrize("width", [20, 33, 79])
def test_every_row_fits_and_no_letter_is_lost(text: str, width: int) -> None:
    rows = rows_of(RenderedLine(text, hang=4), width=width)
    assert all(cell_len(shown) <= width for shown in texts(rows))
    assert "".join(shown.strip() for shown in texts(rows)).replace(" ", "") == text.replace(" ", "")


def test_what_is_folded_is_hidden_with_what_is_inside() -> None:
    rows = rows_of(*TREE)
    assert rows.toggle(2) is not None
    rows.arrange(40, wrap=False)
    assert texts(rows) == ["{", "  a: [ … ]", "  b", "}"]
    assert rows.row_of(3) == 1
    assert rows.toggle(4) is not None
    rows.arrange(40, wrap=False)
    assert texts(rows) == ["{ … }"]
    assert rows.reveal(2)
    rows.arrange(40, wrap=False)
    assert len(rows.rows) == 6


def test_where_nothing_can_be_folded_nothing_is() -> None:
    assert rows_of(RenderedLine("a"), RenderedLine("b")).toggle(1) is None


def test_many_lines_are_arranged_in_a_moment() -> None:
    lines = tuple(RenderedLine(f"{number} " + "word " * 30) for number in range(20_000))
    begun = time.monotonic()
    rows = rows_of(*lines, width=40)
    assert len(rows.rows) > 60_000
    assert time.monotonic() - begun < 5


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield PreviewView()


async def test_only_the_rows_in_view_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    usual = PreviewView.render_line

    def counted(view: PreviewView, y: int) -> Strip:
        drawn.append(y)
        return usual(view, y)

    monkeypatch.setattr(PreviewView, "render_line", counted)
    app = Shown()
    async with app.run_test(size=(60, 10)) as pilot:
        view = app.query_one(PreviewView)
        view.show(RenderedDocument(tuple(RenderedLine(f"line {number}") for number in range(100_000)), "titles"))
        await pilot.pause()
        assert view.row_count == 100_000
        drawn.clear()
        await pilot.press("j")
        assert len(drawn) <= 4
        await pilot.press("G")
        await pilot.pause()
        assert view.line == 99_999
        assert len(drawn) < 60
        assert view.render_line(0).text.strip() == "titles"
        assert view.render_line(9).text.startswith("›")
