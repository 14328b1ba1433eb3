"""A new profile: answers are checked one by one, then the whole against the service, then it is saved."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, field

from cloudstore_tui.config.profiles import COMMON, PROFILE_NAME, add_profile
from cloudstore_tui.config.secrets import (
    SecretSources,
    SecretStore,
    clean_secret,
    keep_secrets,
    remove_secrets,
    secret_label,
    variable_of,
)
from cloudstore_tui.core.errors import ConfigError, StorageError, UsageError
from cloudstore_tui.core.profile import OptionValue, Profile, Secret, Timeouts
from cloudstore_tui.core.provider import Check
from cloudstore_tui.core.spec import Option, ProviderSpec

NAME = Option(
    "name",
    "A short name, such as acme8 in acme8:us-east/; you'll type it often.",
    required=True,
    label="Name",
    where="Letters, digits, - and _, at most 32.",
)
"""The first question."""

TEST_TIMEOUTS = Timeouts(connect=10, read=20, give_up=20)
"""For the test of a profile, while the user waits."""
_QUOTES = "\"'"


class ProfileDraft(Struct):
    """A profile that is being filled in."""

    spec: ProviderSpec
    name: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    """The answers by option, as typed."""
    secrets: dict[str, Secret] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    """Programs that print the secrets, by secret."""
    files: dict[str, str] = field(default_factory=dict)
    """The user's own files that hold the secrets, by secret."""
    store: SecretStore = SecretStore.FILE
    writable: bool = False

    def values(self) -> dict[str, OptionValue]:
        """The keys of the profile, without defaults.

        Raises:
            UsageError: the first answer that is missing or invalid.
        """
        check_name(self.name)
        values: dict[str, OptionValue] = {"provider": self.spec.name}
        for option in self.spec.options:
            if not option.label and option.name not in self.texts:
                continue
            values |= read_answer(option, self.texts.get(option.name, ""))
        if self.writable:
            values["read_only"] = False
        return values | self._sources

    def profile(self, folder: Path) -> Profile:
        """The profile as it would be saved, with the typed secrets.

        Raises:
            UsageError: the first answer that is missing or invalid.
        """
        values = self.values()
        known = (*COMMON, *self.spec.options)
        defaults = {option.name: option.default for option in known if option.default is not None}
        sources = SecretSources(self.name, self._sources, folder)

        def secret(name: str) -> Secret:
            if name in self.secrets:
                return self.secrets[name]
            held = os.environ.get(variable_of(self.name, name))
            # `SecretSources` would remove it from the environment, and the saved profile still needs it there.
            return clean_secret(held, secret_label(name)) if held is not None else sources(name)

        options = {**defaults, **values}
        return Profile(self.name, self.spec.name, options, not self.writable, timeouts=TEST_TIMEOUTS, secrets=secret)

    async def check(self, folder: Path) -> tuple[Check, ...]:
        """Log in, and run the checks of the service.

        Raises:
            UsageError: the first answer that is missing or invalid.
        """
        profile = self.profile(folder)
        try:
            provider = self.spec.open(profile)
        except StorageError as error:
            return (Check("profile", False, str(error), error),)
        try:
            return await provider.check()
        except StorageError as error:
            return (Check("service", False, str(error), error),)
        finally:
            with suppress(StorageError):
                await provider.close()

    def save(self, path: Path, specs: Sequence[ProviderSpec]) -> Profile:
        """Store the secrets and add the profile to the configuration; returns it as read back from there.

        Raises:
            UsageError: an answer or the configuration is invalid.
            LocalDiskError: something cannot be written; nothing is left behind.
        """
        values = self.values()
        kept = keep_secrets(self.store, self.name, self.secrets, path.parent)
        try:
            return add_profile(path, self.name, {**values, **kept}, specs)
        except StorageError:
            remove_secrets(self.name, kept, path.parent, self.secrets)
            raise

    @property
    def _sources(self) -> dict[str, str]:
        commands = {f"{name}_command": command for name, command in self.commands.items()}
        return commands | {f"{name}_file": file for name, file in self.files.items()}


def asked(spec: ProviderSpec, *, rare: bool | None = None) -> Iterator[Option]:
    """The options that a form asks for: all, only rare ones, or only common ones."""
    return (option for option in spec.options if option.label and rare in (None, option.is_advanced))


def is_needed(option: Option) -> bool:
    """Whether a form is incomplete without it."""
    return option.required or bool(option.url_option)


def check_name(name: str, taken: Collection[str] = ()) -> None:
    """Check the name of a new profile.

    Raises:
        UsageError: it is not allowed, or taken.
    """
    if not name:
        raise UsageError("is missing", subject=NAME.label, hint="Give it a short name, such as acme8.")
    if not PROFILE_NAME.fullmatch(name):
        raise UsageError("cannot name a profile", subject=NAME.label, hint="Use letters, digits, - and _, at most 32.")
    if name in taken:
        raise UsageError(f"there is a profile {name} already", subject=NAME.label, hint="Choose another name.")


def read_answer(option: Option, text: str) -> dict[str, OptionValue]:
    """The key and value of an answer; empty if it is the default.

    Raises:
        UsageError: it is missing or invalid.
    """
    text = text.strip()
    subject = option.label or option.name
    if not text:
        if is_needed(option):
            raise UsageError("is missing", subject=subject)
        return {}
    _check_text(option, text, subject)
    if option.check is not None:
        try:
            option.check(text)
        except ConfigError as error:
            raise UsageError(error.message, subject=subject, hint=error.hint) from None
    if option.type is tuple:
        return {option.name: tuple(dict.fromkeys(text.replace(",", " ").split()))}
    if text == option.default:
        return {}
    return {option.url_option if option.url_option and "://" in text else option.name: text}


def complaint(error: StorageError) -> str:
    """The message and hint of an error, as sentences to show beside the answer."""
    sentence = f"{error.message[:1].upper()}{error.message[1:]}."
    return f"{sentence} {error.hint}".rstrip()


def typed_texts(spec: ProviderSpec, given: Mapping[str, str]) -> dict[str, str]:
    """Answers by the option that asks for them; some were given under the name for the whole address."""
    wholes = {option.url_option: option.name for option in spec.options if option.url_option}
    return {wholes.get(name, name): text for name, text in given.items()}


def _check_text(option: Option, text: str, subject: str) -> None:
    if not text.isprintable():
        raise UsageError(
            "holds a line break or another control character", subject=subject, hint="Type it on one line."
        )
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        raise UsageError("has quotes around it", subject=subject, hint="Leave the quotes out.")
    if option.type is not tuple and " " in text:
        raise UsageError("has a blank in it", subject=subject, hint="Leave the blank out.")
    if option.choices and text not in option.choices:
        raise UsageError(
            f"{text[:40]} is none of the choices", subject=subject, hint=f"Choose {' or '.join(option.choices)}."
        )
