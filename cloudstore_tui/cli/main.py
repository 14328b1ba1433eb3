"""The command `cloudstore`: its list of commands, the start of its process, and the end of every failure."""

import atexit
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
        "watch": "Keep downloading what is new as it appears.",
        "verify": "Check a pulled folder against its manifest.",
        "status": "Show when a pulled folder was last complete.",
        "reconcile": "Compare a list of calls with a pulled folder and the service.",
        "seal": "Seal a pulled folder so that an auditor can check it.",
        "zip": "Have the service pack objects into a zip, and download it.",
        "put": "Upload files to a folder.",
        "transfers": "List transfers; resume, pause or cancel them.",
    },
    ("Restore and delete", "delete"): {
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
"""By heading of the help and module of `commands`: the commands, and what each does."""
COMMANDS = {name: (module, does) for (_, module), commands in SECTIONS.items() for name, does in commands.items()}

_STDERR = 2
_COMPLETING = "_CLOUDSTORE_COMPLETE"
"""Set when the shell asks for completions."""

_LOG_FILE = "CLOUDSTORE_LOG"
"""The variable that names the log file, for every command."""

OPEN = "open"
"""The hidden command behind `cloudstore` and `cloudstore PATH`."""


class CommandLine(click.Group):
    """Finds commands by name; an address or the name of a profile in place of one opens the browser there."""

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
        """Find the command that the first word names; the error suggests what may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            # Deferred: most commands are known.
            from cloudstore_tui.cli.habits import instead_of_command

            instead = instead_of_command(error.command_name)
            message = f"{error.message} {instead}." if instead else None
            suggestions = () if instead else (*COMMANDS, *_profiles())
            raise click.NoSuchCommand(error.command_name, message, suggestions, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands under their headings."""
        widest = max(map(len, COMMANDS))
        for (title, _), commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{widest}}", does) for name, does in commands.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden command in front of a path, or of nothing; global options may stand anywhere."""
        ahead, args = _split_global_options(ctx, args)
        first = next((arg for arg in args if not arg.startswith("-")), None)
        if (first is None and not {"--help", "-h", "--version"} & set(args)) or (first and _is_address(first)):
            args = [OPEN, *args]
        return super().parse_args(ctx, [*ahead, *args])


def _split_global_options(ctx: click.Context, args: list[str]) -> tuple[list[str], list[str]]:
    """The global options, and the rest, with `--json`, which not all commands have, at the end.

    `--config` takes effect here: what follows may need the names of the profiles.
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
    """Whether a word in place of a command says where to open the browser."""
    if ":" in word:
        return True
    return word not in COMMANDS and word in _profiles()


def _profiles() -> tuple[str, ...]:
    """The names of the profiles; none if the configuration cannot be used."""
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
    help="Log every request to stderr, or to a file if the browser opens; never secrets.",
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
    """Keep memory, which may hold secrets, off the disk if this process or one that it starts crashes."""
    if os.name != "posix":
        return
    # Not there on other systems.
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def collect_garbage_rarely() -> None:
    """Collect cycles far less often than Python does: imports and lists create many objects that stay.

    At the end, when all memory is given back anyway, nothing is collected: it would take 0.2 s after 1,000 transfers.
    """
    gc.set_threshold(200_000, 20, 20)
    atexit.register(gc.freeze)


def open_closed_streams() -> None:
    """Connect closed standard streams to the null device: else the next file that is opened would take their place."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(handle)
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    # Deferred: help and completion need no paths.
    from pathlib import Path

    null = Path(os.devnull)
    # They stay open until the process ends.
    sys.stdin = sys.stdin or null.open()
    sys.stdout = sys.stdout or null.open("w")
    sys.stderr = sys.stderr or null.open("w")


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
        # A name look-up that hangs in its thread must not keep the process from ending.
        os._exit(code)
    sys.exit(code)


def _flush(stream: TextIO) -> None:
    """Flush a stream. If that fails, redirect it to nowhere, or Python would report the failure again at exit."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def execute(args: list[str]) -> int:
    """Run a command and return its exit code."""
    as_json = _wants_json(args)
    try:
        return _run(args, as_json=as_json)
    except Exception as error:
        # Deferred: needed only after a failure.
        from pathlib import Path

        from cloudstore_tui.cli.output import describe_error
        from cloudstore_tui.core.errors import LocalDiskError, StorageError

        if isinstance(error, FileNotFoundError) and not _is_in_a_folder():
            error = LocalDiskError("the current folder is gone", hint="Change to one that exists.")
        elif isinstance(error, OSError) and isinstance(error.filename, str):
            # No permission, or a name that the disk does not take: any access may be the first to find out.
            from cloudstore_tui.fs.disk import disk_error

            error = disk_error(error, Path(error.filename))
        if not isinstance(error, StorageError):
            raise
        if as_json:
            _report_json(error, error.code)
        _print_message(describe_error(error))
        return error.code


def _is_in_a_folder() -> bool:
    """Whether the current folder still exists."""
    # Deferred: needed only when a file is missing.
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
    """Whether failures, even of the arguments, are reported as JSON."""
    pairs = pairwise(args)
    return "--json" in args or "--format=json" in args or ("--format", "json") in pairs


def _usage_error(error: click.ClickException) -> str:
    """What is wrong with the arguments and which help to read, in one line; without arguments the help itself."""
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError) or not isinstance(error, click.UsageError):
        return message
    words = " ".join(message.split())
    if isinstance(error, click.NoSuchOption) and error.ctx:
        # Deferred: most options are known.
        from cloudstore_tui.cli.habits import instead_of_option

        instead = instead_of_option(error.ctx.info_name or "", error.option_name)
        words = f"{error.message} {instead}." if instead else words
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
