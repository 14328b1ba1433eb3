"""What the commands take that set the program up."""

import click

from cloudstore_tui.cli.options import (
    Command,
    Duration,
    Group,
    json_option,
    timeout_option,
    yes_option,
)


@click.group("profile", cls=Group)
def profile_command() -> None:
    """Add, show, test and remove profiles.

    \b
    Example:
      cloudstore profile add
    """


profile_command.add_deferred("add", "profile_add", "Add a profile: asks, tests it, and saves it.")


@profile_command.command("list", does="profile.list_command")
@json_option
def profile_list_command() -> None:
    """List the profiles.

    \b
    Example:
      cloudstore profile list
    """


@profile_command.command("show", does="profile.show_command")
@click.argument("name")
@json_option
def profile_show_command() -> None:
    """Show one profile, and where each secret comes from, never its value.

    \b
    Example:
      cloudstore profile show acme
    """


@profile_command.command("test", does="profile.test_command")
@click.argument("name")
@json_option
@timeout_option()
def profile_test_command() -> None:
    """Log in with a profile and look at everything it needs.

    \b
    Example:
      cloudstore profile test acme8
    """


@profile_command.command(
    "remove", short_help="Remove a profile and the secrets stored for it.", does="profile.remove_command"
)
@click.argument("name")
@yes_option
def profile_remove_command() -> None:
    """Remove a profile from the configuration; everything else in the file stays as it is.

    Secrets that `profile add` stored, in the keyring or in a file beside the configuration, are removed, too. What is
    left, such as a command or a variable, is told. Nothing is changed at the service.

    \b
    Example:
      cloudstore profile remove acme8
    """


@click.command("doctor", cls=Command, does="doctor.doctor_command")
@click.argument("profiles", metavar="[PROFILE]...", nargs=-1)
@json_option
# Somebody is waiting to be told what is wrong.
@click.option(
    "--timeout",
    type=Duration(),
    default=15.0,
    help="Give up on a host that does not answer after this long, such as 60s. [default: 15s]",
)
def doctor_command() -> None:
    """Check the configuration, the secrets, the login, the rights, a listing, the clock, the disk and the terminal.

    Nothing is changed, and no secret is shown. It ends with the code of the first thing that failed, 0 if nothing did.

    \b
    Examples:
      cloudstore doctor
      cloudstore doctor acme8 --json
    """


@click.command("completion", cls=Command, does="completion.completion_command")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command() -> None:
    """Print what makes a shell complete commands, options, profiles, regions, saved searches and remote paths.

    Remote paths are asked for with one request, for at most two seconds, and remembered for a minute.

    \b
    Examples:
      cloudstore completion bash >> ~/.bashrc
      cloudstore completion zsh >> ~/.zshrc
      cloudstore completion fish > ~/.config/fish/completions/cloudstore.fish
    """


@click.command("keys", cls=Command, does="reference.keys_command")
@json_option
def keys_command() -> None:
    """List every action of the browser with its id, its keys and what it does.

    The ids are what `[keys]` in the configuration takes.

    \b
    Example:
      cloudstore keys
    """


@click.command("themes", cls=Command, does="reference.themes_command")
@json_option
def themes_command() -> None:
    """List the built-in themes and your own.

    \b
    Example:
      cloudstore themes
    """
