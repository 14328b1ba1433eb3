"""The form for a new profile: what it asks, tests and saves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Button

from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.config.secrets import SecretStore
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Ready
from cloudstore_tui.ui.screens.profile_form import ProfileFormScreen, ProfileQuestions, ProfileRows
from cloudstore_tui.ui.widgets.fields import Field
from tests.support.waiting import PATIENCE

Open = Callable[..., AbstractAsyncContextManager[Any]]


class Form:
    """The form, filled in by keys."""

    def __init__(self, it: Any, path: Path) -> None:
        self.it = it
        self.path = path

    @property
    def screen(self) -> ProfileFormScreen:
        screen = self.it.dialog
        assert isinstance(screen, ProfileFormScreen)
        return screen

    @property
    def text(self) -> str:
        return str(self.it.text)

    @property
    def answer(self) -> Profile | None:
        (answer,) = self.it.answers
        assert answer is None or isinstance(answer, Profile)
        return answer

    @property
    def buttons(self) -> list[str]:
        return [str(button.label) for button in self.screen.query(Button) if button.display]

    async def press(self, *keys: str) -> None:
        await self.it.press(*keys)

    async def go(self, key: str) -> None:
        """Go to a line or a button that is shown."""
        (widget,) = [widget for widget in self.screen.query(f"#{key}") if is_shown(widget)]
        widget.focus()
        await self.it.pilot.pause()

    async def fill(self, **answers: str) -> None:
        for key, text in answers.items():
            await self.go(key)
            focused = self.screen.focused
            assert isinstance(focused, Field)
            focused.value = text
            await self.it.pilot.pause()

    async def end(self, words: str) -> None:
        """Wait until something is on the screen."""
        end = monotonic() + PATIENCE
        while words not in self.text:
            assert monotonic() < end, f"{words} does not come:\n{self.text}"
            await self.it.pilot.pause(0.05)


def is_shown(widget: Widget) -> bool:
    return all(parent.display for parent in widget.ancestors_with_self)


@pytest.fixture
def form(opened: Open, tmp_path: Path) -> Open:
    @asynccontextmanager
    async def run(size: tuple[int, int] = (80, 24), taken: tuple[str, ...] = ()) -> AsyncIterator[Form]:
        path = tmp_path / "home" / "config.toml"
        async with opened(ProfileFormScreen(PROVIDERS, path, taken), size) as it:
            yield Form(it, path)

    return run


def written(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def secret_of(ready: Ready) -> str:
    return (ready.config.parent / "acme8.secret").read_text().strip()


async def test_a_profile_is_tested_saved_and_given_back(form: Open, ready: Ready) -> None:
    async with form() as it:
        await it.fill(name="acme8")
        await it.go("provider")
        await it.press("right")
        await it.fill(client_id="acme8-edit", secret=secret_of(ready))
        await it.go("more")
        await it.press("right")
        await it.fill(api_base=ready.base_url)
        await it.go("save")
        await it.press("enter")
        await it.end("Saved as acme8")
        assert "ok    token" in it.text
        assert it.buttons == ["Done"]
        assert secret_of(ready) not in it.text + written(it.path)
        await it.press("enter")
        saved = load_config(it.path, PROVIDERS).profile("acme8")
        assert (it.answer.name, it.answer.options) == (saved.name, saved.options)


async def test_what_is_wrong_is_shown_with_the_cure_and_can_be_changed(form: Open, ready: Ready) -> None:
    async with form() as it:
        await it.fill(name="acme8")
        await it.go("provider")
        await it.press("right")
        await it.fill(client_id="acme8-edit", secret="wrong")
        await it.go("more")
        await it.press("right")
        await it.fill(api_base=ready.base_url)
        await it.go("save")
        await it.press("enter")
        await it.end("Not saved")
        assert "FAIL  token" in it.text
        assert it.it.focus == "save"
        assert it.buttons == ["Test and save", "Keep anyway", "Esc Cancel"]
        assert not written(it.path)
        await it.fill(secret=secret_of(ready))
        assert "Keep anyway" not in it.buttons
        await it.go("save")
        await it.press("enter")
        await it.end("Saved as acme8")


async def test_a_profile_that_fails_can_be_kept_all_the_same(form: Open, ready: Ready) -> None:
    async with form() as it:
        await it.fill(name="acme8")
        await it.go("provider")
        await it.press("right")
        await it.fill(client_id="acme8-edit", secret="wrong")
        await it.go("more")
        await it.press("right")
        await it.fill(api_base=ready.base_url)
        await it.go("save")
        await it.press("enter")
        await it.end("Not saved")
        await it.go("keep")
        await it.press("enter")
        await it.end("Saved as acme8")
        await it.press("escape")
        assert it.answer is not None


async def test_escape_saves_nothing(form: Open) -> None:
    async with form() as it:
        await it.press("escape")
        assert it.answer is None, "nothing was filled in, and so there is nothing to ask"
    async with form() as it:
        await it.fill(name="acme8")
        await it.press("escape")
        assert "Discard what you filled in?" in it.text
        await it.press("escape")
        assert it.screen.questions.naming.value == "acme8"
        await it.press("escape", "y")
        assert it.answer is None
        assert not written(it.path)


async def test_what_is_missing_is_said_and_gets_the_focus(form: Open) -> None:
    async with form(taken=("acme",)) as it:
        await it.fill(name="acme")
        await it.go("save")
        await it.press("enter")
        assert it.it.focus == "name"
        assert "There is a profile acme already" in it.text


async def test_each_line_is_explained(form: Open) -> None:
    async with form() as it:
        for row in it.screen.questions.rows.lines:
            if row.display:
                await it.go(row.key)
                assert " ".join(row.about.split()[:4]) in it.text
                await it.end(f"> {row.label}")


async def test_only_what_the_service_needs_is_asked(form: Open) -> None:
    async with form() as it:
        assert "Organisation" in it.text
        await it.go("provider")
        await it.press("right")
        assert "Organisation" not in it.text
        assert "Regions" in it.text
        assert "API key" not in it.text


async def test_the_store_decides_what_is_asked_of_secrets(form: Open) -> None:
    async with form() as it:
        await it.fill(name="acme-8")
        await it.go("store")
        await it.press("right")
        await it.end("Client secret by")
        assert "API key by" in it.text
        await it.press("right")
        await it.end("CLOUDSTORE_ACME_8_SECRET")
        assert "Client secret" not in it.text
        assert "CLOUDSTORE_ACME_8_API_KEY" in it.text


async def test_letters_are_typed_and_never_commands(form: Open) -> None:
    async with form() as it:
        await it.press(*"quit?")
        assert it.screen.questions.naming.value == "quit?"


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_tab_leads_through_all_lines_and_what_has_the_focus_is_on_the_screen(
    form: Open, size: tuple[int, int]
) -> None:
    async with form(size=size) as it:
        screen = it.it.app.size.region
        wanted = [
            "name",
            "provider",
            *(row.key for row in it.screen.questions.rows.lines if row.display),
            "save",
            "cancel",
        ]
        met = []
        for _ in wanted:
            met.append(it.it.focus)
            await it.it.pilot.pause()
            widgets = [it.screen.focused, *(button for button in it.screen.query(Button) if button.display)]
            assert all(screen.contains_region(widget.region) and widget.region.area for widget in widgets), it.text
            await it.press("tab")
        assert met == wanted


async def test_a_test_that_runs_is_not_begun_twice(form: Open, monkeypatch: pytest.MonkeyPatch, ready: Ready) -> None:
    begun = []

    async def hang(_draft: object, _folder: Path) -> tuple[()]:
        begun.append(1)
        await asyncio.sleep(60)
        return ()

    monkeypatch.setattr("cloudstore_tui.config.draft.ProfileDraft.check", hang)
    async with form() as it:
        await it.fill(name="acme8")
        await it.go("provider")
        await it.press("right")
        await it.fill(client_id="k", secret="s")
        await it.go("save")
        await it.press("enter", "enter")
        assert begun == [1]
        assert "Testing" in it.text
        await it.press("escape", "y")
        assert it.answer is None


SPECS = {spec.name: spec for spec in PROVIDERS}


class RowsApp(App[None]):
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
    app = RowsApp()
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
    app = RowsApp()
    async with app.run_test() as pilot:
        answer(app.first, client_id="k", org="acme", secret="s3cret", store="env", read_only="no")
        await pilot.pause()
        app.second.carry_over(app.first)
        draft = app.second.draft("mine")
        assert (draft.texts["client_id"], draft.store, draft.writable) == ("k", SecretStore.ENVIRONMENT, True)
        answer(app.second, store="file")
        await pilot.pause()
        assert [row.value for row in app.second.secrets] == [""]


class QuestionsApp(App[None]):
    """The questions alone."""

    def compose(self) -> ComposeResult:
        self.questions = ProfileQuestions(PROVIDERS, ("taken",))
        yield self.questions


def shown(questions: ProfileQuestions) -> list[str]:
    return [row.key for row in questions.lines if row.display]


async def test_a_choice_shows_the_lines_that_it_asks_for() -> None:
    app = QuestionsApp()
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
    app = QuestionsApp()
    async with app.run_test() as pilot:
        app.questions.rows.lines[0].control.focus()
        await pilot.pause()
        app.questions.choosing.value = "8x8"
        await pilot.pause()
        await pilot.pause()
        assert app.focused is app.questions.rows.lines[0].control
        assert app.focused is not None
        assert app.focused.id == "client_id"


async def test_without_a_keyring_it_is_not_offered_and_the_reason_is_shown() -> None:
    app = QuestionsApp()
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
    app = QuestionsApp()
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
    app = QuestionsApp()
    async with app.run_test() as pilot:
        app.questions.naming.value = "taken"
        assert app.questions.draft() is None
        await pilot.pause()
        assert app.focused is app.questions.naming.control
