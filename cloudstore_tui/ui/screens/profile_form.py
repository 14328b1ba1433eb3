"""The form for a new profile, which is tested before it is saved."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from cloudstore_tui.config.draft import NAME, TEST_TIMEOUTS, ProfileDraft, asked, check_name, is_needed, read_answer
from cloudstore_tui.config.secrets import (
    EXPLANATIONS,
    SecretStore,
    clean_secret,
    keyring_problem,
    secret_label,
    variables,
)
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check
from cloudstore_tui.core.spec import Option, ProviderSpec, SecretField
from cloudstore_tui.ui.base_screen import BaseModal
from cloudstore_tui.ui.dialogs.dialog import KeyButton, QuestionDialog
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.fields import ChoiceLine, FormRow

_LONGEST = 600
_WIDTHS = [(0, "-narrow"), (100, "-wide")]
_KEEP, _DONE = "keep", "done"
DISCARD = "Discard what you filled in?"
_SAVING = "saving"

READ_ONLY, MORE, STORE, SERVICE = "read_only", "more", "store", "provider"
_YES, _NO = "yes", "no"
_COMMAND = "_command"


class ProfileRows(Vertical):
    """The rows for one service."""

    DEFAULT_CSS = "ProfileRows { height: auto; }"

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.rare = [_option_row(option) for option in asked(spec, rare=True)]
        self.secrets = [_secret_row(field) for field in spec.secrets]
        self.commands = [_command_row(field) for field in spec.secrets]
        self.usual = [_option_row(option) for option in asked(spec, rare=False)]
        stores = [store.value for store in SecretStore]
        self.store = FormRow(STORE, "Keep secrets in", "", choices=stores, value=SecretStore.FILE)
        about = "yes: the profile can neither upload nor delete. It can be changed in the configuration later."
        self.read_only = FormRow(READ_ONLY, "Read-only", about, choices=(_YES, _NO))
        labels = ", ".join(row.label for row in self.rare)
        self.more = FormRow(MORE, "Advanced options", f"Rarely needed: {labels}.", choices=(_NO, _YES))
        secrets = (self.store, *self.secrets, *self.commands)
        self.lines = (*self.usual, *secrets, self.read_only, self.more, *self.rare)
        """All rows from top to bottom, including hidden ones."""

    def offer(self, stores: Sequence[str]) -> None:
        """Offer stores for secrets; the first is selected unless the user has already chosen or typed a secret."""
        line = self.store.control
        if isinstance(line, ChoiceLine):
            is_past = line.value != SecretStore.FILE or any(row.value for row in self.secrets)
            line.offer(stores, line.value if is_past and line.value in stores else stores[0])

    def fit_choices(self, name: str) -> None:
        """Show the rows that the current choices require."""
        store = SecretStore(self.store.value)
        for row in self.secrets:
            row.display = store in (SecretStore.KEYRING, SecretStore.FILE)
        for row in self.commands:
            row.display = store is SecretStore.COMMAND
        for row in self.rare:
            row.display = self.more.value == _YES
        self.store.about = EXPLANATIONS[store]
        if store is SecretStore.ENVIRONMENT:
            self.store.about += f" Here: {', '.join(variables(name or 'NAME', self.spec.secrets))}."

    def draft(self, name: str) -> ProfileDraft:
        """The draft of the answers, which must be valid."""
        options = [*self.usual, *(self.rare if self.more.value == _YES else ())]
        store = SecretStore(self.store.value)
        draft = ProfileDraft(self.spec, name, store=store, writable=self.read_only.value == _NO)
        draft.texts = {row.key: row.value for row in options}
        if store in (SecretStore.KEYRING, SecretStore.FILE):
            draft.secrets = {row.key: clean_secret(row.value, secret_label(row.key)) for row in self.secrets}
        elif store is SecretStore.COMMAND:
            draft.commands = {row.key.removesuffix(_COMMAND): row.value.strip() for row in self.commands}
        return draft

    def carry_over(self, other: "ProfileRows") -> None:
        """Copy answers that were given for another service and are missing here."""
        known = {row.key: row.value for row in (*other.usual, other.read_only, other.store)}
        for row in (*self.usual, self.read_only, self.store):
            if isinstance(row.control, ChoiceLine) or not row.value:
                row.value = known.get(row.key, row.value)


def _option_row(option: Option) -> FormRow:
    about, value = f"{option.help} {option.where}".strip(), str(option.default or "")
    if option.choices:
        return FormRow(option.name, option.label, about, choices=option.choices, value=value)
    if not is_needed(option) and not option.default:
        about = f"May stay empty. {about}"
    suggestions = () if option.type is tuple else option.suggestions
    check = partial(read_answer, option)
    return FormRow(option.name, option.label, about, check, value=value, suggestions=suggestions)


def _secret_row(field: SecretField) -> FormRow:
    about = f"{field.help} {field.where} It does not show while you type or paste it."
    return FormRow(
        field.name, field.label, about, lambda text: clean_secret(text, secret_label(field.name)), is_secret=True
    )


def _command_row(field: SecretField) -> FormRow:
    about = f"A command that prints it, such as `pass show cloudstore/{field.name}`. {field.help}"

    def check(text: str) -> None:
        if not text.strip():
            raise UsageError("it is missing", hint="Type the command that prints the secret.")

    return FormRow(f"{field.name}{_COMMAND}", f"{field.label} by", about, check)


class ProfileQuestions(VerticalScroll, can_focus=False):
    """All rows of the form, of which those for the current answers are shown."""

    DEFAULT_CSS = "ProfileQuestions { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }"

    def __init__(self, specs: Sequence[ProviderSpec], taken: Collection[str] = ()) -> None:
        """Ask for a profile of one of these services; `taken` are existing names."""
        super().__init__()
        self._specs = {spec.name: spec for spec in specs}
        about = f"{NAME.help} {NAME.where}"
        self.naming = FormRow("name", NAME.label, about, lambda text: check_name(text.strip(), taken))
        about = "; ".join(f"{spec.name}: {spec.title}" for spec in specs)
        self.choosing = FormRow(SERVICE, "Service", about, choices=tuple(self._specs))
        self._services: dict[str, ProfileRows] = {}
        self._keyring_problem = ""

    def compose(self) -> ComposeResult:
        """The rows of all services; those of one are shown."""
        # All are mounted at once: a row mounted later could receive keys typed for another.
        self._services = {name: ProfileRows(spec) for name, spec in self._specs.items()}
        yield self.naming
        yield self.choosing
        for rows in self._services.values():
            with rows:
                yield from rows.lines

    def on_mount(self) -> None:
        self.update_rows()

    @on(ChoiceLine.Changed)
    def follow(self, event: ChoiceLine.Changed) -> None:
        if event.line.id == SERVICE:
            for rows in self._services.values():
                if rows is not self.rows:
                    self.rows.carry_over(rows)
        self.update_rows()
        # A fast typist may already be in a row that has just been hidden.
        focused = self.screen.focused
        if focused is not None and any(not parent.display for parent in focused.ancestors_with_self):
            self.rows.lines[0].control.focus()

    @property
    def rows(self) -> ProfileRows:
        return self._services[self.choosing.value]

    @property
    def lines(self) -> list[FormRow]:
        """All rows of the profile, including hidden ones."""
        return [self.naming, self.choosing, *self.rows.lines]

    @property
    def has_answers(self) -> bool:
        return any(row.is_answered for row in self.lines)

    def update_rows(self) -> None:
        """Show the rows of the chosen service that the choices require."""
        for rows in self._services.values():
            rows.display = rows is self.rows
        self.rows.fit_choices(self.naming.value.strip())

    def offer_keyring(self, trouble: str) -> None:
        """Offer the keyring unless it has a problem."""
        self._keyring_problem = trouble
        words = [store.value for store in SecretStore if store is not SecretStore.KEYRING or not trouble]
        for rows in self._services.values():
            rows.offer(words)
        self.update_rows()

    def about_focused(self) -> str:
        """The explanation of the focused row; empty if none has the focus."""
        row = next((row for row in self.lines if row.control.has_focus), None)
        if row is None:
            return ""
        return f"{row.about} {self._keyring_problem}".rstrip() if row is self.rows.store else row.about

    def draft(self) -> ProfileDraft | None:
        """The draft of the answers; `None` if one is invalid, which then has the focus."""
        self.update_rows()
        wrong = [row for row in self.lines if row.display and not row.check()]
        if wrong:
            wrong[0].control.focus()
            return None
        return self.rows.draft(self.naming.value.strip())


class ProfileFormScreen(BaseModal[Profile | None]):
    """Asks for what a service needs. A profile is tested before it is saved, unless the user insists."""

    HAS_HEADER = True
    CSS_PATH = "profile_form.tcss"
    AUTO_FOCUS = "#name"
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", tooltip="Close without saving", id="profile.cancel"),
        Binding("tab,down", "app.focus_next", "Next", tooltip="Go to the next line", id="profile.next"),
        Binding(
            "shift+tab,up", "app.focus_previous", "Previous", tooltip="Go to the previous line", id="profile.previous"
        ),
    ]

    def __init__(self, specs: Sequence[ProviderSpec], path: Path, taken: Collection[str] = ()) -> None:
        """Set up the form.

        Args:
            specs: the supported services.
            path: the configuration file.
            taken: existing profile names.
        """
        super().__init__()
        self._specs = tuple(specs)
        self._path = path
        self.questions = ProfileQuestions(specs, taken)
        self._saved: Profile | None = None

    def compose(self) -> ComposeResult:
        with Container(id="form"):
            yield self.questions
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", id="text", markup=False)
        with Horizontal(id="buttons"):
            yield KeyButton("Test and save", "save")
            yield KeyButton("Keep anyway", _KEEP)
            yield KeyButton("Done", _DONE)
            yield KeyButton("Cancel", "cancel")

    def on_mount(self) -> None:
        self.header.show(["Add a profile"])
        self._show_buttons()
        self.run_worker(self._offer_keyring())

    # Actions

    def action_cancel(self) -> None:
        """Close; ask first if answers would be lost."""
        if self._saved is None and self.questions.has_answers:
            self.app.push_screen(QuestionDialog(DISCARD, "Discard", "Keep editing"), self._discard)
        else:
            self.dismiss(self._saved)

    def _discard(self, is_wanted: bool | None) -> None:
        if is_wanted:
            self.dismiss(None)

    def action_done(self) -> None:
        self.dismiss(self._saved)

    def action_save(self) -> None:
        if not self._is_busy and (draft := self.questions.draft()) is not None:
            self.run_worker(self._test_and_save(draft), group=_SAVING)

    def action_keep(self) -> None:
        if not self._is_busy and (draft := self.questions.draft()) is not None:
            self.run_worker(self._save(draft, ()), group=_SAVING)

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    @on(Input.Changed)
    @on(ChoiceLine.Changed)
    def forget_test(self, event: Input.Changed | ChoiceLine.Changed) -> None:
        """Hide the result of the test, as an answer changed."""
        event.stop()
        self._show_buttons()
        self._explain()

    def on_descendant_focus(self) -> None:
        self._explain()
        if self.focused is not None:
            # An error message below the previous row may push this one down.
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    # Display

    def _explain(self) -> None:
        if about := self.questions.about_focused():
            self._set_status(show(about, _LONGEST))

    def _set_status(self, text: Content) -> None:
        self.query_one("#text", Static).update(text)

    def _show_buttons(self, *, failed: bool = False) -> None:
        done = self._saved is not None
        for name, shown in {"cancel": not done, _KEEP: failed, "save": not done, _DONE: done}.items():
            self.query_one(f"#{name}", Button).display = shown

    async def _offer_keyring(self) -> None:
        """Offer the keyring if there is one; checking may take seconds."""
        self.questions.offer_keyring(await asyncio.to_thread(keyring_problem))

    # Testing and saving

    @property
    def _is_busy(self) -> bool:
        return any(worker.group == _SAVING and not worker.is_finished for worker in self.workers)

    async def _test_and_save(self, draft: ProfileDraft) -> None:
        self._show_buttons()
        self._set_status(Content(f"Testing … up to {TEST_TIMEOUTS.give_up:.0f} seconds."))
        try:
            checks = await draft.check(self._path.parent)
        except StorageError as error:
            checks = (Check("profile", False, str(error), error),)
        if any(check.error for check in checks):
            self._set_status(_results(checks, "Not saved. Change an answer, or keep it as it is."))
            self._show_buttons(failed=True)
            return
        await self._save(draft, checks)

    async def _save(self, draft: ProfileDraft, checks: Sequence[Check]) -> None:
        try:
            # A keyring may take seconds to answer.
            self._saved = await asyncio.to_thread(draft.save, self._path, self._specs)
        except StorageError as error:
            self._set_status(show(str(error), _LONGEST))
            self._show_buttons(failed=True)
            return
        self._set_status(_results(checks, f"Saved as {self._saved.name} in {self._path}"))
        self._show_buttons()
        for row in self.questions.lines:
            row.disabled = True
        self.query_one(f"#{_DONE}", Button).focus()


def _results(checks: Sequence[Check], last: str) -> Content:
    """The results of a test, one a line, and a last line."""
    lines = []
    for check in checks:
        mark = "FAIL" if check.error is not None else "ok  " if check.ok else "?   "
        lines.append(Content(f"{mark}  {check.title:9}  ") + show(check.text, _LONGEST))
    return Content("\n").join([*lines, show(last, _LONGEST)])
