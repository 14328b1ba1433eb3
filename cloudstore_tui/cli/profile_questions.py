"""The questions of `profile add` on a terminal: one at a time, explained, and asked again until the answer can be."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from textwrap import wrap
from typing import TypeVar

from cloudstore_tui.cli.output import Output, refuse
from cloudstore_tui.config.draft import NAME, Draft, asked, check_name, complaint, is_needed, read_answer
from cloudstore_tui.config.secrets import EXPLANATIONS, Store, clean_secret, keyring_trouble, spoken
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.profile import Option, SecretField
from cloudstore_tui.core.provider import ProviderSpec

Answer = TypeVar("Answer")

_WIDEST = 100
_CHANGE, _KEEP, _GIVE_UP = "change", "keep", "stop"


class Questions:
    """Asks for what a draft still needs."""

    def __init__(self, output: Output, taken: Sequence[str]) -> None:
        """Ask by way of `output`; `taken` are the names of the profiles there are."""
        self._output = output
        self._taken = taken

    def begin(self) -> None:
        """Say how this goes."""
        self._output.note("A new profile. Ctrl+C stops; nothing is saved before it was tested.")

    def service(self, specs: Sequence[ProviderSpec]) -> ProviderSpec:
        """Which service."""
        self._explain("Service", *(f"{spec.name}: {spec.title}" for spec in specs))
        name = self._output.choose("Service", [spec.name for spec in specs], specs[0].name)
        return next(spec for spec in specs if spec.name == name)

    def fill(self, draft: Draft, store: str | None) -> None:
        """Ask for all that is missing."""
        if not draft.name:
            self._name(draft)
        for option in asked(draft.spec, rare=False):
            if option.name not in draft.texts:
                self._option(draft, option)
        rare = [option for option in asked(draft.spec, rare=True) if option.name not in draft.texts]
        if rare:
            self._explain("More", f"Most people leave these as they are: {', '.join(option.label for option in rare)}.")
            if self._output.confirm("Change them?"):
                for option in rare:
                    self._option(draft, option)
        if not draft.writable:
            self._explain("Writing", "A read-only profile can neither upload nor delete; that can be changed later.")
            draft.writable = not self._output.confirm("Read-only?", default=True)
        self._secrets(draft, store)

    def is_kept_anyway(self) -> bool:
        """Whether a profile that failed its test is saved all the same.

        Raises:
            click.exceptions.Exit: it is given up.
        """
        answer = self._output.choose(
            "Change an answer, keep it as it is, or stop?", [_CHANGE, _KEEP, _GIVE_UP], _CHANGE
        )
        if answer == _GIVE_UP:
            refuse()
        return answer == _KEEP

    def change(self, draft: Draft) -> None:
        """Ask for one answer again."""
        ways: dict[str, Callable[[], None]] = {"name": partial(self._name, draft), "store": partial(self._move, draft)}
        for option in asked(draft.spec):
            ways[option.name] = partial(self._option, draft, option)
        for field in draft.spec.secrets:
            ways[field.name] = partial(self._secret, draft, field)
        ways[self._output.choose("Which one", list(ways), next(iter(ways)))]()

    def _name(self, draft: Draft) -> None:
        self._explain(NAME.label, NAME.help, NAME.where)

        def taken(text: str) -> str:
            check_name(text, self._taken)
            return text

        draft.name = self._until(lambda: taken(self._output.typed(NAME.label, draft.name)))

    def _option(self, draft: Draft, option: Option) -> None:
        known = draft.texts.get(option.name, "")
        usual = known or (str(option.default) if option.default else "")
        self._explain(option.label, option.help, option.where)
        question = option.label if is_needed(option) or usual else f"{option.label} (Enter for none)"

        def given() -> str:
            text = self._output.typed(question, usual)
            read_answer(option, text)
            return text

        draft.texts[option.name] = self._until(given)

    def _secrets(self, draft: Draft, store: str | None) -> None:
        open_ones = [field for field in draft.spec.secrets if field.name not in {**draft.commands, **draft.files}]
        if not open_ones:
            return
        draft.store = Store(store) if store else self._store()
        for field in open_ones:
            self._secret(draft, field)

    def _move(self, draft: Draft) -> None:
        """Keep the secrets somewhere else."""
        for known in (draft.secrets, draft.commands, draft.files):
            known.clear()
        self._secrets(draft, None)

    def _store(self) -> Store:
        trouble = keyring_trouble()
        ways = [store for store in Store if store is not Store.KEYRING or not trouble]
        lines = [f"{store.value}: {EXPLANATIONS[store]}" for store in ways]
        self._explain("Where to keep the secrets", *lines, *([trouble] if trouble else []))
        return Store(self._output.choose("Keep them in", [store.value for store in ways], ways[0].value))

    def _secret(self, draft: Draft, field: SecretField) -> None:
        if draft.store is Store.ENVIRONMENT:
            return
        self._explain(field.label, field.help, field.where)
        if draft.store is Store.COMMAND:
            question = f"Command for the {spoken(field.name)}"
            draft.commands[field.name] = self._until(lambda: _command(self._output.typed(question)))
            return
        self._output.note("It does not show while you type or paste it.")
        draft.secrets[field.name] = self._until(
            lambda: clean_secret(self._output.hidden(field.label), spoken(field.name))
        )

    def _explain(self, title: str, *lines: str) -> None:
        width = min(shutil.get_terminal_size().columns - 1, _WIDEST)
        self._output.note(f"\n{title}")
        for line in lines:
            self._output.note("\n".join(wrap(line, width, initial_indent="  ", subsequent_indent="  ")))

    def _until(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until the answer can be used."""
        while True:
            try:
                return ask()
            except StorageError as error:
                self._output.note(f"  {complaint(error)}")


def _command(text: str) -> str:
    if not text.strip():
        raise UsageError("it is missing", hint="Type the command that prints the secret.")
    return text.strip()
