"""The commands that open the browser or serve the sandbox."""

from datetime import UTC, datetime

import click

from cloudstore_tui.cli.options import Command, LocalPath, Number, option_group

screen_options = option_group(
    click.option(
        "--low-bandwidth/--no-low-bandwidth",
        default=None,
        help="Fewer redraws, for a slow connection. [default: over SSH only]",
    ),
    click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
)


class NowType(click.ParamType[datetime]):
    """A date and time; without a zone it is UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time, with a zone."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            # Deferred: most times are valid.
            from cloudstore_tui.core.errors import UsageError

            raise UsageError(
                "this is not a date and time", subject=f"--now {value}", hint="Write one as 2024-09-02T09:00."
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_now_option = click.option(
    "--now",
    metavar="TIME",
    default="2024-09-02T09:00Z",
    show_default=True,
    type=NowType(),
    help="The time that the data is made for: ages count back from it.",
)


@click.command("open", cls=Command, hidden=True, does="browser.open_command")
@click.argument("path", default="")
@screen_options
def open_command() -> None:
    """Open the browser, at PATH if one is given."""


@click.command("sandbox", cls=Command, does="browser.sandbox_command")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", metavar="PORT", type=Number(0, 65535), default=0, help="0 chooses a free one. [default: 0]")
@click.option(
    "--data", metavar="DIR", type=LocalPath(), help="Keep the data in this folder. [default: a temporary one]"
)
@click.option("--seed", metavar="N", type=int, default=1, show_default=True, help="The same seed makes the same data.")
@click.option("--objects", metavar="N", type=Number(0, 10_000_000), default=0, help="Extra recordings to add.")
@_now_option
@click.option(
    "--switch",
    "switches",
    metavar="ID=VALUE",
    multiple=True,
    help="Answer differently where the vendors' documentation is unclear.",
)
@click.option("--list-switches", is_flag=True, help="List all switches and their values, and exit.")
@click.option(
    "--fault", "faults", metavar="NAME KEY=VALUE…", multiple=True, help="Inject faults, such as cut downloads."
)
@click.option("--list-faults", is_flag=True, help="List all faults and how to write one, and exit.")
@click.option("--with-parent", is_flag=True, hidden=True)
@click.option("--socket", "socket_fd", type=int, hidden=True)
@click.option("--remove", type=LocalPath(), hidden=True)
def sandbox_command() -> None:
    """Serve Alvaria v2 and v3 and 8x8 v3 on this machine until stopped.

    The first line on stdout is JSON: {"event": "ready", "base_url": …, "config": …}. The file `config` is a
    configuration with a profile for each service and version.

    \b
    Examples:
      cloudstore sandbox
      export CLOUDSTORE_CONFIG=<config of the first line>; cloudstore ls acme:
      cloudstore sandbox --objects 1000000 --switch A-14=wrapped
      cloudstore sandbox --fault 'reset-after after=65536 where=blob times=3'
      cloudstore sandbox --fault 'mix seed=7 share=0.5'
    """


@click.command("demo", cls=Command, does="browser.demo_command")
@click.option("--seed", metavar="N", type=int, default=1, show_default=True, help="The same seed makes the same data.")
@click.option("--objects", metavar="N", type=Number(0, 10_000_000), default=0, help="Extra recordings to add.")
@_now_option
@screen_options
def demo_command() -> None:
    """Open the browser on a sandbox of both services, which ends when the browser does.

    Your own configuration is neither read nor written. Downloads go to the folder cloudstore-demo below the
    current one; nothing else is left behind.

    \b
    Examples:
      cloudstore demo
      cloudstore demo --objects 1000000
    """
