"""`profile`: what the configuration says, whether it works, and how it changes."""

from collections.abc import Iterator

from cloudstore_tui.cli.ls import print_profiles
from cloudstore_tui.cli.output import Output, refuse
from cloudstore_tui.cli.session import CommandSession, open_config, run
from cloudstore_tui.config.profiles import Config, remove_profile
from cloudstore_tui.config.secrets import SecretSources, file_of, sources_of, take_back, variables
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.providers import PROVIDERS


def list_command(*, as_json: bool) -> None:
    """List the profiles."""
    print_profiles(as_json=as_json)


def show_command(name: str, *, as_json: bool) -> None:
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


def test_command(name: str, *, as_json: bool, timeout: float) -> None:
    """Log in with a profile and look at everything it needs."""

    async def work(session: CommandSession) -> None:
        for check in await session.provider(name).check():
            text = f"{check.text}. {check.hint}" if check.hint else check.text
            if as_json:
                session.output.record({"check": check.title, "ok": check.ok, "text": text})
            else:
                verdict = "ok" if check.ok else "FAIL" if check.error else "warn"
                session.output.line(f"{verdict:4}  {check.title:12}  {text}")
            if check.error is not None:
                session.output.errors.append(check.error)

    run(work, as_json=as_json, timeout=timeout)


def _description(config: Config, profile: Profile) -> dict[str, object]:
    spec = next(spec for spec in PROVIDERS if spec.name == profile.provider)
    values: dict[str, object] = {"profile": profile.name, "config": str(config.path), **profile.options}
    values |= {"requests_per_minute": profile.requests_per_minute, "concurrency": profile.concurrency}
    if isinstance(profile.secrets, SecretSources):
        values |= {secret.name: f"from {profile.secrets.describe(secret.name)}" for secret in spec.secrets}
    return values


def remove_command(name: str, *, yes: bool) -> None:
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
