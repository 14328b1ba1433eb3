"""The lines that a service asks for, and the draft made of them."""

from pathlib import Path

from textual.app import App, ComposeResult

from cloudstore_tui.config.secrets import SecretStore
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.ui.screens.profile_form import ProfileRows

SPECS = {spec.name: spec for spec in PROVIDERS}


class Form(App[None]):
    """The lines of both services."""

    def compose(self) -> ComposeResult:
        self.first, self.second = ProfileRows(SPECS["alvaria"]), ProfileRows(SPECS["8x8"])
        for rows in (self.first, self.second):
            with rows:
                yield from rows.lines


def answer(rows: ProfileRows, **answers: str) -> None:
    for row in rows.lines:
        if row.key in answers:
            row.value = answers[row.key]


async def test_a_draft_holds_what_is_shown_and_nothing_else(tmp_path: Path) -> None:
    app = Form()
    async with app.run_test() as pilot:
        rows = app.second
        answer(
            rows, client_id="k", regions="uk", secret="s3cret", secret_command="echo x", api_base="https://x.example"
        )
        await pilot.pause()
        draft = rows.draft("mine")
        assert draft.values() == {"provider": "8x8", "client_id": "k", "regions": ("uk",)}
        assert draft.profile(tmp_path).secrets("secret").reveal() == "s3cret"
        answer(rows, more="yes", store="command", read_only="no")
        await pilot.pause()
        assert rows.draft("mine").values() == {
            "provider": "8x8",
            "client_id": "k",
            "regions": ("uk",),
            "api_base": "https://x.example",
            "read_only": False,
            "secret_command": "echo x",
        }


async def test_another_service_takes_over_what_it_asks_for_too() -> None:
    app = Form()
    async with app.run_test() as pilot:
        answer(app.first, client_id="k", org="acme", secret="s3cret", store="env", read_only="no")
        await pilot.pause()
        app.second.carry_over(app.first)
        draft = app.second.draft("mine")
        assert (draft.texts["client_id"], draft.store, draft.writable) == ("k", SecretStore.ENVIRONMENT, True)
        answer(app.second, store="file")
        await pilot.pause()
        assert [row.value for row in app.second.secrets] == [""]
