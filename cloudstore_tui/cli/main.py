"""The command `cloudstore`: which commands there are, how its process begins, and how every failure ends."""

import gc
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from cloudstore_tui import __version__
from cloudstore_tui.cli.options import QUIET, imported_command

if TYPE_CHECKING:
    from cloudstore_tui.core.errors import StorageError

SECTIONS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("Look", "look"): {
        "ls": "List a folder or region.",
        "find": "Search an 8x8 profile by words, FIQL, type and time.",
        "stat": "Show everything known about one object.",
        "preview": "Show what is in an object without downloading all of it.",
        "call": "Show or download everything that belongs to one call.",
        "url": "Print a signed link to an object.",
    },
    ("Download and upload", "fetch"): {
        "get": "Download objects and verify them.",
        "pull": "Download everything that a search finds or a folder holds.",
        "watch": "Pull again and again: download what is new as it appears.",
        "verify": "Check a pulled folder against its manifest.",
        "status": "Show when a pulled folder was last complete.",
        "reconcile": "Compare a list of calls with a pulled folder and the service.",
        "seal": "Seal a pulled folder as a bag that an auditor can check.",
        "zip": "Have the service pack objects into a zip, and fetch it.",
        "put": "Upload files to a folder.",
        "transfers": "List transfers; resume, pause or cancel them.",
    },
    ("Archive and delete", "delete"): {
        "restore": "Restore archived objects.",
        "rm": "Delete objects.",
        "deletions": "Show what was deleted.",
    },
    ("Filters", "look"): {
        "search": "List, save and remove searches.",
        "fiql": "Check, explain and compile filters before they are sent.",
    },
    ("Set up", "setup"): {
        "profile": "Add, show, test and remove profiles.",
        "doctor": "Diagnose problems and suggest fixes.",
        "completion": "Print the script that lets a shell complete commands and paths.",
        "keys": "List every key of the browser.",
        "themes": "List the themes.",
    },
    ("Without an account", "browser"): {
        "demo": "Open the browser on a sandbox; needs no account.",
        "sandbox": "Serve both services on this machine, to try things out.",
    },
}
"""The headings of the help with the modules of `commands` behind them, and below each its commands and what they do."""
COMMANDS = {name: (module, does) for (_, module), commands in SECTIONS.items() for name, does in commands.items()}

_ERROR = 2
_COMPLETING = "_CLOUDSTORE_COMPLETE"
"""Set where the shell asks what could follow."""

_LOG_FILE = "CLOUDSTORE_LOG"
"""Names the file of the log, for every command."""

OPEN = "open"
"""The hidden command behind `cloudstore` and `cloudstore PATH`."""


class CommandLine(click.Group):
    """Finds commands by name, and takes an address, or the name of a profile, for what to open in the browser."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module, does = ("browser", "") if cmd_name == OPEN else COMMANDS.get(cmd_name, ("", ""))
        if not module:
            return None
        return imported_command(f"commands.{module}", cmd_name, does)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; where there is none, the names that are nearest are told."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            # Deferred: most commands are known.
            from cloudstore_tui.cli.habits import instead_of_command

            known = instead_of_command(error.command_name)
            message = f"{error.message} {known}." if known else None
            near = () if known else (*COMMANDS, *_profiles())
            raise click.NoSuchCommand(error.command_name, message, near, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands under their headings."""
        widest = max(map(len, COMMANDS))
        for (title, _), commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{widest}}", does) for name, does in commands.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden command in front of a path, or of nothing; options of every command may stand anywhere."""
        ahead, args = _pulled_ahead(ctx, args)
        first = next((arg for arg in args if not arg.startswith("-")), None)
        if (first is None and not {"--help", "-h", "--version"} & set(args)) or (first and _is_address(first)):
            args = [OPEN, *args]
        return super().parse_args(ctx, [*ahead, *args])


