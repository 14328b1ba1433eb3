"""Options and argument types that several commands share."""

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


class DefaultTimeout(float):
    """Seconds that nobody has asked for."""


READING = DefaultTimeout(120)
"""Seconds after which a command that only reads gives up on a dead host."""
TRANSFERRING = DefaultTimeout(900)
"""Seconds after which a transfer does."""


TIMES = ("modified", "created", "updated")
FIELDS = (
    *("path", "profile", "provider", "region", "id", "key", "name", "type", "mime", "size", "size_exact", *TIMES),
    *("state", "checksum", "checksum_type", "bucket_id", "tags", "expires"),
)
"""Every field of a row, the path that other commands take, and the end by the user's policy; else it is a tag."""


class HelpOption(click.Option):
    """An option under a heading of its own in the help."""

    def __init__(self, *names: Any, section: str = "Options", **more: Any) -> None:
        super().__init__(*names, **more)
        self.section = section


class Command(click.Command):
    """A command whose help has its options under headings, and whose doing is imported once it runs."""

    def __init__(self, *arguments: Any, does: str = "", **more: Any) -> None:
        """Make one; `does` names the function that is called in place of the decorated one, such as `ls.ls_command`."""
        super().__init__(*arguments, **more)
        self.does = does
        if does:
            self.callback = partial(_do, *does.split("."))

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
        """Where the options are told that every command has."""
        formatter.write_paragraph()
        formatter.write_text("Every command also takes -q, -v and --config FILE: see cloudstore --help.")


def _do(module: str, function: str, /, **given: Any) -> None:
    """Call what does a command's work; what has to wait for something gets a session, and is run in a loop."""
    doing = getattr(import_module(f"cloudstore_tui.cli.{module}"), function)
    if iscoroutinefunction(doing):
        import_module("cloudstore_tui.cli.session").run(doing, **given)
    else:
        doing(**given)


class Group(click.Group):
    """Commands below a command."""

    command_class = Command


def imported_command(module: str, name: str, does: str) -> click.Command:
    """The command that a module of this package declares, with its line in the help."""
    found = getattr(import_module(f"cloudstore_tui.cli.{module}"), f"{name}_command")
    assert isinstance(found, click.Command)
    found.short_help = does
    return found


class Duration(click.ParamType[float]):
    """A time span such as 90, 90s, 15m, 24h or 7d, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, from 1 to 30 days."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,7})\s*([smhd]?)", str(value).strip().lower())
        seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
        if not 1 <= seconds <= 30 * 86400:
            self.fail(f"{value!r} is not a time span from 1s to 30d, such as 90s, 15m or 24h.", param, ctx)
        return seconds


class Percent(click.ParamType[float]):
    """A part such as 5% or 0.5%."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """More than 0, at most 1."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)%", str(value).strip())
        part = float(found[1]) / 100 if found else 0.0
        if not 0 < part <= 1:
            self.fail(f"{value!r} is no part from 0.000001% to 100%, such as 5%.", param, ctx)
        return part


class LocalPath(click.ParamType["Path"]):
    """A file or folder of this machine, as people write it."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Path":
        """The path that a shell would make of it."""
        # Deferred: help needs no folders of this machine.
        from pathlib import Path

        from cloudstore_tui.config.paths import user_path

        return value if isinstance(value, Path) else user_path(str(value))


def json_option(command: Decorated) -> Decorated:
    """`--json`: JSON lines and nothing else on stdout."""
    return click.option(
        "--json",
        "as_json",
        cls=HelpOption,
        section="Output",
        is_flag=True,
        help="Print JSON lines and nothing else on stdout.",
    )(command)


def timeout_option(*, transfers: bool = False) -> Callable[[Decorated], Decorated]:
    """`--timeout`: how long a dead host is tried."""
    default = TRANSFERRING if transfers else READING
    return click.option(
        "--timeout",
        type=Duration(),
        default=default,
        help=f"Give up on a host that does not answer after this long, such as 90s or 24h. [default: {default:.0f}s]",
    )


limit_option = click.option(
    "--limit",
    cls=HelpOption,
    section="Output",
    metavar="N",
    type=click.IntRange(1, 100_000_000),
    help="Stop after this many.",
)


def yes_option(command: Decorated) -> Decorated:
    """`--yes`: no question."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")(command)


