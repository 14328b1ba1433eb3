"""`completion`: what the shell offers on Tab."""

import os
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from cloudstore_tui.cli.options import CommandWithSubcommands

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "_CLOUDSTORE_COMPLETE"
"""Set by the scripts below when they ask for completions."""

_TIMEOUT_S = 2.0
"""Seconds after which nothing is offered: nobody waits longer for Tab."""
_PATHS = frozenset({"path", "paths", "where", "files"})
_LOCAL = MappingProxyType({"DIR": "dir", "FILE": "file"})
"""By metavar of an option, what the shell should complete."""
# Each script passes on the line up to the cursor as it was typed, and the shell's locale, which may not be exported.
# Bash replaces only what follows the last word break, such as a colon; COMP_WORD is that part.
_BASH = r"""%(function)s() {
    local reply value
    COMPREPLY=()
    while IFS= read -r reply; do
        value=${reply#*,}
        case ${reply%%%%,*} in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            *)
                case $value in *[:/]) compopt -o nospace 2>/dev/null ;; esac
                COMPREPLY+=("$value") ;;
        esac
    done < <(env LC_ALL="$LC_ALL" LC_CTYPE="$LC_CTYPE" LANG="$LANG" PYTHONCOERCECLOCALE=0 \
        %(variable)s=bash_complete COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORD="$2" "$1" 2>/dev/null)
}
complete -o nosort -F %(function)s cloudstore 2>/dev/null || complete -F %(function)s cloudstore
"""
_ZSH = r"""#compdef cloudstore

%(function)s() {
    local reply value
    local -a shown suffix
    local line="${(j: :)words[1,CURRENT-1]} ${words[CURRENT]%%"$SUFFIX"}"
    env LC_ALL="$LC_ALL" LC_CTYPE="$LC_CTYPE" LANG="$LANG" PYTHONCOERCECLOCALE=0 \
        %(variable)s=zsh_complete COMP_LINE="$line" cloudstore 2>/dev/null |
    while IFS= read -r reply; do
        value="${reply#*,}" shown=() suffix=()
        case "${reply%%%%,*}" in
            dir) _files -/ ;;
            file) _files ;;
            *)
                [[ "$value" == *$'\t'* ]] && shown=("${value/$'\t'/  -- }")
                value="${value%%%%$'\t'*}"
                [[ "$value" == *[:/] ]] && suffix=(-S '')
                compadd -U -V unsorted "${suffix[@]}" ${shown:+-l} ${shown:+-d} ${shown:+shown} -- "$value" ;;
        esac
    done
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(function)s "$@"
else
    compdef %(function)s cloudstore
fi
"""
_FISH = r"""function %(function)s
    set -l line (commandline -cp | string collect)
    env LC_ALL="$LC_ALL" LC_CTYPE="$LC_CTYPE" LANG="$LANG" PYTHONCOERCECLOCALE=0 \
        %(variable)s=fish_complete COMP_LINE="$line" cloudstore 2>/dev/null | while read -l reply
        set -l offer (string split -m 1 , -- $reply)
        switch $offer[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case '*'
                printf '%%s\n' $offer[2]
        end
    end
end
complete --no-files --command cloudstore --arguments '(%(function)s)'
"""
SHELLS: Mapping[str, str] = MappingProxyType({"bash": _BASH, "zsh": _ZSH, "fish": _FISH})
"""The script of each shell."""
_UTF8 = re.compile("utf-?8", re.IGNORECASE)


# Reading the line. Other people choose the names of objects, so a completion only appends to the typed word, and only
# if the shell then reads exactly the name: nothing in it may run, expand, or end the word.


_BLANKS = " \t\n"
_SPECIAL = re.compile(r"[^A-Za-z0-9_./:@%+,=\-\x80-\U0010ffff]")
"""Characters that have a meaning in some shell unless they are quoted."""
_LIVE = frozenset("$`!")
"""Characters that have a meaning in some shell even within double quotes."""


