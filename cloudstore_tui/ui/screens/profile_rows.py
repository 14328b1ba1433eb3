"""The lines of the form for a profile, made of what a service says it needs, and the draft made of the answers."""

from collections.abc import Collection, Sequence
from functools import partial

from textual.containers import Vertical

from cloudstore_tui.config.draft import NAME, ProfileDraft, asked, check_name, is_needed, read_answer
from cloudstore_tui.config.secrets import EXPLANATIONS, SecretStore, clean_secret, spoken, variables
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.profile import Option, SecretField
from cloudstore_tui.core.provider import ProviderSpec
from cloudstore_tui.ui.dialogs.form_row import FormRow
from cloudstore_tui.ui.widgets.choice_line import ChoiceLine

READ_ONLY, MORE, STORE, SERVICE = "read_only", "more", "store", "provider"
_YES, _NO = "yes", "no"
_COMMAND = "_command"


class ProfileRows(Vertical):
    """The lines for one service."""

    DEFAULT_CSS = "ProfileRows { height: auto; }"

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__()
        self.spec = spec
        self.rare = [_option_row(option) for option in asked(spec, rare=True)]
        self.secrets = [_secret_row(field) for field in spec.secrets]
        self.commands = [_command_row(field) for field in spec.secrets]
        self.usual = [_option_row(option) for option in asked(spec, rare=False)]
        self.store = FormRow.choosing(
            STORE, "Keep secrets in", "", [store.value for store in SecretStore], SecretStore.FILE
        )
        about = "yes: the profile can neither upload nor delete. It can be changed in the configuration later."
        self.read_only = FormRow.choosing(READ_ONLY, "Read-only", about, (_YES, _NO))
        labels = ", ".join(row.label for row in self.rare)
        self.more = FormRow.choosing(MORE, "Advanced options", f"Rarely needed: {labels}.", (_NO, _YES))
        self.lines = (
            *self.usual,
            self.store,
            *self.secrets,
            *self.commands,
            self.read_only,
            self.more,
            *self.rare,
        )
        """All of them from the top, those that are not shown included."""

    def offer(self, stores: Sequence[str]) -> None:
        """Keep secrets in one of these; the first is the best, unless somebody is past that question."""
        line = self.store.control
        if isinstance(line, ChoiceLine):
            is_past = line.value != SecretStore.FILE or any(row.value for row in self.secrets)
            line.offer(stores, line.value if is_past and line.value in stores else stores[0])

    def fit_choices(self, name: str) -> None:
        """Show the lines that the choices ask for."""
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
        """What was answered; every line is fine."""
        options = [*self.usual, *(self.rare if self.more.value == _YES else ())]
        store = SecretStore(self.store.value)
        draft = ProfileDraft(self.spec, name, store=store, writable=self.read_only.value == _NO)
        draft.texts = {row.key: row.value for row in options}
        if store in (SecretStore.KEYRING, SecretStore.FILE):
            draft.secrets = {row.key: clean_secret(row.value, spoken(row.key)) for row in self.secrets}
        elif store is SecretStore.COMMAND:
            draft.commands = {row.key.removesuffix(_COMMAND): row.value.strip() for row in self.commands}
        return draft

    def carry_over(self, other: "ProfileRows") -> None:
        """Take what was answered for another service and is not answered here."""
        known = {row.key: row.value for row in (*other.usual, other.read_only, other.store)}
        for row in (*self.usual, self.read_only, self.store):
            if isinstance(row.control, ChoiceLine) or not row.value:
                row.value = known.get(row.key, row.value)


def name_row(taken: Collection[str]) -> FormRow:
    """The line for the name."""
    return FormRow("name", NAME.label, f"{NAME.help} {NAME.where}", partial(_checked_name, taken))


def service_row(names: Collection[str], about: str) -> FormRow:
    """The line for the service."""
    return FormRow.choosing(SERVICE, "Service", about, tuple(names))


def _checked_name(taken: Collection[str], text: str) -> None:
    check_name(text.strip(), taken)


def _option_row(option: Option) -> FormRow:
    about = f"{option.help} {option.where}".strip()
    if option.choices:
        return FormRow.choosing(option.name, option.label, about, option.choices, str(option.default or ""))
    if not is_needed(option) and not option.default:
        about = f"May stay empty. {about}"
    row = FormRow(option.name, option.label, about, partial(read_answer, option), value=str(option.default or ""))
    return row if option.type is tuple else row.suggest(option.suggestions)


def _secret_row(field: SecretField) -> FormRow:
    about = f"{field.help} {field.where} It does not show while you type or paste it."
    return FormRow(field.name, field.label, about, lambda text: clean_secret(text, spoken(field.name))).hide_typing()


def _command_row(field: SecretField) -> FormRow:
    about = f"A command that prints it, such as `pass show cloudstore/{field.name}`. {field.help}"

    def check(text: str) -> None:
        if not text.strip():
            raise UsageError("it is missing", hint="Type the command that prints the secret.")

    return FormRow(f"{field.name}{_COMMAND}", f"{field.label} by", about, check)