def dry_run_option(command: Decorated) -> Decorated:
    """`--dry-run`: only told."""
    return click.option("-n", "--dry-run", is_flag=True, help="Tell what would be done, and do nothing of it.")(command)


def conflict_option(*ways: str, asks: bool = True) -> Callable[[Decorated], Decorated]:
    """`--on-conflict`: what is done where the name is taken; `asks` tells whether the user is asked on a terminal."""
    default = "ask, or refuse where nobody can be asked" if asks else "refuse"
    return click.option(
        "--on-conflict",
        type=click.Choice(ways or ("refuse", "skip", "overwrite", "keep-both")),
        help=f"What to do where something else has the name. [default: {default}]",
    )


def query_options(command: Decorated) -> Decorated:
    """`--fiql`, `--type`, `--since` and `--until`."""
    chosen = partial(click.option, cls=HelpOption, section="Which objects")
    options = (
        chosen("--until", default="", metavar="TIME", help="Created before this time."),
        chosen("--since", default="", metavar="TIME", help="Created at or after: 2024-09-01, yesterday, 7d …"),
        chosen("--type", "type_", default="", metavar="TYPE", help="Only this type, such as callcenterrecording."),
        chosen("--fiql", default="", metavar="FILTER", help="A FIQL filter, sent as written once it parses."),
    )
    for option in options:
        command = option(command)
    return command


def export_options(command: Decorated) -> Decorated:
    """`--columns`, `--format`, `-o` and `--json`."""
    shaped = partial(click.option, cls=HelpOption, section="Output")
    options = (
        shaped("--json", "as_json", is_flag=True, help="As --format json."),
        shaped("-o", "--output", "file", default="", metavar="FILE", help="Write a new file instead of printing."),
        shaped(
            "--format",
            "form",
            type=click.Choice(["table", "json", "csv", "parquet"]),
            help="Parquet takes -o and the extra `parquet`. [default: as FILE ends, else table]",
        ),
        shaped("--columns", default="", metavar="A,B", help=f"Fields ({', '.join(FIELDS)}) and tags, in this order."),
    )
    for option in options:
        command = option(command)
    return command


def run_options(command: Decorated) -> Decorated:
    """The options of a command that reports its runs."""
    options = (
        ("--report", LocalPath(), "FILE", "Write what became of the run, as JSON."),
        ("--metrics", LocalPath(), "FILE.prom", "Write its numbers for node_exporter's textfile collector."),
        ("--on-success", str, "CMD|URL", "Run a command with the report on stdin, or ping a URL, when all is well."),
        ("--on-failure", str, "CMD|URL", "The same when it is not. $NAME is read from the environment."),
    )
    for name, kind, metavar, text in reversed(options):
        add = click.option(name, cls=HelpOption, section="Report", type=kind, metavar=metavar, help=text)
        command = add(command)
    return command


class CommandWithParts(Group):
    """A command that takes arguments of its own and has further commands below it: `restore PATH`, `restore list`."""

    def __init__(self, own: "OwnCommand") -> None:
        super().__init__(own.name, short_help=own.short_help, help=own.help, add_help_option=False)
        self.own = own
        """What happens without a part."""
        own.whole = self

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command itself in front of arguments that name no part."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else ["", *args])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A part, or the command itself."""
        return super().get_command(ctx, cmd_name) if cmd_name else self.own


class _OwnContext(click.Context):
    @property
    def command_path(self) -> str:
        """Without the blank that would come before its name."""
        return super().command_path.rstrip()


class OwnCommand(Command):
    """The part of a command with parts that has no name."""

    context_class = _OwnContext
    whole: CommandWithParts

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the parts."""
        super().format_options(ctx, formatter)
        assert ctx.parent is not None
        self.whole.format_commands(ctx.parent, formatter)
