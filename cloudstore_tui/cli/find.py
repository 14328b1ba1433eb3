"""`find`, `search` and `fiql`: from words and options to a query, its results, and what a filter means."""

import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing, nullcontext
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import pairwise
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.cli.export import note_unknown, noting_absent, read_export_options
from cloudstore_tui.cli.options import FIELDS
from cloudstore_tui.cli.output import Output, show_progress
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.config.paths import config_file
from cloudstore_tui.core.errors import FilterError, UsageError
from cloudstore_tui.core.models import Column, Entry, Location, Query, Retention, Sort, StoredObject, identity
from cloudstore_tui.core.paging import PREFETCH_THRESHOLD, EtaEstimator, Pager
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fiql.checker import Problem, check, why_empty
from cloudstore_tui.fiql.evaluator import row_of
from cloudstore_tui.fiql.fields import Unit, name_of, unit_of
from cloudstore_tui.fiql.measures import epoch_ms, parse_time
from cloudstore_tui.fiql.parser import conjunction, parse
from cloudstore_tui.fiql.phrases import Compiled, compile_phrase, is_fiql, phrase_of, understand
from cloudstore_tui.fiql.reading import explain
from cloudstore_tui.fiql.syntax import Node, compare, outline, types_within, unparse
from cloudstore_tui.state.searches import FILE, SIGN, SavedSearch, SavedSearches, fill, placeholders_of
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui import layout

_PLACEHOLDER_VALUE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=(?!=|[A-Za-z]+=)([\s\S]*)")
"""A value for a placeholder, `name=value`, unless it is FIQL."""


async def find_command(
    session: CommandSession,
    where: str,
    *,
    words: tuple[str, ...],
    fiql: str,
    type_: str,
    since: str,
    until: str,
    sort: str,
    desc: bool,
    count: bool,
    limit: int | None,
    **export: Any,
) -> None:
    form = read_export_options(session.output, **export)
    if count and (form.file is not None or limit is not None):
        raise UsageError("--count prints the number of all matches", hint="Leave it out, or else -o and --limit.")
    search = SearchOptions(fiql, type_, since, until, sort, desc)
    provider, location = _searchable(session, where)
    types = search.types(session.output)
    sortable = (*layout.FIELDS, *provider.columns(location, frozenset(types_within(types) if types else ("any",))))
    asked = search.query(location, session.output, sortable)
    query, meaning = apply_words(asked, words, session.output, provider.profile.retention)
    if count and not meaning.local:
        _print_count(await provider.count(query, session.output.note), session.output, query.filter)
        return
    pager, eta = search_pager(provider, query), EtaEstimator(provider.profile.requests_per_minute)
    objects = search_objects(pager, eta, session.output, None if meaning.local else limit)
    with session.output.reporting_failures_of(pager):
        async with aclosing(objects):
            listing = matching(objects, meaning, query, session.output)
            if count:
                _print_count(await _length(listing), session.output)
                return
            with form.sink(session.output, provider.profile) as sink:
                named = noting_absent(listing, [*form.names, search.sort], session.output)
                async with aclosing(named) as rows:
                    await sink.take(rows, limit)


def _searchable(session: CommandSession, where: str) -> tuple[StorageProvider, Location]:
    provider, location = session.resolve(where)
    if location.path:
        raise UsageError("find searches a region, not an object", subject=where, hint="Write PROFILE:REGION.")
    if Capability.SEARCH not in provider.capabilities:
        hint = f"List everything below a folder: cloudstore ls {location.profile}:FOLDER/ -R"
        raise UsageError("the service of this profile has no search", subject=where, hint=hint)
    return provider, location


def _print_count(number: int, output: Output, filter_: str = "") -> None:
    output.result({"count": number}, str(number))
    if not number and filter_:
        note_why_empty(output, filter_)


async def _length(listing: AsyncIterator[Entry]) -> int:
    length = 0
    async for _entry in listing:
        length += 1
    return length


