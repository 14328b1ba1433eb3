"""`fiql` and `search`: a filter looked at before it is sent, and searches kept under a name."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from cloudstore_tui.cli.find import saved_searches, warnings_of
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.fiql.checker import Problem, check
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.phrases import Compiled, is_fiql, phrase_of, understand
from cloudstore_tui.fiql.reading import explain
from cloudstore_tui.fiql.syntax import outline, unparse
from cloudstore_tui.state.searches import SIGN, SavedSearch, placeholders_of


def fiql_check_command(text: str, *, as_json: bool) -> None:
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


def fiql_explain_command(words: tuple[str, ...], *, as_json: bool) -> None:
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


def fiql_compile_command(words: tuple[str, ...], *, as_json: bool) -> None:
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


def search_save_command(name: str, words: tuple[str, ...], where: str, *, as_json: bool) -> None:
    """Save words or a filter under a name. A value written ?name is asked for each time."""
    output, text = Output(as_json=as_json), phrase_of(words)
    if not placeholders_of(text):
        understand(text, open_config().settings.time_zone, datetime.now(UTC))
    profile, _, region = where.partition(":")
    searches = saved_searches()
    searches.save(name.removeprefix(SIGN), text, profile=profile, region=region)
    search = searches.named(name)
    if as_json:
        output.record(_search_record(search))
    else:
        output.line(f"{SIGN}{search.name}  {search.find}")


def search_list_command(*, as_json: bool) -> None:
    """List the searches that were saved."""
    output, searches = Output(as_json=as_json), saved_searches()
    found = searches.read().values()
    for search in found:
        if as_json:
            output.record(_search_record(search))
        else:
            where = ":".join(part for part in (search.profile, search.region) if part)
            output.line(f"{SIGN}{search.name}  {search.find}{f'  ({where})' if where else ''}")
    if not found:
        output.note(f"No search is saved in {searches.path}.")


def search_remove_command(name: str) -> None:
    """Remove a saved search; the rest of the file stays as it is."""
    searches = saved_searches()
    searches.remove(searches.named(name).name)


def _search_record(search: SavedSearch) -> dict[str, object]:
    return {
        "name": search.name,
        "find": search.find,
        "placeholders": list(search.placeholders),
        "profile": search.profile,
        "region": search.region,
    }
