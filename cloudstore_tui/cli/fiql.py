"""`fiql`: look at a filter before it is sent."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.searching import warnings_of
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.fiql.checker import Problem, check
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.phrases import Compiled, is_fiql, phrase_of, understand
from cloudstore_tui.fiql.reading import explain
from cloudstore_tui.fiql.syntax import outline, unparse


def check_command(text: str, *, as_json: bool) -> None:
    """Check a filter; nothing is sent."""
    output = Output(as_json=as_json)
    tree = parse(text)
    for problem in warnings_of(tree, text, open_config().settings.time_zone):
        if as_json:
            output.record({"warning": problem.text, "position": problem.position, "hint": problem.hint})
        else:
            output.line(f"warning: {problem.text}. {problem.hint}".rstrip())
    if as_json:
        output.record({"fiql": unparse(tree)})
    else:
        output.line(f"valid: {unparse(tree)}")


def explain_command(words: tuple[str, ...], *, as_json: bool) -> None:
    """Show what a filter or a phrase finds, in words and as a tree; nothing is sent."""
    text = phrase_of(words)
    zone = open_config().settings.time_zone
    output = Output(as_json=as_json, zone=zone)
    meaning = understand(text, zone, datetime.now(UTC))
    reading = explain(meaning.node, zone) if meaning.node else "everything that is available"
    drawn = outline(meaning.node) if meaning.node else ""
    notes = [*meaning.notes, *(found.sentence for found in _problems(meaning, text, zone))]
    if as_json:
        output.record(_record(meaning) | {"reading": reading, "tree": drawn, "notes": notes})
        return
    output.line(f"FIQL     {meaning.filter}".rstrip())
    output.line(f"reading  {reading}")
    for number, line in enumerate(drawn.splitlines()):
        output.line(f"{'tree' if number == 0 else '':7}  {line}")
    for note in notes:
        output.line(f"note     {note}")


def compile_command(words: tuple[str, ...], *, as_json: bool) -> None:
    """Turn words into FIQL; nothing is sent. The shell wants words with <, > or * in quotes."""
    zone = open_config().settings.time_zone
    output = Output(as_json=as_json, zone=zone)
    meaning = meaning_of(words, zone)
    if as_json:
        output.record(_record(meaning) | {"notes": list(meaning.notes)})
        return
    output.line(meaning.filter)
    for note in meaning.notes:
        output.note(f"Note: {note}")


def meaning_of(words: Iterable[str], zone: tzinfo) -> Compiled:
    """What the words of a command line ask for: a phrase, or a filter in FIQL.

    Raises:
        FilterError: nothing.
    """
    return understand(phrase_of(tuple(words)), zone, datetime.now(UTC))


def _problems(meaning: Compiled, text: str, zone: tzinfo) -> tuple[Problem, ...]:
    """What looks wrong with a filter that the user wrote; one that was made here is right."""
    return check(meaning.node, text, zone) if meaning.node and is_fiql(text) else ()


def _record(meaning: Compiled) -> dict[str, object]:
    return {"fiql": meaning.filter, "local": [str(term) for term in meaning.local]}