class SearchOptions(Struct, frozen=True):
    """The options of a search."""

    fiql: str
    type: str
    since: str
    until: str
    sort: str = ""
    descending: bool = False

    def query(self, location: Location, output: Output, columns: Iterable[Column] = ()) -> Query:
        """The query, checked as far as possible without sending it; `columns` can be sorted by."""
        if self.fiql:
            for problem in warnings_of(parse(self.fiql), self.fiql, output.zone):
                output.note(f"Note: {problem.text}. {problem.hint}".rstrip())
        types = self.types(output)
        text = conjunction(self.fiql, unparse(types) if types else "", *self._window(output))
        order = Sort(self._sort_field(columns), self.descending or not self.sort)
        note_unknown(output, [order.field])
        return Query(location, text, order)

    def _sort_field(self, columns: Iterable[Column]) -> str:
        """The service's name for the value of `--sort`, which is a field as in `--columns`, or a tag."""
        if not self.sort:
            return "createdTime"
        fields = {column.name: column.sort_field for column in columns if column.sort_field}
        if self.sort in fields or not (self.sort in FIELDS or self.sort in fields.values()):
            return fields.get(self.sort, self.sort)
        known = next((name for name, field in fields.items() if field == self.sort), "")
        hint = f"Write {known}." if known else f"Write {', '.join(fields)} or the name of a tag."
        raise UsageError("results cannot be sorted by this", subject=f"--sort {self.sort}", hint=hint)

    def types(self, output: Output) -> Node | None:
        """The condition on the type: `--type` takes what `type:` takes; `None` for any.

        Raises:
            FilterError: one of them is mistyped.
        """
        if not self.type:
            return None
        return compile_phrase(phrase_of([f"type:{self.type}"]), output.zone, datetime.now(UTC)).node

    def _window(self, output: Output) -> tuple[str, ...]:
        """The conditions on the time of creation.

        Raises:
            UsageError: one bound is not a time, or the second comes before the first.
        """
        now = datetime.now(UTC)
        since, until = (parse_time(text, output.zone, now) if text else None for text in (self.since, self.until))
        if since and until and until < since:
            hint = "--since is where the time begins, --until where it ends."
            raise UsageError("comes before --since", subject=f"--until {self.until}", hint=hint)
        bounds = (("=ge=", since), ("=lt=", until))
        return tuple(compare("createdTime", operator, str(epoch_ms(bound))) for operator, bound in bounds if bound)


class SearchWords(Struct, frozen=True):
    """The words of a command line, with a saved search expanded."""

    texts: tuple[str, ...]
    """Filters and phrases that must all hold."""
    region: str = ""
    """The region of the saved search, for when the command names none."""


def saved_searches() -> SavedSearches:
    """The saved searches, in a file beside the configuration."""
    return SavedSearches(config_file().parent / FILE)


def search_words(words: Sequence[str], profile: str) -> SearchWords:
    """Expand words: `@name` with values for its placeholders, a phrase, a filter, or the first with one of the others.

    Raises:
        UsageError: there is no such search, it is for another profile, or it has no such placeholder.
        FilterError: a placeholder has no value.
        ConfigError: the file of the searches cannot be used.
    """
    if not words or not words[0].startswith(SIGN):
        return SearchWords((phrase_of(words),))
    search = saved_searches().named(words[0])
    if not search.is_for(profile):
        hint = f"It is for {search.profile}; without a profile in the file it is for all."
        raise UsageError(f"is not for {profile}", subject=words[0], hint=hint)
    given = {match[1]: match[2] for word in words[1:] if (match := _PLACEHOLDER_VALUE.fullmatch(word))}
    rest = [word for word in words[1:] if not _PLACEHOLDER_VALUE.fullmatch(word)]
    return SearchWords((fill(search.find, given), phrase_of(rest)), search.region)


