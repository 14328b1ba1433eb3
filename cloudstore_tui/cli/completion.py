"""`completion`: what the shell offers on Tab."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import click
from click.shell_completion import CompletionItem, FishComplete, ShellComplete, ZshComplete, split_arg_string

from cloudstore_tui.config.paths import config_file

VARIABLE = "_CLOUDSTORE_COMPLETE"
"""Set by the scripts below: the shell asks for offers."""

_LONGEST = 2.0
"""Seconds after which nothing is offered; nobody waits longer for a Tab."""
_PATHS = frozenset({"path", "paths", "where", "files"})
_PROFILES = frozenset({"name", "profiles"})
# Bash takes a colon for the end of a word, so the script splits the line itself, and gives back what follows the last.
_BASH = """\
%(complete_func)s() {
    local reply kind value word=${COMP_LINE:0:COMP_POINT} cut=
    word=${word##*[[:space:]]}
    case $COMP_WORDBREAKS in *:*) case $word in *:*) cut=${word%%:*}: ;; esac ;; esac
    COMPREPLY=()
    while IFS= read -r reply; do
        kind=${reply%%%%,*} value=${reply#*,}
        case $kind in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            *)
                case $value in *[:/]) compopt -o nospace 2>/dev/null ;; esac
                printf -v value %%q "${value#"$cut"}"
                COMPREPLY+=("$value") ;;
        esac
    done < <(env %(complete_var)s=bash_complete COMP_LINE="${COMP_LINE:0:COMP_POINT}" "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(ShellComplete):
    name = "bash"
    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words so far, and the one that is being typed."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)[1:]
        return (words, "") if not words or line[-1:].isspace() else (words[:-1], words[-1])

    def format_completion(self, item: CompletionItem) -> str:
        """One line: what kind of thing it is, and the thing."""
        return f"{item.type},{item.value}"


SHELLS: Mapping[str, type[ShellComplete]] = MappingProxyType(
    {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete},
)


@click.command("completion", short_help="Let the shell complete commands and paths.")
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
def completion_command(shell: str) -> None:
    """Print what makes a shell complete commands, options, profiles, regions, saved searches and remote paths.

    Remote paths are asked for with one request, for at most two seconds, and remembered for a minute.

    \b
    Examples:
      cloudstore completion bash >> ~/.bashrc
      cloudstore completion zsh >> ~/.zshrc
      cloudstore completion fish > ~/.config/fish/completions/cloudstore.fish
    """
    root = click.get_current_context().find_root().command
    kind = SHELLS[shell]
    made = kind(root, {}, "cloudstore", VARIABLE)
    click.echo(kind.source_template % made.source_vars())


def answer(root: click.Command) -> int:
    """Print what fits the words that the shell gave; 0 whatever happened."""
    kind = SHELLS.get(os.environ[VARIABLE].partition("_")[0])
    if kind is None:
        return 0
    shell = kind(root, {}, "cloudstore", VARIABLE)
    words, incomplete = shell.get_completion_args()
    for item in _offers(root, words, incomplete):
        if item.value.isprintable():
            click.echo(shell.format_completion(item))
    return 0


def _offers(root: click.Command, words: list[str], incomplete: str) -> list[CompletionItem]:
    context = _context(root, words)
    command = context.command
    if isinstance(command, click.Group) and not incomplete.startswith("-"):
        names = [name for name in command.list_commands(context) if name.startswith(incomplete)]
        # A path in place of a command opens the browser there.
        return _items([*names, *(_paths(incomplete) if context.parent is None else ())])
    if option := _option_before(command, words):
        return option.shell_complete(context, incomplete)
    if incomplete.startswith("-"):
        return command.shell_complete(context, incomplete)
    return _for_argument(context, incomplete)


def _context(root: click.Command, words: list[str]) -> click.Context:
    """The command that the words lead to, without the rest of them: they may be wrong so far."""
    context = click.Context(root, info_name="cloudstore", resilient_parsing=True)
    for word in words:
        found = context.command.get_command(context, word) if isinstance(context.command, click.Group) else None
        if found is None:
            break
        context = click.Context(found, context, info_name=word, resilient_parsing=True)
    return context


def _option_before(command: click.Command, words: list[str]) -> click.Option | None:
    """The option whose value is being typed."""
    last = words[-1] if words else ""
    options = [one for one in command.params if isinstance(one, click.Option) and not one.is_flag and not one.count]
    return next((option for option in options if last in option.opts), None)


def _for_argument(context: click.Context, incomplete: str) -> list[CompletionItem]:
    command = context.command
    names = {argument.name for argument in command.params if isinstance(argument, click.Argument)}
    if incomplete.startswith("@") and "words" in names:
        return _items(f"@{name}" for name in _saved() if f"@{name}".startswith(incomplete))
    if names & _PATHS:
        files = [CompletionItem(incomplete, type="file")] if "files" in names and ":" not in incomplete else []
        return [*_items(_paths(incomplete)), *files]
    if "profiles" in names or ("name" in names and _is_about_profiles(context)):
        return _items(name for name in _profiles() if name.startswith(incomplete))
    return command.shell_complete(context, incomplete) + [
        item
        for argument in command.params
        if isinstance(argument, click.Argument)
        for item in argument.shell_complete(context, incomplete)
    ]


def _is_about_profiles(context: click.Context) -> bool:
    return context.parent is not None and context.parent.info_name == "profile"


def _paths(incomplete: str) -> Iterable[str]:
    if ":" not in incomplete:
        return [f"{name}:" for name in _profiles() if name.startswith(incomplete)]
    # Deferred: only remote paths need the services.
    from cloudstore_tui.cli.remote_paths import remote_paths

    return remote_paths(incomplete, _LONGEST)


def _items(values: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(value) for value in values]


def _profiles() -> tuple[str, ...]:
    found = _read(config_file()).get("profiles")
    return tuple(found) if isinstance(found, dict) else ()


def _saved() -> tuple[str, ...]:
    # Deferred: nothing else needs the searches.
    from cloudstore_tui.config.searches import FILE

    return tuple(_read(config_file().parent / FILE))


def _read(path: Path) -> Mapping[str, object]:
    """What a file says; nothing if it says it in a wrong way."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
