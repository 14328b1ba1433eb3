"""All lines of the form for a profile: its name, its service, and what that service needs."""

from collections.abc import Collection, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from cloudstore_tui.config.draft import ProfileDraft
from cloudstore_tui.config.secrets import SecretStore
from cloudstore_tui.core.provider import ProviderSpec
from cloudstore_tui.ui.dialogs.form_row import FormRow
from cloudstore_tui.ui.screens.profile_rows import SERVICE, ProfileRows, name_row, service_row
from cloudstore_tui.ui.widgets.choice_line import ChoiceLine


class ProfileQuestions(VerticalScroll, can_focus=False):
    """Shows the lines that the answers so far ask for."""

    DEFAULT_CSS = "ProfileQuestions { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }"

    def __init__(self, specs: Sequence[ProviderSpec], taken: Collection[str] = ()) -> None:
        """Ask for a profile of one of these services; `taken` are names that are taken."""
        super().__init__()
        self._specs = {spec.name: spec for spec in specs}
        self.naming = name_row(taken)
        self.choosing = service_row(self._specs, "; ".join(f"{spec.name}: {spec.title}" for spec in specs))
        self._services: dict[str, ProfileRows] = {}
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """The lines of all services, of which those of one are shown."""
        # All are there from the beginning: a line that came later could take keys that were typed for another.
        self._services = {name: ProfileRows(spec) for name, spec in self._specs.items()}
        yield self.naming
        yield self.choosing
        for rows in self._services.values():
            with rows:
                yield from rows.lines

    def on_mount(self) -> None:
        """Show those of the first service."""
        self.settle()

    @on(ChoiceLine.Changed)
    def follow(self, event: ChoiceLine.Changed) -> None:
        """Show the lines that a choice asks for."""
        if event.line.id == SERVICE:
            for rows in self._services.values():
                if rows is not self.rows:
                    self.rows.carry_over(rows)
        self.settle()
        # Somebody may be ahead of the screen, already in a line that is not shown any more.
        focused = self.screen.focused
        if focused is not None and any(not parent.display for parent in focused.ancestors_with_self):
            self.rows.lines[0].control.focus()

    @property
    def rows(self) -> ProfileRows:
        """The lines of the service that is chosen."""
        return self._services[self.choosing.value]

    @property
    def lines(self) -> list[FormRow]:
        """All lines of the profile, those that are not shown included."""
        return [self.naming, self.choosing, *self.rows.lines]

    @property
    def has_answers(self) -> bool:
        """Whether anything was filled in."""
        return any(row.is_answered for row in self.lines)

    def settle(self) -> None:
        """Show the lines of the chosen service that the choices ask for."""
        for rows in self._services.values():
            rows.display = rows is self.rows
        self.rows.fit_choices(self.naming.value.strip())

    def offer_keyring(self, trouble: str) -> None:
        """Offer the keyring, unless there is trouble with it."""
        self._trouble = trouble
        words = [store.value for store in SecretStore if store is not SecretStore.KEYRING or not trouble]
        for rows in self._services.values():
            rows.offer(words)
        self.settle()

    def about_focused(self) -> str:
        """What to know about the line that has the focus; nothing if none has."""
        row = next((row for row in self.lines if row.control.has_focus), None)
        if row is None:
            return ""
        return f"{row.about} {self._trouble}".rstrip() if row is self.rows.store else row.about

    def draft(self) -> ProfileDraft | None:
        """What was answered; without a draft, the first line that is wrong has the focus."""
        self.settle()
        wrong = [row for row in self.lines if row.display and not row.is_fine()]
        if wrong:
            wrong[0].control.focus()
            return None
        return self.rows.draft(self.naming.value.strip())