def apply_words(
    query: Query, words: Iterable[str], output: Output, retention: Retention | None = None
) -> tuple[Query, Compiled]:
    """Add the conditions that words express to a query; the words may begin with `@name`.

    `expires:` is computed from `retention`.

    Returns:
        The query, and the meaning of the words, with the conditions that only we can check.

    Raises:
        UsageError: they name a saved search that cannot be used.
        FilterError: the words are not understood.
    """
    words = tuple(words)
    expanded = search_words(words, query.location.profile)
    try:
        found = [_understood(text, output, retention) for text in expanded.texts]
    except FilterError as error:
        if not any(word.endswith(":") for word in words):
            raise
        raise error.with_(hint="In a shell < and > need quotes: 'dur:>10m'.") from None
    text = conjunction(*(meaning.filter for meaning in found))
    local = tuple(term for meaning in found for term in meaning.local)
    notes = tuple(dict.fromkeys(note for meaning in found for note in meaning.notes))
    for note in (*notes, *_split_values(words)):
        output.note(f"Note: {note}")
    location = replace(query.location, region=query.location.region or expanded.region)
    meant = Compiled(text, local, notes, parse(text) if text else None)
    return replace(query, location=location, filter=conjunction(text, query.filter)), meant


def _split_values(words: Sequence[str]) -> Iterator[str]:
    """Notes about words that may belong to the value before them, unquoted: `agent:Khang Glynn`."""
    for word, after in pairwise(words):
        key, colon, value = word.partition(":")
        name = name_of(key.removeprefix("-"))
        is_text = name is not None and not name.values and unit_of(name.fields[0]) is Unit.TEXT
        if colon and value and is_text and after.isalpha():
            yield f"{after} is a condition of its own; for one value put quotes around both: '{word} {after}'."


def _understood(text: str, output: Output, retention: Retention | None) -> Compiled:
    meaning = understand(text, output.zone, datetime.now(UTC), retention=retention)
    if meaning.node and is_fiql(text):
        for problem in warnings_of(meaning.node, text, output.zone):
            output.note(f"Note: {problem.text}. {problem.hint}".rstrip())
    return meaning


async def matching(
    listing: AsyncIterator[Entry], meaning: Compiled, query: Query, output: Output
) -> AsyncGenerator[Entry, None]:
    """The entries that meet the conditions which the service cannot check; if there are none, a note says why."""
    fetched = found = 0
    async for entry in listing:
        fetched += 1
        if not isinstance(entry, StoredObject) or meaning.keeps(row_of(entry)):
            found += 1
            yield entry
    if not found:
        note_why_empty(output, query.filter, fetched)


def note_why_empty(output: Output, text: str, fetched: int = 0, head: str = "No matches. ") -> None:
    """Print the filter that found nothing, and likely reasons."""
    output.note(f"{head}Sent: {text or 'no filter'}")
    if fetched:
        output.note(f"  It returned {fetched:,}, none of which meets the conditions that are checked here.")
        return
    for reason in why_empty(parse(text) if text else None, text, output.zone):
        output.note(f"  {reason}")


def warnings_of(tree: Node, text: str, zone: tzinfo) -> list[Problem]:
    """What looks wrong with a filter that can still be sent.

    Raises:
        FilterError: it cannot be sent as it is; the hint shows the corrected text where there is one.
    """
    problems = check(tree, text, zone)
    for problem in problems:
        if problem.fatal:
            corrected = f" Corrected: {problem.corrected}" if problem.corrected else ""
            raise FilterError(problem.text, text=text, position=problem.position, hint=f"{problem.hint}{corrected}")
    return list(problems)


def search_pager(provider: StorageProvider, query: Query) -> Pager[StoredObject]:
    """The pages of a query."""
    return Pager(partial(provider.search, query), identity, query.location.address, partial(provider.prefetch, query))


async def search_objects(
    pager: Pager[StoredObject], eta: EtaEstimator, output: Output, limit: int | None
) -> AsyncGenerator[StoredObject, None]:
    """The objects of a query, in order; the caller will take at most `limit`."""
    line = EtaLine(eta)
    async with nullcontext() if limit is not None and limit <= PREFETCH_THRESHOLD else pager.prefetch():
        while not pager.ended:
            with line:
                page = await pager.next_page()
            line.eta.update(len(page.items), pager.left)
            for warning in page.warnings:
                output.note(warning)
            for entry in page.items:
                yield entry


