"""Options and argument types that several commands share."""

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

QUIET = "cloudstore.quiet"
"""The key in the context's `meta`: whether only results and errors are wanted."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class DefaultTimeout(float):
    """Seconds that nobody asked for."""


READING = DefaultTimeout(120)
"""Seconds after which a command that only reads gives up on a host that does not answer."""
TRANSFERRING = DefaultTimeout(900)
"""Seconds after which a transfer does."""


TIMES = ("modified", "created", "updated")
FIELDS = (
    *("path", "profile", "provider", "region", "id", "key", "name", "type", "mime", "size", "size_exact", *TIMES),
    *("state", "checksum", "checksum_type", "bucket_id", "tags", "expires"),
)
"""Every column that is not a tag: the fields of a record, its path, and when it expires by the user's policy."""


class HelpOption(click.Option):
    """An option with its own heading in the help."""

    def __init__(self, *names: Any, section: str = "Options", **more: Any) -> None:
        super().__init__(*names, **more)
        self.section = section


class Command(click.Command):
    """A command whose help has its options under headings, and whose function is imported when it runs."""

    def __init__(self, *arguments: Any, does: str = "", **more: Any) -> None:
        """`does` names the function to call in place of the decorated one, such as `look.ls_command`."""
        super().__init__(*arguments, **more)
        self.does = does
        if does:
            self.callback = partial(_call_function, *does.split("."))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of each section, in the order in which the first of each is declared."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx)
            if record is not None and isinstance(option, click.Option):
                sections.setdefault(getattr(option, "section", "Options"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Where to find the options that every command has."""
        formatter.write_paragraph()
        formatter.write_text("Every command also takes -q, -v and --config FILE: see cloudstore --help.")


def _call_function(module: str, function: str, /, **given: Any) -> int | None:
    """Call the function behind a command, in a session if it takes one; returns its exit code, 0 if it is `None`."""
    work = getattr(import_module(f"cloudstore_tui.cli.{module}"), function)
    if "session" in signature(work).parameters:
        work = partial(import_module("cloudstore_tui.cli.session").run, work)
    code: int | None = work(**given)
    return code


class Group(click.Group):
    """Commands below a command."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names; the error lists those that there are."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            names = ", ".join(self.list_commands(ctx))
            raise click.NoSuchCommand(error.command_name, f"{error.message} There are: {names}.", ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, each with the whole first sentence of its help."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(200)) for name, command in commands if command])


def imported_command(module: str, name: str, does: str) -> click.Command:
    """The command that a module of this package declares, with its line in the help."""
    command = getattr(import_module(f"cloudstore_tui.cli.{module}"), f"{name}_command")
    assert isinstance(command, click.Command)
    command.short_help = does
    return command


class Duration(click.ParamType[float]):
    """A time span such as 90s, 15m, 24h or 7d, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, from 1 to 30 days. A number without a unit is refused: people mean hours as often as seconds."""
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        if text.isdecimal():
            self.fail(f"{value!r} has no unit: write {text}s, {text}m, {text}h or {text}d.", param, ctx)
        found = re.fullmatch(r"(\d{1,7})\s*([smhd])", text)
        seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
        if not 1 <= seconds <= 30 * 86400:
            self.fail(f"{value!r} is not a time span from 1s to 30d, such as 90s, 15m or 24h.", param, ctx)
        return seconds


class Percent(click.ParamType[float]):
    """A percentage such as 5% or 0.5%, as a fraction."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """More than 0, at most 1."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)%", str(value).strip())
        part = float(found[1]) / 100 if found else 0.0
        if not 0 < part <= 1:
            self.fail(f"{value!r} is not a percentage from 0.000001% to 100%, such as 5%.", param, ctx)
        return part


class LocalPath(click.ParamType["Path"]):
    """A file or folder on this machine, never `-`, which would be stdin or stdout elsewhere."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Path":
        """The path, as a shell would expand it."""
        if value == "-":
            self.fail("'-' is neither a file nor a folder here; for one of this name write ./-.", param, ctx)
        # Deferred: help needs no local paths.
        from pathlib import Path

        from cloudstore_tui.config.paths import user_path

        return value if isinstance(value, Path) else user_path(str(value))


class Number(click.IntRange):
    """A whole number within limits."""

    name = "number"


output_option = partial(click.option, cls=HelpOption, section="Output")

json_option = output_option("--json", "as_json", is_flag=True, help="Print JSON lines only.")
yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
dry_run_option = click.option("-n", "--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
limit_option = output_option("--limit", metavar="N", type=Number(1, 100_000_000), help="Stop after this many.")


def timeout_option(*, transfers: bool = False) -> Callable[[Decorated], Decorated]:
    """`--timeout`: how long to try a host that does not answer."""
    default = TRANSFERRING if transfers else READING
    return click.option(
        "--timeout",
        type=Duration(),
        default=default,
        help="Give up on a host that does not answer for this long, such as 90s or 24h. "
        f"[default: {default / 60:.0f}m]",
    )


def conflict_option(*ways: str, asks: bool = True) -> Callable[[Decorated], Decorated]:
    """`--on-conflict`: what to do where the name is taken; `asks`: whether the user is asked on a terminal."""
    default = "ask on a terminal, else refuse" if asks else "refuse"
    return click.option(
        "--on-conflict",
        type=click.Choice(ways or ("refuse", "skip", "overwrite", "keep-both")),
        help=f"What to do if something else has the name. [default: {default}]",
    )


def option_group(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Several options as one decorator, in the order of the help."""

    def add(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_query_option = partial(click.option, cls=HelpOption, section="Which objects")
_report_option = partial(click.option, cls=HelpOption, section="Report")

since_options = option_group(
    _query_option("--fiql", default="", metavar="FILTER", help="A FIQL filter, sent as written if it parses."),
    _query_option(
        "--type", "type_", default="", metavar="TYPE[,TYPE]", help="Only these types, such as recording or summary."
    ),
    _query_option(
        "--since", default="", metavar="TIME", help="Created at or after this time: 2024-09-01, yesterday, 7d …"
    ),
)
query_options = option_group(
    since_options, _query_option("--until", default="", metavar="TIME", help="Created before this time.")
)
export_options = option_group(
    output_option(
        "--columns", default="", metavar="A,B", help=f"Fields ({', '.join(FIELDS)}) and tags, in this order."
    ),
    output_option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv", "parquet"]),
        help="Parquet needs -o and the extra `parquet`. [default: from the ending of FILE, else table]",
    ),
    output_option(
        "-o", "--output", "file", type=LocalPath(), metavar="FILE", help="Write to a new file instead of printing."
    ),
    output_option("--json", "as_json", is_flag=True, help="Same as --format json."),
)
run_options = option_group(
    _report_option("--report", type=LocalPath(), metavar="FILE", help="Write a report of the run, as JSON."),
    _report_option(
        "--metrics",
        type=LocalPath(),
        metavar="FILE.prom",
        help="Write metrics of the run for node_exporter's textfile collector.",
    ),
    _report_option(
        "--on-success", metavar="CMD|URL", help="After success run a command with the report on stdin, or ping a URL."
    ),
    _report_option(
        "--on-failure", metavar="CMD|URL", help="The same after failure. $NAME is read from the environment."
    ),
)


class CommandWithSubcommands(Group):
    """A command that takes arguments of its own and has further commands below it: `restore PATH`, `restore list`."""

    def __init__(self, own: "OwnCommand") -> None:
        super().__init__(own.name, short_help=own.short_help, help=own.help, add_help_option=False)
        self.own = own
        """The command without a subcommand."""
        own.whole = self

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command itself in front of arguments that name no subcommand."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else ["", *args])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A subcommand, or the command itself."""
        return super().get_command(ctx, cmd_name) if cmd_name else self.own


class _OwnContext(click.Context):
    @property
    def command_path(self) -> str:
        """Without the space before its empty name."""
        return super().command_path.rstrip()


class OwnCommand(Command):
    """A `CommandWithSubcommands` without a subcommand."""

    context_class = _OwnContext
    whole: CommandWithSubcommands

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the subcommands."""
        super().format_options(ctx, formatter)
        assert ctx.parent is not None
        self.whole.format_commands(ctx.parent, formatter)
