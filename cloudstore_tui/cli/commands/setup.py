"""The commands that set the program up."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from cloudstore_tui.cli.options import Command, Duration, Group, json_option, timeout_option, yes_option

if TYPE_CHECKING:
    from cloudstore_tui.core.spec import Option, SecretField


@click.group("profile", cls=Group)
def profile_command() -> None:
    """Add, show, test and remove profiles.

    \b
    Example:
      cloudstore profile add
    """


def options_of_services() -> "dict[str, Option]":
    """Every option that a profile can be given, by name."""
    # Deferred, as below: only this command needs to know the services.
    from cloudstore_tui.providers import PROVIDERS

    return {option.name: option for spec in PROVIDERS for option in spec.options}


def secrets_of_services() -> "dict[str, SecretField]":
    """Every secret that some service needs, by name."""
    from cloudstore_tui.providers import PROVIDERS

    return {secret.name: secret for spec in PROVIDERS for secret in spec.secrets}


def flag_of(name: str) -> str:
    """The flag for an option of a profile; the items of a list are given one by one."""
    option = options_of_services().get(name)
    listed = option is not None and option.type is tuple
    return f"--{name.removesuffix('s') if listed else name}".replace("_", "-")


def _refuse_secret(_context: click.Context, parameter: click.Parameter, value: object) -> None:
    if value is None:
        return
    # Deferred: few make this mistake.
    from cloudstore_tui.core.errors import UsageError

    raise UsageError(
        f"a secret is never an option, since everybody on this machine could read it ({parameter.opts[0]})",
        hint="Pipe it in with --secret-stdin, or run `cloudstore profile add` on a terminal and be asked. "
        "If it was a real secret, have it changed: it is in the history of your shell.",
    )


class ProfileAddCommand(Command):
    """`profile add`, with an option for everything that some service needs, from the specifications of the services."""

    _parameters: list[click.Parameter]
    _knows_services = False

    @property
    def params(self) -> list[click.Parameter]:
        """The name, the options of the services, and the others; the services are imported on first use."""
        if not self._knows_services:
            self._knows_services = True
            self._parameters[1:1] = self._of_services()
        return self._parameters

    @params.setter
    def params(self, declared: list[click.Parameter]) -> None:
        self._parameters = declared

    @staticmethod
    def _of_services() -> Iterator[click.Option]:
        from cloudstore_tui.providers import PROVIDERS

        yield click.Option(
            ["--provider"], type=click.Choice([spec.name for spec in PROVIDERS]), help="The service of the profile."
        )
        for name, option in options_of_services().items():
            listed = option.type is tuple
            help_text = f"{option.help} May be repeated." if listed else option.help
            yield click.Option([flag_of(name), name], multiple=listed, metavar="TEXT", help=help_text)
        for secret in secrets_of_services().values():
            flag = flag_of(secret.name)
            yield click.Option([flag], hidden=True, expose_value=False, metavar="", callback=_refuse_secret)
            yield click.Option([f"{flag}-file"], metavar="FILE", help=f"A file that holds it. {secret.help}")
            yield click.Option([f"{flag}-command"], metavar="COMMAND", help="A command that prints it.")


@profile_command.command(
    "add",
    cls=ProfileAddCommand,
    short_help="Add a profile: asks, tests it, and saves it.",
    does="setup.profile_add_command",
)
@click.argument("name", default="")
@click.option("--writable", is_flag=True, help="Allow upload and delete. [default: read-only]")
@click.option(
    "--secret-from",
    type=click.Choice(["keyring", "file", "command", "env"]),
    help="Where to keep the secrets. [default: ask on a terminal, else file]",
)
@click.option("--secret-stdin", is_flag=True, help="Read the secrets from stdin, one per line.")
@click.option("--no-test", is_flag=True, help="Save the profile without testing it.")
def profile_add_command() -> None:
    """Add a profile to the configuration.

    On a terminal it asks for everything that is missing, checks each answer at once, and tests the profile before
    saving it. Without a terminal it asks nothing. Secrets are never options: type them unseen, pipe them in, or name
    a file, a command or the environment.

    \b
    Examples:
      cloudstore profile add
      cloudstore profile add acme8 --provider 8x8 --client-id KEY --secret-from file --secret-stdin <secret.txt
      cloudstore profile add acme8 --provider 8x8 --client-id KEY --secret-command 'pass show 8x8/secret'
    """


@profile_command.command("list", does="setup.profile_list_command")
@json_option
def profile_list_command() -> None:
    """List the profiles.

    \b
    Example:
      cloudstore profile list
    """


@profile_command.command("show", does="setup.profile_show_command")
@click.argument("name")
@json_option
def profile_show_command() -> None:
    """Show one profile, and where each secret comes from, but never its value.

    \b
    Example:
      cloudstore profile show acme
    """


@profile_command.command("test", does="setup.profile_test_command")
@click.argument("name")
@json_option
@timeout_option()
def profile_test_command() -> None:
    """Log in with a profile and check everything that it needs.

    \b
    Example:
      cloudstore profile test acme8
    """


@profile_command.command(
    "remove", short_help="Remove a profile and the secrets stored for it.", does="setup.profile_remove_command"
)
@click.argument("name")
@yes_option
@json_option
def profile_remove_command() -> None:
    """Remove a profile from the configuration; the rest of the file stays as it is.

    Secrets that `profile add` stored, in the keyring or in a file beside the configuration, are removed, too; what is
    left, such as a command or a variable, is listed. Nothing changes at the service.

    \b
    Example:
      cloudstore profile remove acme8
    """


@click.command("doctor", cls=Command, does="setup.doctor_command")
@click.argument("profiles", metavar="[PROFILE]...", nargs=-1)
@json_option
# Shorter than elsewhere: the user is waiting for the diagnosis.
@click.option(
    "--timeout",
    type=Duration(),
    default=15.0,
    help="Give up on a host that does not answer for this long, such as 60s. [default: 15s]",
)
def doctor_command() -> None:
    """Check the configuration, the secrets, the login, the rights, a listing, the clock, the disk and the terminal.

    Nothing is changed, and no secret is shown. The exit code is that of the first failure, 0 without one.

    \b
    Examples:
      cloudstore doctor
      cloudstore doctor acme8 --json
    """


@click.command("completion", cls=Command, does="completion.completion_command")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command() -> None:
    """Print a script that lets a shell complete commands, options, profiles, regions, searches and remote paths.

    Completing a remote path takes at most one request and two seconds; the answer is cached for a minute.

    \b
    Examples:
      cloudstore completion bash >> ~/.bashrc
      cloudstore completion zsh >> ~/.zshrc
      cloudstore completion fish > ~/.config/fish/completions/cloudstore.fish
    """


@click.command("keys", cls=Command, does="setup.keys_command")
@json_option
def keys_command() -> None:
    """List every action of the browser with its id, its keys and what it does.

    The ids are what `[keys]` in the configuration takes.

    \b
    Example:
      cloudstore keys
    """


@click.command("themes", cls=Command, does="setup.themes_command")
@json_option
def themes_command() -> None:
    """List the built-in themes and your own.

    \b
    Example:
      cloudstore themes
    """
