"""Compiles phrases into filters, and builds phrases from chosen parts or from the words of a shell."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

import msgspec

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import Retention
from cloudstore_tui.fiql.evaluator import Row
from cloudstore_tui.fiql.fields import NAMES, Name, Unit, name_of, unit_of, units_of
from cloudstore_tui.fiql.measures import read_span
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.phrases.lexer import PHONE, Item, items_of
from cloudstore_tui.fiql.phrases.terms import (
    BOTH_UNITS,
    Bound,
    LocalTerm,
    PhraseClock,
    allowed_types,
    bare_text,
    expiry_term,
    fields_of,
    name_in,
    quantity_term,
    text_term,
    time_term,
    types_of,
)
from cloudstore_tui.fiql.syntax import And, Comparison, Node, spell_out, top_terms, unparse

_SPECIAL = re.compile(r'(["\\*…])')
_ONE_VALUE = re.compile(r"""(-?([^\W\d][\w.-]*):(?:>=|<=|!=|==?|>|<|~)?)([^"'][\s\S]*)""")
_NEXT_KEY = re.compile(r"\s-?([^\W\d][\w.-]*)(?::|[<>])")


def phrase_value(value: str) -> str:
    """A value quoted for a phrase, in which a star is literal."""
    return '"' + _SPECIAL.sub(r"\\\1", value) + '"'


def phrase_of(words: Sequence[str]) -> str:
    """The phrase that the words of a command line make.

    The shell has removed the quotes: `agent:"Khang Glynn"` comes as one word with a blank. The quotes are put back
    unless the word contains quotes or another condition, and so is a phrase of its own.
    """
    return " ".join(_with_quotes(word) for word in words)


def _with_quotes(word: str) -> str:
    one = _ONE_VALUE.fullmatch(word)
    if not one or not any(mark.isspace() for mark in word):
        return word
    # Only blanks are quoted: commas and stars keep their meaning.
    keys, name = [key for key in _NEXT_KEY.findall(one[3]) if name_of(key)], name_of(one[2])
    if keys or name is None or '"' in one[3]:
        return word
    # In quotes a telephone number would be searched for with the blanks between its digits.
    return one[1] + ",".join(part if _is_number(part, name) else _requoted(part) for part in one[3].split(","))


def _is_number(text: str, name: Name) -> bool:
    return bool(name.phone_fields and PHONE.fullmatch(text))


def _requoted(part: str) -> str:
    return '"' + part.replace("\\", "\\\\") + '"' if any(mark.isspace() for mark in part) else part


_FIQL = re.compile(r"""[\s(]*[^\s"':=!<>~;,()]+\s*(==|!=|=[A-Za-z]+=)""")
_MEASURED = frozenset({Unit.MILLISECONDS, Unit.SECONDS, Unit.BYTES, Unit.NUMBER})


class Compiled(msgspec.Struct, frozen=True):
    """What a phrase means."""

    filter: str
    """FIQL for the service; empty if every condition is local."""
    local: tuple[LocalTerm, ...] = ()
    """Conditions that can only be checked on fetched rows, which the caller must mention with the result."""
    notes: tuple[str, ...] = ()
    """What the user should know, as sentences."""
    node: Node | None = None
    """The filter as a tree."""

    def keeps(self, row: Row) -> bool:
        """Whether a fetched row meets all local conditions."""
        return all(term.holds(row) for term in self.local)


def compile_phrase(
    phrase: str, zone: tzinfo, now: datetime, types: tuple[str, ...] = (), retention: Retention | None = None
) -> Compiled:
    """The filter that a phrase means.

    A phrase is a list of conditions that must all hold, such as `type:callcenterrecording agent:"Khang Glynn"
    since:yesterday dur:>90s`. A bare text is a number or an id, or part of a name, of a person or of a queue.

    Args:
        phrase: what the user typed.
        zone: the time zone of days, and of times without one.
        now: the present moment, with a zone.
        types: the types searched anyway, if the phrase names none; empty for any.
        retention: the policy that `expires:` refers to.

    Raises:
        FilterError: part of it means nothing; the error says where, and what was probably meant.
    """
    items = tuple(items_of(phrase))
    _refuse_repeated_keys(items)
    types = types_of(items) or types
    compiler = _Compiler(types, allowed_types(items, types), PhraseClock(zone, now), retention)
    for item in items:
        compiler.add(item)
    nodes = tuple(compiler.nodes)
    node = None if not nodes else nodes[0] if len(nodes) == 1 else And(nodes)
    notes = (*compiler.notes, *_local_note(compiler.local))
    return Compiled(spell_out(node) if node else "", tuple(compiler.local), tuple(dict.fromkeys(notes)), node)


def understand(
    text: str, zone: tzinfo, now: datetime, types: tuple[str, ...] = (), retention: Retention | None = None
) -> Compiled:
    """The meaning of FIQL, which stays as it was written, or of a phrase; all else is as for `compile_phrase`.

    Raises:
        FilterError: it is neither.
    """
    if not is_fiql(text):
        return compile_phrase(text, zone, now, types, retention)
    return Compiled(text, node=parse(text))


def is_fiql(text: str) -> bool:
    """Whether a text is meant as FIQL: it begins with a comparison."""
    return _FIQL.match(text) is not None


def with_condition(text: str, condition: str, zone: tzinfo, now: datetime) -> str:
    """FIQL, a phrase or nothing with one more condition, a phrase, which replaces those on the same field.

    Raises:
        FilterError: one of the two has no meaning.
    """
    if is_fiql(text):
        return _with_comparisons(text, compile_phrase(condition, zone, now).node)
    keys = {item.key.lower() for item in items_of(condition)}
    items = list(items_of(text))
    ends = [*(item.start for item in items), len(text)][1:]
    kept = [
        text[item.start : end].strip()
        for item, end in zip(items, ends, strict=True)
        if item.negated or item.key.lower() not in keys
    ]
    return " ".join([*kept, condition])


def _with_comparisons(text: str, condition: Node | None) -> str:
    if condition is None:
        return text
    new = top_terms(condition)
    replaced = {(term.selector, term.operator) for term in new if isinstance(term, Comparison)}
    kept = [
        term
        for term in top_terms(parse(text))
        if not isinstance(term, Comparison) or (term.selector, term.operator) not in replaced
    ]
    return unparse(And((*kept, *new)) if len(kept) + len(new) > 1 else new[0])


def as_phrase(filter_: str, zone: tzinfo, now: datetime) -> str:
    """A phrase that compiles to exactly this filter on type and time; empty if there is none, or no filter."""
    if not filter_:
        return ""
    for phrase in _candidate_phrases(parse(filter_)):
        try:
            if understand(phrase, zone, now).filter == filter_:
                return phrase
        except FilterError:
            continue
    return ""


def _candidate_phrases(node: Node) -> Iterator[str]:
    words: list[str] = []
    moments: list[datetime] = []
    for term in top_terms(node):
        if not isinstance(term, Comparison):
            return
        if term.selector == "type" and term.operator == "==":
            words.append(f"type:{term.value if term.value.isalnum() else phrase_value(term.value)}")
        elif term.selector == "createdTime" and term.value.isdecimal():
            try:
                moments.append(datetime.fromtimestamp(int(term.value) / 1000, UTC))
            except (ValueError, OverflowError, OSError):
                return
        else:
            return
    if not moments:
        yield " ".join(words)
        return
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        yield " ".join([*words, f"on:{moments[0].strftime(form)}"])


class _Compiler:
    """Collects the conditions of one phrase."""

    def __init__(
        self, types: tuple[str, ...], allowed: tuple[str, ...], clock: PhraseClock, retention: Retention | None
    ) -> None:
        self.nodes: list[Node] = []
        self.local: list[LocalTerm] = []
        self.notes: list[str] = []
        self._types = types
        self._allowed = allowed
        self._clock = clock
        self._retention = retention
        self._bounds: dict[str, list[Bound[datetime]]] = {}

    def add(self, item: Item) -> None:
        """Add a condition.

        Raises:
            FilterError: it means nothing.
        """
        if item.key:
            term = self._keyed(item, name_in(item))
        elif not item.negated and not item.values[0].quoted and self._is_time(item):
            term = self._time(item, "createdTime", "")
        else:
            term = bare_text(item)
        if isinstance(term, LocalTerm):
            self.local.append(term)
        else:
            self.nodes.append(term)

    def _keyed(self, item: Item, name: Name) -> Node | LocalTerm:
        if name is NAMES["expires"]:
            node, note = expiry_term(item, self._types, self._retention, self._clock)
            self.notes.append(note)
            return node
        fields = fields_of(item, name, self._types)
        unit = unit_of(fields[0])
        if unit is Unit.EPOCH_MS:
            return self._time(item, fields[0], self._operator(item, name))
        if unit in _MEASURED or self._is_number(item, name):
            if len(units_of(fields[0], self._allowed)) > 1:
                self.notes.append(BOTH_UNITS)
            return quantity_term(item, fields[0], self._allowed)
        if name is NAMES["state"]:
            self.notes += _state_notes(item)
        return text_term(item, name, fields)

    def _operator(self, item: Item, name: Name) -> str:
        if not name.bound:
            return item.operator
        if item.operator or len(item.values) > 1:
            raise item.error(f"{item.key} takes one time", f"Write `{item.key}:2024-09-01`, or `created:` for ranges.")
        return name.bound

    def _time(self, item: Item, name: str, operator: str) -> Node:
        node, bounds = time_term(item, name, operator, self._clock)
        known = self._bounds.setdefault(name, [])
        known += bounds
        lows = [bound.quantity for bound in known if bound.operator == "=ge="]
        highs = [bound.quantity for bound in known if bound.operator == "=lt="]
        if lows and highs and max(lows) >= min(highs):
            hint = "The end does not belong to it: `until:` and `<` stop before the time that they name."
            raise item.error("no time is left between the beginning and the end", hint)
        return node

    def _is_time(self, item: Item) -> bool:
        return read_span(item.values[0].text, self._clock.zone, self._clock.now) is not None

    def _is_number(self, item: Item, name: Name) -> bool:
        """Whether an unknown tag is compared as a number."""
        ordered = item.operator in (">", ">=", "<", "<=")
        return ordered and name.is_tag and not item.negated


def _refuse_repeated_keys(items: tuple[Item, ...]) -> None:
    seen: dict[str, Item] = {}
    for item in items:
        is_equal = item.key and not item.negated and not item.operator
        if not is_equal or item.key.lower() in ("since", "until"):
            continue
        if item.key.lower() in seen:
            hint = f"All conditions must hold. Write `{item.key}:one,two` for either."
            raise item.error(f"{item.key} is named twice", hint)
        seen[item.key.lower()] = item


def _state_notes(item: Item) -> Iterator[str]:
    if any(value.text.lower() == "deleted" and value.text != "DELETED" for value in item.values):
        yield "deleted is REVOKED (recoverable by 8x8 only) and DELETED (purged); write revoked or purged for one."
    if item.negated or item.operator == "!=":
        yield "Naming a state ends the rule that only AVAILABLE objects are found: all other states come too."


def _local_note(local: list[LocalTerm]) -> Iterator[str]:
    if local:
        yield f"8x8 can't search for part of a text; only fetched rows are searched: {'; '.join(map(str, local))}."
