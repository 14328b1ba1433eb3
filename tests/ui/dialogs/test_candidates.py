"""What Tab could complete to."""

from textual.app import App, ComposeResult

from cloudstore_tui.ui.dialogs.paths import MAX_CANDIDATES, Candidates


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield Candidates()


async def test_names_are_shown_literally_and_no_more_than_help() -> None:
    app = Host()
    async with app.run_test():
        candidates = app.query_one(Candidates)
        assert not candidates.display
        candidates.offer(("[/x]\x1b", *(f"name{number}" for number in range(50))))
        text = str(candidates.content)
        assert candidates.display
        assert text.startswith("[/x]␛  name0")
        assert text.endswith(f"and {51 - MAX_CANDIDATES} more")
        candidates.offer(())
        assert not candidates.display