def _pulled_ahead(ctx: click.Context, args: list[str]) -> tuple[list[str], list[str]]:
    """The options that every command has, and the rest; `--json`, which not all have, comes last wherever it stands.

    A configuration that is named is used from here on.
    """
    ahead: list[str] = []
    rest: list[str] = []
    last: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            last += [word, *words]
        elif word == "--json":
            last.insert(0, word)
        elif word in ("-v", "--debug", "-q", "--quiet"):
            ahead.append(word)
        elif word == "--config" or word.startswith("--config="):
            ahead += [word, *islice(words, word == "--config")]
            if ahead[-1] == "--config":
                raise click.BadOptionUsage("config", "Option '--config' requires an argument.", ctx)
            os.environ["CLOUDSTORE_CONFIG"] = ahead[-1].removeprefix("--config=")
        else:
            rest.append(word)
    return ahead, rest + last


def _is_address(word: str) -> bool:
    """Whether a word in the place of a command says where to open the browser."""
    if ":" in word:
        return True
    return word not in COMMANDS and word in _profiles()


def _profiles() -> tuple[str, ...]:
    """The names of the profiles; none where the configuration cannot be used."""
    # Deferred: most commands are known without the configuration.
    from cloudstore_tui.cli import session
    from cloudstore_tui.core.errors import StorageError

    with suppress(StorageError):
        return tuple(session.open_config().profiles)
    return ()


@click.command(
    cls=CommandLine,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command the browser opens; `cloudstore PATH` opens it there. "
    "PATH is PROFILE:REST, such as acme:exports/reporting/ or acme8:us-east/<object id>. "
    "The browser takes --no-mouse, --low-bandwidth and --no-low-bandwidth. The options above may be given anywhere.",
)
@click.version_option(__version__, prog_name="cloudstore")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors, and nothing else.")
@click.option(
    "-v",
    "--debug",
    is_flag=True,
    help="Log every request to stderr, or to a file if the browser is open; never secrets.",
)
@click.option(
    "--config",
    metavar="FILE",
    expose_value=False,
    help="Use this configuration file. [default: $CLOUDSTORE_CONFIG, else your own]",
)
@click.pass_context
def cloudstore(context: click.Context, *, quiet: bool, debug: bool) -> None:
    """Browse and fetch from Alvaria Cloud Media Storage and the 8x8 Cloud Storage Service.

    Try it without an account: cloudstore demo
    """
    context.meta[QUIET] = quiet
    if debug or os.environ.get(_LOG_FILE):
        begin_log(beside_screen=context.invoked_subcommand in (OPEN, "demo"))


def begin_log(*, beside_screen: bool) -> None:
    """Begin the log: in the file that the environment names, on standard error, or beside the state of the browser."""
    # Deferred: most runs log nothing.
    from cloudstore_tui.config.paths import state_folder, user_path
    from cloudstore_tui.net.logs import start_logging

    if chosen := os.environ.get(_LOG_FILE):
        start_logging(user_path(chosen))
    elif not beside_screen:
        start_logging(None)
    else:
        file = state_folder() / "cloudstore.log"
        with suppress(OSError):
            file.parent.mkdir(0o700, parents=True, exist_ok=True)
        start_logging(file)
        _print_message(f"The log is written to {file}.")


def forbid_core_dumps() -> None:
    """Let a crash of this process, or of those it starts, write no memory to the disk."""
    if os.name != "posix":
        return
    # Not there on other systems.
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def collect_garbage_rarely() -> None:
    """Look for cycles after many more new objects than usual: imports and lists are full of objects that stay."""
    gc.set_threshold(200_000, 20, 20)


