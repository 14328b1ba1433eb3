"""A form for a new profile: explained line by line, tested, then saved."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from cloudstore_tui.config.draft import ProfileDraft
from cloudstore_tui.config.secrets import keyring_trouble
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check, ProviderSpec
from cloudstore_tui.ui.base_screen import BaseModal
from cloudstore_tui.ui.dialogs.dialog import QuestionDialog, button
from cloudstore_tui.ui.screens.profile_questions import ProfileQuestions
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.choice_line import ChoiceLine

_LONGEST = 600
_WIDTHS = [(0, "-narrow"), (100, "-wide")]
_KEEP, _DONE = "keep", "done"
DISCARD = "Discard what you filled in?"
_SAVING = "saving"


class ProfileFormScreen(BaseModal[Profile | None]):
    """Asks for what the chosen service needs. Nothing is saved before it was tested, unless the user wants it."""

    CSS_PATH = "profile_form.tcss"
    AUTO_FOCUS = "#name"
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", tooltip="Close without saving", id="profile.cancel"),
        Binding("tab,down", "next", "Next", tooltip="Go to the next line", id="profile.next"),
        Binding("shift+tab,up", "previous", "Previous", tooltip="Go to the line before", id="profile.previous"),
    ]

    def __init__(self, specs: Sequence[ProviderSpec], path: Path, taken: Collection[str] = ()) -> None:
        """Make the form.

        Args:
            specs: the services there are.
            path: the configuration that the profile is written to.
            taken: names that are taken.
        """
        super().__init__()
        self._specs = tuple(specs)
        self._path = path
        self.questions = ProfileQuestions(specs, taken)
        self._saved: Profile | None = None

    def compose(self) -> ComposeResult:
        """The lines, what to know about the one in focus, the buttons."""
        with Container(id="form"):
            yield self.questions
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", id="text", markup=False)
        with Horizontal(id="buttons"):
            yield button("Test and save", "save")
            yield button("Keep anyway", _KEEP)
            yield button("Done", _DONE)
            yield button("Cancel", "cancel")

    def on_mount(self) -> None:
        """Show what there is to answer, and find out whether there is a keyring."""
        self.header.show(["Add a profile"])
        self._show_buttons()
        self.run_worker(self._look_for_keyring())

    # What the user does

    def action_cancel(self) -> None:
        """Close; what was saved stays saved, and what was filled in is not lost by one key."""
        if self._saved is None and self.questions.has_answers:
            self.app.push_screen(QuestionDialog(DISCARD, "Discard", "Go on"), self._discard)
        else:
            self.dismiss(self._saved)

    def _discard(self, is_wanted: bool | None) -> None:
        if is_wanted:
            self.dismiss(None)

    def action_done(self) -> None:
        """Close, and use the profile."""
        self.dismiss(self._saved)

    def action_next(self) -> None:
        """Go to the next line."""
        self.focus_next()

    def action_previous(self) -> None:
        """Go to the line before."""
        self.focus_previous()

    def action_save(self) -> None:
        """Test the profile, and save it if all is well."""
        if not self._is_busy and (draft := self.questions.draft()) is not None:
            self.run_worker(self._test_and_save(draft), group=_SAVING)

    def action_keep(self) -> None:
        """Save the profile although its test failed."""
        if not self._is_busy and (draft := self.questions.draft()) is not None:
            self.run_worker(self._save(draft, ()), group=_SAVING)

    @on(Button.Pressed)
    async def press(self, event: Button.Pressed) -> None:
        """Run the action that a button is named after."""
        event.stop()
        await self.run_action(event.button.id or "cancel")

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Enter in a line goes on to the next."""
        event.stop()
        self.focus_next()

    @on(Input.Changed)
    @on(ChoiceLine.Changed)
    def forget_test(self, event: Input.Changed | ChoiceLine.Changed) -> None:
        """What was tested is not what stands there any more."""
        event.stop()
        self._show_buttons()
        self._explain()

    def on_descendant_focus(self) -> None:
        """Explain the line that has the focus."""
        self._explain()
        if self.focused is not None:
            # What is said of the line that was left pushes this one down.
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    # What is shown

    def _explain(self) -> None:
        if about := self.questions.about_focused():
            self._say(show(about, _LONGEST))

    def _say(self, text: Content) -> None:
        self.query_one("#text", Static).update(text)

    def _show_buttons(self, *, failed: bool = False) -> None:
        done = self._saved is not None
        for name, shown in {"cancel": not done, _KEEP: failed, "save": not done, _DONE: done}.items():
            self.query_one(f"#{name}", Button).display = shown

    async def _look_for_keyring(self) -> None:
        """Offer the keyring only where there is one; asking may take seconds."""
        self.questions.offer_keyring(await asyncio.to_thread(keyring_trouble))

    # Testing and saving

    @property
    def _is_busy(self) -> bool:
        return any(worker.group == _SAVING and not worker.is_finished for worker in self.workers)

    async def _test_and_save(self, draft: ProfileDraft) -> None:
        self._show_buttons()
        self._say(Content("Testing …"))
        try:
            checks = await draft.check(self._path.parent)
        except StorageError as error:
            checks = (Check("profile", False, str(error), error),)
        if any(check.error for check in checks):
            self._say(_told(checks, "Not saved. Change an answer, or keep it as it is."))
            self._show_buttons(failed=True)
            return
        await self._save(draft, checks)

    async def _save(self, draft: ProfileDraft, checks: Sequence[Check]) -> None:
        try:
            # A keyring may take seconds to answer.
            self._saved = await asyncio.to_thread(draft.save, self._path, self._specs)
        except StorageError as error:
            self._say(show(str(error), _LONGEST))
            self._show_buttons(failed=True)
            return
        self._say(_told(checks, f"Saved as {self._saved.name} in {self._path}"))
        self._show_buttons()
        for row in self.questions.lines:
            row.disabled = True
        self.query_one(f"#{_DONE}", Button).focus()


def _told(checks: Sequence[Check], last: str) -> Content:
    """What a test found, a line each; a doubt is neither well nor wrong."""
    lines = []
    for check in checks:
        mark = "FAIL" if check.error is not None else "ok  " if check.ok else "?   "
        lines.append(Content(f"{mark}  {check.title:9}  ") + show(check.text, _LONGEST))
    return Content("\n").join([*lines, show(last, _LONGEST)])