class TypedLine:
    """The words before the cursor, where bash, zsh and fish agree on how to read them."""

    def __init__(self) -> None:
        self.words: list[str] = []
        """The complete words, without their quotes."""
        self.last = ""
        """The word that is being typed, without its quotes; empty after a blank."""
        self.quote = ""
        """What is open at the cursor: a quote, a backslash before its character, or both."""
        self.is_literal = True
        """Whether no shell expands anything in the last word."""
        self._begun = False

    def rest(self, value: str) -> str | None:
        """What to append to the last word so that bash reads `value`; `None` if that is not safe."""
        if not (self.is_literal and value.startswith(self.last) and value.isprintable()):
            return None
        rest = value[len(self.last) :]
        if self.quote in ("", "\\"):
            escaped = _SPECIAL.sub(r"\\\g<0>", rest)
            # A typed backslash already quotes the next character.
            return escaped.removeprefix(self.quote)
        if "\\" in self.quote + rest or "'" in rest or '"' in rest or _LIVE & set(rest):
            return None
        return rest

    def read(self, character: str) -> None:
        """Read one character."""
        match self.quote:
            case "":
                self._unquoted(character)
            case "'":
                self._take(character) if character != "'" else self._open("")
            case '"':
                self._in_double_quotes(character)
            case _:
                self._escaped(character)

    def _unquoted(self, character: str) -> None:
        if character in "'\"\\":
            self._open(character)
        elif character in _BLANKS:
            if self._begun:
                self.words.append(self.last)
            self.last, self.is_literal, self._begun = "", True, False
        else:
            self._take(character, is_literal=not _SPECIAL.match(character))

    def _in_double_quotes(self, character: str) -> None:
        if character == '"':
            self._open("")
        elif character == "\\":
            self._open('"\\')
        else:
            self._take(character, is_literal=character not in _LIVE)

    def _escaped(self, character: str) -> None:
        """Read the character after a backslash; shells disagree about letters, and within quotes about most others."""
        is_literal = character in '"\\$' if '"' in self.quote else not character.isalnum()
        self._take(character, is_literal=is_literal)
        self._open(self.quote.removesuffix("\\"))

    def _open(self, quote: str) -> None:
        self.quote, self._begun = quote, True

    def _take(self, character: str, *, is_literal: bool = True) -> None:
        self.last += character
        self.is_literal = self.is_literal and is_literal
        self._begun = True


def read_line(text: str) -> TypedLine:
    """The words of a line up to the cursor."""
    line = TypedLine()
    for character in text:
        line.read(character)
    return line


# What is offered


def completion_command(shell: str) -> None:
    click.echo(SHELLS[shell] % {"function": "_cloudstore_completion", "variable": VARIABLE}, nl=False)


def answer(root: click.Command) -> int:
    """Print the completions for the line from the shell, each as `kind,word`; the exit code is always 0."""
    shell, text = os.environ[VARIABLE].partition("_")[0], os.environ.get("COMP_LINE", "")
    line = read_line(text)
    if shell not in SHELLS or not line.words:
        return 0
    for item in _completions(root, line.words[1:], line.last):
        if item.type != "plain":
            click.echo(f"{item.type},")
        elif (word := _word(shell, text, line, item)) is not None:
            click.echo(f"plain,{word}")
    return 0


def _word(shell: str, text: str, line: TypedLine, item: CompletionItem) -> str | None:
    """A completion in the form that the shell's script expects; `None` if the shell could misread it."""
    rest = line.rest(item.value)
    # Without a UTF-8 locale, shells take the bytes of other characters for control characters.
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if rest is None or not (item.value.isascii() or _UTF8.search(locale)):
        return None
    if shell == "bash":
        replaced = os.environ.get("COMP_WORD", "")
        return replaced + rest if text.endswith(replaced) else None
    return f"{item.value}\t{' '.join(item.help.split())}" if item.help else str(item.value)


def _completions(root: click.Command, words: list[str], incomplete: str) -> list[CompletionItem]:
    context, rest = _context(root, words)
    command: click.Command = context.command
    parts: list[str] = []
    if isinstance(command, click.Group) and not rest and not incomplete.startswith("-"):
        parts = [name for name in command.list_commands(context) if name.startswith(incomplete)]
        # A path in place of a command opens the browser there.
        parts += _paths(incomplete) if context.parent is None else ()
    if isinstance(command, CommandWithSubcommands):
        context = click.Context(command.own, context.parent, info_name=context.info_name)
        command = command.own
    if isinstance(command, click.Group) and parts:
        return _items(parts)
    if option := _option_before(command, words):
        kind = _LOCAL.get(str(option.metavar))
        return [CompletionItem(incomplete, type=kind)] if kind else option.shell_complete(context, incomplete)
    if incomplete.startswith("-"):
        return command.shell_complete(context, incomplete)
    return [*_items(parts), *_for_argument(context, incomplete)]


def _context(root: click.Command, words: list[str]) -> tuple[click.Context, list[str]]:
    """The command that the words lead to, and the words after it."""
    context = click.Context(root, info_name="cloudstore", resilient_parsing=True)
    for number, word in enumerate(words):
        found = context.command.get_command(context, word) if isinstance(context.command, click.Group) else None
        if found is None:
            return context, words[number:]
        context = click.Context(found, context, info_name=word, resilient_parsing=True)
    return context, []


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

    return remote_paths(incomplete, _TIMEOUT_S)


def _items(values: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(value) for value in values]


def _profiles() -> tuple[str, ...]:
    # Deferred: options are completed without the configuration.
    from cloudstore_tui.config.paths import config_file

    found = _read(config_file()).get("profiles")
    return tuple(found) if isinstance(found, dict) else ()


def _saved() -> tuple[str, ...]:
    # Deferred: only `@` needs the saved searches.
    from cloudstore_tui.config.paths import config_file
    from cloudstore_tui.state.searches import FILE

    return tuple(_read(config_file().parent / FILE))


def _read(path: "Path") -> Mapping[str, object]:
    """A TOML file; empty if it cannot be read."""
    # Deferred: only names of profiles and searches need it.
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
