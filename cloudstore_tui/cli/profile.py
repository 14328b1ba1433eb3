"""`profile`: what the configuration says, whether it works, and how it changes."""

import click

from cloudstore_tui.cli.ls import print_profiles
from cloudstore_tui.cli.options import Group, json_option, timeout_option
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.profile_add import add_command
from cloudstore_tui.cli.profile_remove import remove_command
from cloudstore_tui.cli.session import Session, open_config, run
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.config.secrets import SecretSources
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.providers import PROVIDERS


@click.group("profile", cls=Group)
def profile_command() -> None:
    """Add, show, test and remove profiles.

    \b
    Example:
      cloudstore profile add
    """


profile_command.add_command(add_command)
profile_command.add_command(remove_command)


@profile_command.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the profiles.

    \b
    Example:
      cloudstore profile list
    """
    print_profiles(as_json=as_json)


@profile_command.command("show")
@click.argument("name")
@json_option
def show_command(name: str, *, as_json: bool) -> None:
    """Show one profile, and where each secret comes from, never its value.

    \b
    Example:
      cloudstore profile show acme
    """
    config = open_config()
    values = _description(config, config.profile(name))
    output = Output(as_json=as_json)
    if as_json:
        output.record(values)
        return
    for key, value in values.items():
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        output.line(f"{key:20}  {shown}")


@profile_command.command("test")
@click.argument("name")
@json_option
@timeout_option()
def test_command(name: str, *, as_json: bool, timeout: float) -> None:
    """Log in with a profile and look at everything it needs.

    \b
    Example:
      cloudstore profile test acme8
    """

    async def work(session: Session) -> None:
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
