"""The lines of the form: which are shown, and what is made of them."""

from textual.app import App, ComposeResult

from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.ui.screens.profile_form import ProfileQuestions


class Form(App[None]):
    """The questions alone."""

    def compose(self) -> ComposeResult:
        self.questions = ProfileQuestions(PROVIDERS, ("taken",))
        yield self.questions


def shown(questions: ProfileQuestions) -> list[str]:
    return [row.key for row in questions.lines if row.display]


async def test_a_choice_shows_the_lines_that_it_asks_for() -> None:
    app = Form()
    async with app.run_test() as pilot:
        questions = app.questions
        questions.choosing.value = "8x8"
        await pilot.pause()
        usual = ["name", "provider", "client_id", "regions", "store", "secret", "read_only", "more"]
        assert shown(questions) == usual
        questions.rows.more.value = "yes"
        questions.rows.store.value = "command"
        await pilot.pause()
        changed = [key.replace("secret", "secret_command") for key in usual]
        assert shown(questions) == [*changed, "api_base", "token_url"]


async def test_somebody_who_types_ahead_of_the_screen_is_in_a_line_that_is_shown() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.questions.rows.lines[0].control.focus()
        await pilot.pause()
        app.questions.choosing.value = "8x8"
        await pilot.pause()
        await pilot.pause()
        assert app.focused is app.questions.rows.lines[0].control
        assert app.focused is not None
        assert app.focused.id == "client_id"


async def test_without_a_keyring_it_is_not_offered_and_the_reason_is_told() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.questions.offer_keyring("")
        await pilot.pause()
        assert app.questions.rows.store.value == "keyring"
        app.questions.offer_keyring("keyring: is not installed.")
        app.questions.rows.store.control.focus()
        await pilot.pause()
        assert app.questions.rows.store.value == "file"
        assert app.questions.about_focused().endswith("keyring: is not installed.")


async def test_a_keyring_that_is_found_late_changes_no_choice_that_was_made() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.questions.rows.store.value = "env"
        app.questions.offer_keyring("")
        await pilot.pause()
        assert app.questions.rows.store.value == "env"
        app.questions.rows.store.value = "file"
        app.questions.rows.secrets[0].value = "typed"
        app.questions.offer_keyring("")
        assert app.questions.rows.store.value == "file"


async def test_no_draft_is_made_of_lines_that_are_wrong() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.questions.naming.value = "taken"
        assert app.questions.draft() is None
        await pilot.pause()
        assert app.focused is app.questions.naming.control