def open_closed_streams() -> None:
    """Open them to nowhere: else the next file of ours would be in their place, and be read or written as such."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _ERROR:
        pass
    os.close(handle)
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    # Deferred: help and completion need no paths.
    from pathlib import Path

    nowhere = Path(os.devnull)
    # Nobody closes them again before the end.
    sys.stdin = sys.stdin or nowhere.open()
    sys.stdout = sys.stdout or nowhere.open("w")
    sys.stderr = sys.stderr or nowhere.open("w")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and end with its exit code: 0, or the code of `core.errors`, 130 stopped, 141 closed pipe."""
    forbid_core_dumps()
    open_closed_streams()
    collect_garbage_rarely()
    try:
        if _COMPLETING in os.environ:
            code = int(import_module("cloudstore_tui.cli.completion").answer(cloudstore))
        else:
            code = execute(list(sys.argv[1:] if arguments is None else arguments))
    except BrokenPipeError:
        from cloudstore_tui.core.errors import CLOSED_PIPE

        code = CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 - a traceback could show what was secret
        # Deferred, as all that only a failure needs.
        from cloudstore_tui.core.errors import CRASHED, crash_sentence

        _print_message(crash_sentence(error))
        code = CRASHED
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        # A look-up of a name that hangs in its thread must not hold up the end.
        os._exit(code)
    sys.exit(code)


def _flush(stream: TextIO) -> None:
    """Write what is left of a stream; Python must not report at exit a failure that has been reported already."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def execute(args: list[str]) -> int:
    """Run a command; the code that it ends with."""
    as_json = _wants_json(args)
    try:
        return _run(args, as_json=as_json)
    except Exception as error:
        # Deferred: a run that succeeds, or only helps, has no errors of ours.
        from pathlib import Path

        from cloudstore_tui.cli.output import describe_error
        from cloudstore_tui.core.errors import LocalDiskError, StorageError

        if isinstance(error, FileNotFoundError) and not _is_somewhere():
            error = LocalDiskError("the current folder is gone", hint="Change into one that is there.")
        elif isinstance(error, OSError) and isinstance(error.filename, str):
            # A folder that nobody may enter, or a name that no disk takes: found out wherever it is first looked at.
            from cloudstore_tui.fs.disk import disk_error

            error = disk_error(error, Path(error.filename))
        if not isinstance(error, StorageError):
            raise
        if as_json:
            _report_json(error, error.code)
        _print_message(describe_error(error))
        return error.code


def _is_somewhere() -> bool:
    """Whether the folder in which relative paths begin is still there."""
    # Deferred: asked only where something is missing.
    from pathlib import Path

    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _run(args: list[str], *, as_json: bool) -> int:
    try:
        with cloudstore.make_context("cloudstore", args) as context:
            return cloudstore.invoke(context) or 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        message = _usage_error(error)
        _print_message(message)
        if as_json:
            _report_json(message, error.exit_code)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130


def _print_message(text: str) -> None:
    # Deferred: help and completion have no messages.
    from cloudstore_tui.cli.output import Output

    Output(as_json=False).print_message(text)


def _wants_json(args: list[str]) -> bool:
    """Whether failures are reported as JSON, too, even those of the arguments."""
    pairs = pairwise(args)
    return "--json" in args or "--format=json" in args or ("--format", "json") in pairs


def _usage_error(error: click.ClickException) -> str:
    """What is wrong with the arguments, in one line with where to read on; the help of a command without one."""
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError) or not isinstance(error, click.UsageError):
        return message
    words = " ".join(message.split())
    if isinstance(error, click.NoSuchOption) and error.ctx:
        # Deferred: most options are known.
        from cloudstore_tui.cli.habits import instead_of_option

        known = instead_of_option(error.ctx.info_name or "", error.option_name)
        words = f"{error.message} {known}." if known else words
    command = error.ctx.command_path.removesuffix(f" {OPEN}") if error.ctx else "cloudstore"
    stop = "" if words.rstrip(")").endswith((".", "?", "!")) else "."
    return f"{command}: {words[:1].lower()}{words[1:]}{stop} See {command} --help."


def _report_json(error: "StorageError | str", code: int) -> None:
    import json

    from cloudstore_tui.cli.output import error_record
    from cloudstore_tui.core.errors import StorageError, UsageError

    if isinstance(error, StorageError):
        record = error_record(error, error.subject)
    else:
        record = error_record(UsageError(""), "") | {"error": error}
    with suppress(OSError):
        click.echo(json.dumps(record | {"code": code}))
