"""`profile remove`: takes a profile out of the configuration, and its secrets from where we put them."""

from collections.abc import Iterator

import click

from cloudstore_tui.cli.options import Command, yes_option
from cloudstore_tui.cli.output import Output, refuse
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.config.profiles import Config, remove_profile
from cloudstore_tui.config.secrets import file_of, sources_of, take_back, variables
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.providers import PROVIDERS


@click.command("remove", cls=Command, short_help="Remove a profile and the secrets stored for it.")
@click.argument("name")
@yes_option
def remove_command(name: str, *, yes: bool) -> None:
    """Remove a profile from the configuration; everything else in the file stays as it is.

    Secrets that `profile add` stored, in the keyring or in a file beside the configuration, are removed, too. What is
    left, such as a command or a variable, is told. Nothing is changed at the service.

    \b
    Example:
      cloudstore profile remove acme8
    """
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