class EtaLine:
    """A line on stderr, if that is a terminal, while the next page is awaited."""

    def __init__(self, eta: EtaEstimator) -> None:
        self.eta = eta
        self._wanted = sys.stderr.isatty()

    def __enter__(self) -> None:
        if self._wanted and self.eta.rows:
            show_progress(self.text)

    def __exit__(self, *_: object) -> None:
        if self._wanted and self.eta.rows:
            show_progress("")

    @property
    def text(self) -> str:
        """`12,400 of about 100,000 · 14:36 left`."""
        read, left = self.eta.rows, self.eta.left
        if left is None:
            return f"{read:,} found"
        time_left = in_words.time_left(self.eta.seconds)
        return " · ".join(part for part in (f"{read:,} of about {read + left:,}", time_left) if part)


def fiql_check_command(session: CommandSession, text: str) -> None:
    output, tree = session.output, parse(text)
    for problem in warnings_of(tree, text, output.zone):
        output.result(
            {"warning": problem.text, "position": problem.position, "hint": problem.hint},
            f"warning: {problem.text}. {problem.hint}".rstrip(),
        )
    output.result({"fiql": unparse(tree)}, f"valid: {unparse(tree)}")


def fiql_explain_command(session: CommandSession, words: tuple[str, ...]) -> None:
    output, text = session.output, phrase_of(words)
    zone = output.zone
    meaning = understand(text, zone, datetime.now(UTC))
    reading = explain(meaning.node, zone) if meaning.node else "everything that is available"
    drawn = outline(meaning.node) if meaning.node else ""
    notes = [*meaning.notes, *(found.sentence for found in _problems(meaning, text, zone))]
    if output.as_json:
        output.record(_record(meaning) | {"reading": reading, "tree": drawn, "notes": notes})
        return
    output.line(f"FIQL     {meaning.filter}".rstrip())
    output.line(f"reading  {reading}")
    for number, line in enumerate(drawn.splitlines()):
        output.line(f"{'tree' if number == 0 else '':7}  {line}")
    for note in notes:
        output.line(f"note     {note}")


def fiql_compile_command(session: CommandSession, words: tuple[str, ...]) -> None:
    output = session.output
    meaning = understand(phrase_of(words), output.zone, datetime.now(UTC))
    if output.as_json:
        output.record(_record(meaning) | {"notes": list(meaning.notes)})
        return
    output.line(meaning.filter)
    for note in meaning.notes:
        output.note(f"Note: {note}")


def _problems(meaning: Compiled, text: str, zone: tzinfo) -> tuple[Problem, ...]:
    """What looks wrong with a filter that the user wrote; one compiled from a phrase is right."""
    return check(meaning.node, text, zone) if meaning.node and is_fiql(text) else ()


def _record(meaning: Compiled) -> dict[str, object]:
    return {"fiql": meaning.filter, "local": [str(term) for term in meaning.local]}


def search_save_command(session: CommandSession, name: str, words: tuple[str, ...], where: str) -> None:
    output, text = session.output, phrase_of(words)
    if not placeholders_of(text):
        understand(text, output.zone, datetime.now(UTC))
    profile, _, region = where.partition(":")
    searches = saved_searches()
    searches.save(name.removeprefix(SIGN), text, profile=profile, region=region)
    search = searches.named(name)
    output.result(_search_record(search), f"{SIGN}{search.name}  {search.find}")


def search_list_command(*, as_json: bool) -> None:
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


def search_remove_command(session: CommandSession, name: str) -> None:
    searches = saved_searches()
    removed = searches.named(name).name
    searches.remove(removed)
    session.output.result({"name": removed, "result": "removed"}, f"removed  {SIGN}{removed}")


def _search_record(search: SavedSearch) -> dict[str, object]:
    return {
        "name": search.name,
        "find": search.find,
        "placeholders": list(search.placeholders),
        "profile": search.profile,
        "region": search.region,
    }
