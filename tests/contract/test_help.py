"""The examples of every help text: each can be read, and those that only look are run as they stand there."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from cloudstore_tui.cli.main import cloudstore as program
from cloudstore_tui.cli.options import Command
from tests.support.commands import Cloudstore

LOOKING = ("ls", "find", "stat ", "preview acme", "call", "url", "get ", "zip list", "fiql", "search list", "themes ")
"""How the examples begin that change nothing at a service."""
REFUSED = "createdTime=ge=2024-09-01"
"""What an example shows to be refused."""


def help_texts(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from help_texts(command, context)
        yield getattr(command, "own", command).help or ""


def examples() -> list[str]:
    texts = help_texts(program, click.Context(program))
    found = (line for text in texts for line in re.findall(r"^ +(cloudstore .*)$", text, flags=re.M))
    # What an example does may stand behind it.
    return sorted({re.split(r"\s{2,}", line.strip())[0] for line in found})


def commands_of(example: str) -> list[list[str]]:
    """The words of each of our commands in a line for a shell."""
    lexer = shlex.shlex(example, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        if word in ("|", "||", "&"):
            commands.append([])
        elif word in ("<", ">", ">>"):
            next(lexer)
        else:
            commands[-1].append(word)
    return [words for name, *words in filter(None, commands) if name == "cloudstore"]


def test_examples_have_commands_and_options_that_there_are(
    cloudstore: Cloudstore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Command, "invoke", lambda _command, _context: None)
    assert len(examples()) > 90
    for example in examples():
        for words in commands_of(example):
            done = cloudstore(*words)
            assert (done.code, done.err) == (0, ""), example


def test_examples_that_only_look_run(cloudstore: Cloudstore) -> None:
    looking = {
        example: commands_of(example)
        for example in examples()
        if all(f"{' '.join(words)} ".startswith(LOOKING) for words in commands_of(example)) and "@" not in example
    }
    assert len(looking) > 30
    for example, commands in looking.items():
        fed = ""
        for words in commands:
            done = cloudstore(*words, stdin=fed)
            assert done.code == (2 if REFUSED in words else 0), (example, done.err)
            fed = done.out


def test_what_commands_below_a_command_do_is_never_cut_short(cloudstore: Cloudstore) -> None:
    for group in ("call", "zip", "transfers", "search", "fiql", "profile", "restore"):
        shown = cloudstore(group, "--help").out.partition("\nCommands:")[2]
        assert shown
        assert "..." not in shown
