"""`profile`, `doctor`, `keys` and `themes`: what is set up, and whether it works."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from textwrap import wrap
from typing import Any, TypeVar

from cloudstore_tui.cli.commands.setup import flag_of, options_of_services, secrets_of_services
from cloudstore_tui.cli.export import text_of
from cloudstore_tui.cli.look import print_profiles
from cloudstore_tui.cli.output import Output, refuse
from cloudstore_tui.cli.session import CommandSession, open_config, run, run_in_loop
from cloudstore_tui.config.draft import (
    NAME,
    ProfileDraft,
    asked,
    check_name,
    complaint,
    is_needed,
    read_answer,
    typed_texts,
)
from cloudstore_tui.config.keymap import check_keymap
from cloudstore_tui.config.paths import themes_folder, user_path
from cloudstore_tui.config.profiles import Config, remove_profile
from cloudstore_tui.config.secrets import (
    EXPLANATIONS,
    MAX_SECRET_BYTES,
    SecretSources,
    SecretStore,
    clean_secret,
    file_of,
    keyring_problem,
    remove_secrets,
    secret_label,
    sources_of,
    variables,
)
from cloudstore_tui.config.themes import load_themes
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check
from cloudstore_tui.core.spec import Option, ProviderSpec, SecretField
from cloudstore_tui.doctor import CheckResult, CheckStatus, examine, failed
from cloudstore_tui.providers import PROVIDERS, spec_of
from cloudstore_tui.ui import format as in_words


def profile_list_command(session: CommandSession) -> None:
    print_profiles(session.config, session.output)


def profile_show_command(session: CommandSession, name: str) -> None:
    config, output = session.config, session.output
    values = _description(config, config.profile(name))
    if output.as_json:
        output.record(values)
        return
    for key, value in values.items():
        shown = ", ".join(value) if isinstance(value, tuple) else text_of(value)
        output.line(f"{key:20}  {shown}")


async def profile_test_command(session: CommandSession, name: str) -> None:
    for check in await session.provider(name).check():
        session.output.result({"check": check.title, "ok": check.ok, "text": _check_text(check)}, _check_line(check))
        if check.error is not None:
            session.output.errors.append(check.error)


def _check_line(check: Check) -> str:
    """One check as a line; one that could not decide is a warning."""
    status = CheckStatus.OK if check.ok else CheckStatus.FAIL if check.error else CheckStatus.WARN
    return f"{status:4}  {check.title:12}  {_check_text(check)}"


def _check_text(check: Check) -> str:
    return f"{check.text}. {check.hint}" if check.hint else check.text


def _description(config: Config, profile: Profile) -> dict[str, object]:
    values: dict[str, object] = {"profile": profile.name, "config": str(config.path), **profile.options}
    values |= {"requests_per_minute": profile.requests_per_minute, "concurrency": profile.concurrency}
    if isinstance(profile.secrets, SecretSources):
        fields = spec_of(profile.provider).secrets
        values |= {field.name: f"from {profile.secrets.describe(field.name)}" for field in fields}
    return values


def profile_remove_command(session: CommandSession, name: str, *, yes: bool) -> None:
    config, output = session.config, session.output
    profile = config.profile(name)
    if not yes:
        unattended = UsageError("removing a profile needs confirmation", subject=name, hint="Add --yes.")
        output.require_yes(f"Remove the profile {name} from {config.path}?", unattended)
    fields = spec_of(profile.provider).secrets
    sources = sources_of(profile, fields)
    remove_profile(config.path, name)
    output.result({"profile": name, "result": "removed"}, f"Removed {name} from {config.path}")
    folder = config.path.parent
    others = (profile for profile in config.profiles.values() if profile.name != name)
    files = (other.text(f"{secret}_file") for other in others for secret in secrets_of_services())
    used = {file_of(file, folder) for file in files if file}
    sentences = remove_secrets(name, sources, folder, [field.name for field in fields], used)
    for sentence in sentences:
        output.note(sentence)
    if not (sources or sentences):
        output.note(f"If set, {' and '.join(variables(name, fields))} can be removed from your environment, too.")


MAX_WAITS = 4
"""How many times the time-out one service may take for all its checks."""


def doctor_command(profiles: tuple[str, ...], *, as_json: bool, timeout: float) -> int:
    try:
        open_config()
    except StorageError as error:
        _show_result(failed("", "configuration", error), Output(as_json=as_json))
        return error.code
    return run(_examine, as_json=as_json, timeout=timeout, names=profiles)


async def _examine(session: CommandSession, names: Sequence[str]) -> int:
    """Show every result as it comes; returns the code of the first failure."""
    for name in names:
        session.config.profile(name)
    first = 0
    async for result in examine(
        session.config, PROVIDERS, session.provider, names, patience=MAX_WAITS * session.timeout
    ):
        _show_result(result, session.output)
        first = first or result.code
    return first


def _show_result(result: CheckResult, output: Output) -> None:
    if output.as_json:
        output.record(result_record(result))
        return
    title = f"{result.subject} {result.title}".strip()
    output.line(f"{result.status:4}  {title:22}  {result.text}")
    if result.hint and result.status is not CheckStatus.SKIP:
        output.line(f"{'':30}{result.hint}")


def result_record(result: CheckResult) -> dict[str, object]:
    """A result as JSON, without empty fields."""
    values = {
        "profile": result.subject,
        "check": result.title,
        "verdict": result.status.lower(),
        "text": result.text,
        "hint": result.hint,
        "code": result.code,
    }
    return {name: value for name, value in values.items() if value}


def keys_command(session: CommandSession) -> None:
    # Deferred: the bindings live in the screens, and only this command lists them without opening one.
    from cloudstore_tui.app import CloudStoreApp
    from cloudstore_tui.ui.keys import known_bindings

    output, config = session.output, session.config
    known = known_bindings(CloudStoreApp)
    configured = check_keymap(config.keys, known, subject=str(config.path))
    for binding in known:
        keys = configured[binding.id].split(",") if binding.id in configured else list(binding.keys)
        output.result(
            {"id": binding.id, "keys": keys, "title": binding.description, "text": binding.tooltip},
            f"{binding.id:24}  {', '.join(keys):28}  {binding.tooltip}",
        )


def themes_command(*, as_json: bool) -> None:
    output = Output(as_json=as_json)
    themes = load_themes(themes_folder())
    for theme in themes.loaded.values():
        output.result(
            {"theme": theme.name, "dark": theme.dark}, f"{theme.name:20}  {'dark' if theme.dark else 'light'}"
        )
    for error in themes.failed:
        output.error(error)


def profile_add_command(
    session: CommandSession, name: str, *, provider: str | None, no_test: bool, **given: Any
) -> None:
    config, output = session.config, session.output
    asks = output.asks and not given["secret_stdin"]
    questions = Questions(output, tuple(config.profiles)) if asks else None
    if questions is not None:
        questions.begin()
    spec = next((spec for spec in PROVIDERS if spec.name == provider), None)
    if spec is None:
        spec = questions.service(PROVIDERS) if questions else _missing("--provider")
    draft = _draft(spec, name, given)
    if name:
        check_name(name, config.profiles)
    if questions is not None:
        questions.fill(draft, given["secret_from"])
    else:
        _require(draft)
    _save(config, draft, output, questions, tested=not no_test)


def _draft(spec: ProviderSpec, name: str, given: Mapping[str, Any]) -> ProfileDraft:
    """A draft filled from the options."""
    known = {option.name for option in spec.options}
    texts = {key: value for key in options_of_services() if (value := _text(given.get(key)))}
    for key in texts:
        if key not in known:
            raise UsageError(f"{spec.title} has no {flag_of(key)}", hint=f"Leave {flag_of(key)} out.")
    draft = ProfileDraft(spec, name, typed_texts(spec, texts), writable=given["writable"])
    for secret in secrets_of_services():
        command, file = given.get(f"{secret}_command"), given.get(f"{secret}_file")
        draft.commands |= {secret: command} if command else {}
        draft.files |= {secret: str(user_path(file).absolute())} if file else {}
    if given["secret_stdin"]:
        draft.secrets = _read_secrets(spec)
    draft.store = SecretStore(given["secret_from"] or (SecretStore.COMMAND if draft.commands else SecretStore.FILE))
    return draft


def _text(value: str | tuple[str, ...] | None) -> str:
    return " ".join(value) if isinstance(value, tuple) else value or ""


def _read_secrets(spec: ProviderSpec) -> dict[str, Any]:
    if sys.stdin.isatty():
        raise UsageError(
            "a terminal shows what is typed",
            subject="--secret-stdin",
            hint="Pipe the secret in, or leave this out and be asked.",
        )
    lines = list(filter(str.strip, sys.stdin.read(MAX_SECRET_BYTES).splitlines()))
    names = [secret.name for secret in spec.secrets]
    if len(lines) != len(names):
        wanted = ", then ".join(map(secret_label, names))
        raise UsageError(
            f"stdin holds {in_words.counted(len(lines), 'secret')}, not {len(names)}",
            subject="--secret-stdin",
            hint=f"Expected: {wanted}, one per line.",
        )
    return {name: clean_secret(line, secret_label(name)) for name, line in zip(names, lines, strict=True)}


def _require(draft: ProfileDraft) -> None:
    """Name the first option that is missing: without a terminal nothing can be asked."""
    if first := next(chain(_missing_options(draft), _missing_secrets(draft)), None):
        _missing(first)


def _missing_options(draft: ProfileDraft) -> Iterator[str]:
    if not draft.name:
        yield "NAME"
    for option in asked(draft.spec):
        if is_needed(option) and not draft.texts.get(option.name):
            yield " or ".join(map(flag_of, filter(None, (option.name, option.url_option))))


def _missing_secrets(draft: ProfileDraft) -> Iterator[str]:
    for secret in draft.spec.secrets if draft.store is not SecretStore.ENVIRONMENT else ():
        flag = flag_of(secret.name)
        if draft.store is SecretStore.COMMAND and secret.name not in draft.commands:
            yield f"{flag}-command"
        if not any(secret.name in known for known in (draft.secrets, draft.commands, draft.files)):
            yield f"--secret-stdin, {flag}-file or {flag}-command"


def _missing(option: str) -> Any:
    raise UsageError(
        f"{option} is missing", hint="On a terminal you would be asked; without one, give it as an option."
    )


def _save(config: Config, draft: ProfileDraft, output: Output, questions: "Questions | None", *, tested: bool) -> None:
    errors: list[StorageError] = []
    while tested:
        errors = check_draft(draft, config.path.parent, output)
        if not errors or questions is None or questions.is_saved_anyway():
            break
        questions.change(draft)
    if errors and questions is None:
        output.note("Nothing was saved. --no-test saves it without a login.")
        output.errors += errors
        return
    draft.save(config.path, PROVIDERS)
    output.line(f"Saved as {draft.name} in {config.path}")
    if draft.store is SecretStore.ENVIRONMENT:
        output.note(f"Set {' and '.join(variables(draft.name, draft.spec.secrets))} whenever you use it.")
    output.note(f"Open it: cloudstore {draft.name}:")


Answer = TypeVar("Answer")

_WIDEST = 100
_CHANGE, _KEEP, _STOP = "change", "keep", "stop"


class Questions:
    """Asks for what a draft still needs."""

    def __init__(self, output: Output, taken: Sequence[str]) -> None:
        """`taken` are the names of existing profiles."""
        self._output = output
        self._taken = taken

    def begin(self) -> None:
        """Explain how to stop."""
        self._output.note("A new profile. Ctrl+C stops; nothing is saved before it is tested.")

    def service(self, specs: Sequence[ProviderSpec]) -> ProviderSpec:
        self._explain("Service", *(f"{spec.name}: {spec.title}" for spec in specs))
        name = self._output.choose("Service", [spec.name for spec in specs], specs[0].name)
        return next(spec for spec in specs if spec.name == name)

    def fill(self, draft: ProfileDraft, store: str | None) -> None:
        """Ask for everything that is missing."""
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

    def is_saved_anyway(self) -> bool:
        """Whether to save a profile although its test failed.

        Raises:
            click.exceptions.Exit: the user stops.
        """
        answer = self._output.choose("Change an answer, keep it as it is, or stop?", [_CHANGE, _KEEP, _STOP], _CHANGE)
        if answer == _STOP:
            refuse()
        return answer == _KEEP

    def change(self, draft: ProfileDraft) -> None:
        """Ask for one answer again."""
        ways: dict[str, Callable[[], None]] = {
            "name": partial(self._name, draft),
            "store": partial(self._change_store, draft),
        }
        for option in asked(draft.spec):
            ways[option.name] = partial(self._option, draft, option)
        for field in draft.spec.secrets:
            ways[field.name] = partial(self._secret, draft, field)
        ways[self._output.choose("Which one", list(ways), next(iter(ways)))]()

    def _name(self, draft: ProfileDraft) -> None:
        self._explain(NAME.label, NAME.help, NAME.where)

        def taken(text: str) -> str:
            check_name(text, self._taken)
            return text

        draft.name = self._ask_until_valid(lambda: taken(self._output.ask_text(NAME.label, draft.name)))

    def _option(self, draft: ProfileDraft, option: Option) -> None:
        known = draft.texts.get(option.name, "")
        usual = known or (str(option.default) if option.default else "")
        self._explain(option.label, option.help, option.where)
        question = option.label if is_needed(option) or usual else f"{option.label} (Enter for none)"

        def given() -> str:
            text = self._output.ask_text(question, usual)
            read_answer(option, text)
            return text

        draft.texts[option.name] = self._ask_until_valid(given)

    def _secrets(self, draft: ProfileDraft, store: str | None) -> None:
        open_ones = [field for field in draft.spec.secrets if field.name not in {**draft.commands, **draft.files}]
        if not open_ones:
            return
        draft.store = SecretStore(store) if store else self._store()
        for field in open_ones:
            self._secret(draft, field)

    def _change_store(self, draft: ProfileDraft) -> None:
        """Ask again where to keep the secrets."""
        for known in (draft.secrets, draft.commands, draft.files):
            known.clear()
        self._secrets(draft, None)

    def _store(self) -> SecretStore:
        trouble = keyring_problem()
        ways = [store for store in SecretStore if store is not SecretStore.KEYRING or not trouble]
        lines = [f"{store.value}: {EXPLANATIONS[store]}" for store in ways]
        self._explain("Where to keep the secrets", *lines, *([trouble] if trouble else []))
        return SecretStore(self._output.choose("Keep them in", [store.value for store in ways], ways[0].value))

    def _secret(self, draft: ProfileDraft, field: SecretField) -> None:
        if draft.store is SecretStore.ENVIRONMENT:
            return
        self._explain(field.label, field.help, field.where)
        if draft.store is SecretStore.COMMAND:
            question = f"Command for the {secret_label(field.name)}"
            draft.commands[field.name] = self._ask_until_valid(lambda: _command(self._output.ask_text(question)))
            return
        self._output.note("It does not show while you type or paste it.")
        draft.secrets[field.name] = self._ask_until_valid(
            lambda: clean_secret(self._output.ask_secret(field.label), secret_label(field.name))
        )

    def _explain(self, title: str, *lines: str) -> None:
        width = min(shutil.get_terminal_size().columns - 1, _WIDEST)
        self._output.note(f"\n{title}")
        for line in lines:
            self._output.note("\n".join(wrap(line, width, initial_indent="  ", subsequent_indent="  ")))

    def _ask_until_valid(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until the answer is valid."""
        while True:
            try:
                return ask()
            except StorageError as error:
                self._output.note(f"  {complaint(error)}")


def _command(text: str) -> str:
    if not text.strip():
        raise UsageError("it is missing", hint="Type the command that prints the secret.")
    return text.strip()


def check_draft(draft: ProfileDraft, folder: Path, output: Output) -> list[StorageError]:
    """Test a profile and print the checks; returns what failed."""
    output.note("Testing …")
    checks = run_in_loop(draft.check(folder))
    for check in checks:
        output.note(f"  {_check_line(check)}")
    return [check.error for check in checks if check.error is not None]
