"""`profile`, `doctor`, `keys` and `themes`: what is set up, whether it works, and how it changes."""

from collections.abc import Iterator

from cloudstore_tui.cli.look import print_profiles
from cloudstore_tui.cli.output import Output, refuse
from cloudstore_tui.cli.session import CommandSession, open_config, run
from cloudstore_tui.config.keymap import check_keymap
from cloudstore_tui.config.paths import themes_folder
from cloudstore_tui.config.profiles import Config, remove_profile
from cloudstore_tui.config.secrets import SecretSources, file_of, sources_of, take_back, variables
from cloudstore_tui.config.themes import load_themes
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.doctor import CheckResult, CheckStatus, Doctor, failed
from cloudstore_tui.providers import PROVIDERS


def profile_list_command(*, as_json: bool) -> None:
    """List the profiles."""
    print_profiles(open_config(), Output(as_json=as_json))


def profile_show_command(name: str, *, as_json: bool) -> None:
    """Show one profile, and where each secret comes from, never its value."""
    config = open_config()
    values = _description(config, config.profile(name))
    output = Output(as_json=as_json)
    if as_json:
        output.record(values)
        return
    for key, value in values.items():
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        output.line(f"{key:20}  {shown}")


async def profile_test_command(session: CommandSession, name: str) -> None:
    """Log in with a profile and look at everything it needs."""
    for check in await session.provider(name).check():
        text = f"{check.text}. {check.hint}" if check.hint else check.text
        if session.output.as_json:
            session.output.record({"check": check.title, "ok": check.ok, "text": text})
        else:
            verdict = "ok" if check.ok else "FAIL" if check.error else "warn"
            session.output.line(f"{verdict:4}  {check.title:12}  {text}")
        if check.error is not None:
            session.output.errors.append(check.error)


def _description(config: Config, profile: Profile) -> dict[str, object]:
    spec = next(spec for spec in PROVIDERS if spec.name == profile.provider)
    values: dict[str, object] = {"profile": profile.name, "config": str(config.path), **profile.options}
    values |= {"requests_per_minute": profile.requests_per_minute, "concurrency": profile.concurrency}
    if isinstance(profile.secrets, SecretSources):
        values |= {secret.name: f"from {profile.secrets.describe(secret.name)}" for secret in spec.secrets}
    return values


def profile_remove_command(name: str, *, yes: bool) -> None:
    """Remove a profile from the configuration; everything else in the file stays as it is."""
    config, output = open_config(), Output(as_json=False)
    profile = config.profile(name)
    if not yes:
        if not output.asks:
            raise UsageError("removing a profile has to be agreed to", subject=name, hint="Add --yes.")
        if not output.confirm(f"Remove the profile {name} from {config.path}?"):
            refuse()
    fields = next(spec for spec in PROVIDERS if spec.name == profile.provider).secrets
    sources = sources_of(profile, fields)
    remove_profile(config.path, name)
    output.line(f"Removed {name} from {config.path}")
    folder = config.path.parent
    used = {file_of(file, folder) for file in _files_of_others(config, name)}
    told = take_back(name, sources, folder, [field.name for field in fields], used)
    for sentence in told:
        output.note(sentence)
    if not (sources or told):
        output.note(f"If set, {' and '.join(variables(name, fields))} can go from your environment, too.")


def _files_of_others(config: Config, name: str) -> Iterator[str]:
    secrets = {secret.name for spec in PROVIDERS for secret in spec.secrets}
    for other in config.profiles.values():
        if other.name != name:
            yield from filter(None, (other.text(f"{secret}_file") for secret in secrets))


STEPS = 4
"""How many such waits one service may take for all its checks."""


def doctor_command(profiles: tuple[str, ...], *, as_json: bool, timeout: float) -> None:
    """Check the configuration, the secrets, the login, the rights, a listing, the clock, the disk and the terminal."""
    try:
        open_config()
    except StorageError as error:
        _show_result(failed("", "configuration", error), Output(as_json=as_json))
        raise SystemExit(error.code) from None

    async def work(session: CommandSession) -> None:
        for name in profiles:
            session.config.profile(name)
        doctor = Doctor(session.config, PROVIDERS, session.provider, STEPS * timeout)
        async for result in doctor.run(profiles):
            _show_result(result, session.output)
            codes.append(result.code)

    codes: list[int] = []
    run(work, as_json=as_json, timeout=timeout)
    if code := next(filter(None, codes), 0):
        raise SystemExit(code)


def _show_result(result: CheckResult, output: Output) -> None:
    if output.as_json:
        output.record(result_record(result))
        return
    title = f"{result.subject} {result.title}".strip()
    output.line(f"{result.status:4}  {title:22}  {result.text}")
    if result.hint and result.status is not CheckStatus.SKIP:
        output.line(f"{'':30}{result.hint}")


def result_record(result: CheckResult) -> dict[str, object]:
    """A result as JSON; what is empty is absent."""
    values = {
        "profile": result.subject,
        "check": result.title,
        "verdict": result.status.lower(),
        "text": result.text,
        "hint": result.hint,
        "code": result.code,
    }
    return {name: value for name, value in values.items() if value}


def keys_command(*, as_json: bool) -> None:
    """List every action of the browser with its id, its keys and what it does."""
    # Deferred: the bindings live in the screens, and only this command lists them without opening one.
    from cloudstore_tui.app import CloudStoreApp
    from cloudstore_tui.ui.keys import known_bindings

    output = Output(as_json=as_json)
    config = open_config()
    known = known_bindings(CloudStoreApp)
    configured = check_keymap(config.keys, known, subject=str(config.path))
    for binding in known:
        keys = configured[binding.id].split(",") if binding.id in configured else list(binding.keys)
        if as_json:
            output.record({"id": binding.id, "keys": keys, "title": binding.description, "text": binding.tooltip})
        else:
            output.line(f"{binding.id:24}  {', '.join(keys):28}  {binding.tooltip}")


def themes_command(*, as_json: bool) -> None:
    """List the built-in themes and your own."""
    output = Output(as_json=as_json)
    themes = load_themes(themes_folder())
    for theme in themes.loaded.values():
        if as_json:
            output.record({"theme": theme.name, "dark": theme.dark})
        else:
            output.line(f"{theme.name:20}  {'dark' if theme.dark else 'light'}")
    for error in themes.failed:
        output.error(error)
