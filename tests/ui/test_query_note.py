"""What is said below the bar."""

from datetime import UTC, datetime

from textual.app import App, ComposeResult

from cloudstore_tui.ui.browser.query_note import QueryNote
from cloudstore_tui.ui.browser.query_verdict import Verdict, judge


class NoteApp(App[None]):
    def compose(self) -> ComposeResult:
        yield QueryNote()


def verdict(text: str) -> Verdict:
    return judge(text, UTC, datetime(2024, 9, 2, tzinfo=UTC))


def said(app: NoteApp) -> list[str]:
    note = app.query_one(QueryNote)
    return str(note.content).splitlines() if note.display else []


async def test_the_caret_stands_below_its_column_with_the_sentence_beside_it_if_there_is_room() -> None:
    app = NoteApp()
    async with app.run_test(size=(200, 10)):
        app.query_one(QueryNote).judge(verdict("a=b"), "a=b", 7)
        # One cell of padding is before it.
        assert said(app)[0].startswith(" " * 6 + "^ ")
        app.query_one(QueryNote).judge(verdict("a=b"), "a=b", 150)
        assert said(app)[0] == " " * 149 + "^"
        assert said(app)[1].strip()


async def test_a_correction_a_reading_and_a_filter_have_their_lines() -> None:
    app = NoteApp()
    async with app.run_test(size=(100, 10)):
        note = app.query_one(QueryNote)
        note.judge(verdict("createdTime=ge=2024-09-01"), "createdTime=ge=2024-09-01", 1)
        assert "Tab takes: createdTime=ge=1725148800000" in said(app)
        note.judge(verdict("type:cc invoice"), "type:cc invoice", 0)
        assert [line.split(":")[0] for line in said(app)] == ["Finds", "Sends", "Note"]
        note.judge(verdict("type==summary"), "type==summary", 0)
        assert [line.split(":")[0] for line in said(app)] == ["Finds"]
        note.judge(verdict(""), "", 0)
        assert said(app) == []


async def test_markup_in_what_was_typed_is_only_text() -> None:
    app = NoteApp()
    async with app.run_test(size=(100, 10)):
        app.query_one(QueryNote).judge(verdict("a==[red]"), "a==[red]", 0)
        assert "[red]" in said(app)[0]
