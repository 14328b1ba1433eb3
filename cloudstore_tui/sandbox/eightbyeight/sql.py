"""Translates filters into SQL, for generated calls and for stored objects."""

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import TypeAlias

import msgspec

from cloudstore_tui.fiql.syntax import And, Comparison, Node
from cloudstore_tui.sandbox.eightbyeight.model import (
    AGENTS,
    COLUMNS,
    CONSTANTS,
    CUSTOMERS,
    FIELDS,
    OBJECT_FIELDS,
    QUEUES,
    TAGS,
    UPLOAD_LAG,
    GeneratedCall,
    created_of,
    start_of,
    value_of,
)

# SQL with its values, which are always bound and never part of the text


Value: TypeAlias = str | int | float | None
"""A value that can be bound."""


class Condition(msgspec.Struct, frozen=True):
    """An SQL condition, and the values for its question marks."""

    text: str
    values: tuple[Value, ...] = ()


TRUE = Condition("1")
FALSE = Condition("0")


def truth(value: bool) -> Condition:
    """The condition that always or never holds."""
    return TRUE if value else FALSE


def every(parts: Sequence[Condition]) -> Condition:
    """The conjunction, simplified so that a condition that never holds is recognised."""
    wanted = [part for part in parts if part != TRUE]
    return FALSE if FALSE in wanted else _join(wanted, " AND ") if wanted else TRUE


def some(parts: Sequence[Condition]) -> Condition:
    """The disjunction, simplified likewise."""
    wanted = [part for part in parts if part != FALSE]
    return TRUE if TRUE in wanted else _join(wanted, " OR ") if wanted else FALSE


def translate(node: Node, leaf: Callable[[Comparison], Condition]) -> Condition:
    """The condition for a filter; `leaf` makes that for a comparison."""
    if isinstance(node, Comparison):
        return leaf(node)
    join = every if isinstance(node, And) else some
    return join([translate(term, leaf) for term in node.terms])


def _join(parts: Sequence[Condition], word: str) -> Condition:
    """Joined as a balanced tree, since SQLite nests flat expressions, and refuses to go 1,000 levels deep."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = _join(parts[:middle], word), _join(parts[middle:], word)
    return Condition(f"({left.text}{word}{right.text})", left.values + right.values)


# How values are compared


_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,20})?", re.ASCII)

_ORDERS: dict[str, Callable[[float | str, float | str], bool]] = {
    "==": operator.eq,
    "=gt=": operator.gt,
    "=ge=": operator.ge,
    "=lt=": operator.lt,
    "=le=": operator.le,
}
_OPPOSITE = {"!=": "==", "=out=": "=in="}


class Rules(msgspec.Struct, frozen=True):
    """How values are compared, according to the switches E-7, E-8 and E-9."""

    numeric_tags: bool = True
    """Tags that look like numbers are compared as numbers."""
    missing_differs: bool = True
    """An object without the tag is found by `!=` and `=out=`."""
    wildcards: bool = False
    """`*` in a value stands for anything."""
    fold: bool = False
    """Case is ignored."""


class Match(msgspec.Struct, frozen=True, dict=True):
    """A comparison that can be applied to values."""

    operator: str
    wanted: tuple[str, ...]
    rules: Rules
    numeric: bool = True
    """Whether numbers are compared as numbers."""

    @cached_property
    def numbers(self) -> tuple[float, ...] | None:
        """The operands as numbers; `None` if one is not a number, or the comparison is not numeric."""
        found = [number(value) for value in self.wanted] if self.numeric else [None]
        return None if None in found else tuple(value for value in found if value is not None)

    @cached_property
    def plain(self) -> bool:
        """Whether texts can be compared byte by byte."""
        return not self.rules.fold and not (self.rules.wildcards and any("*" in value for value in self.wanted))

    def holds(self, value: str | int | None) -> bool:
        """Whether an object with this value matches; `None` means that it has none."""
        opposite = _OPPOSITE.get(self.operator)
        if value is None:
            return opposite is not None and self.rules.missing_differs
        if opposite:
            return not any(self._one(value, wanted, "==") for wanted in self.wanted)
        plain = "==" if self.operator == "=in=" else self.operator
        return any(self._one(value, wanted, plain) for wanted in self.wanted)

    def _one(self, value: str | int, wanted: str, compare: str) -> bool:
        if self.numeric and (mine := number(value)) is not None and (other := number(wanted)) is not None:
            return _ORDERS[compare](mine, other)
        text = str(value)
        if self.rules.fold:
            text, wanted = text.casefold(), wanted.casefold()
        if self.rules.wildcards and compare == "==" and "*" in wanted:
            return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), text, re.DOTALL) is not None
        return _ORDERS[compare](text, wanted)

    def key(self) -> str:
        """Its serialized form, for a function of the database."""
        return msgspec.json.encode(self).decode()


def number(value: str | int | None) -> float | None:
    """A value as a number, if it looks like one; integers stay exact."""
    if isinstance(value, int):
        return value
    if value is None or not _NUMBER.fullmatch(value):
        return None
    # The integers of the database have no more digits.
    return float(value) if "." in value or len(value) > 18 else int(value)


def match_of(term: Comparison, rules: Rules, *, tag: bool) -> Match:
    """The match for a comparison of a filter."""
    return Match(term.operator, term.values, rules, numeric=rules.numeric_tags or not tag)


@lru_cache(maxsize=256)
def match_from(key: str) -> Match:
    """The inverse of `Match.key`."""
    return msgspec.json.decode(key, type=Match)


def sort_key(value: str | int | None, *, numeric: bool = True) -> tuple[int, float, str]:
    """Sorts missing values first, then numbers, then texts."""
    if value is None:
        return 0, 0, ""
    found = number(value) if numeric else None
    return (2, 0, str(value)) if found is None else (1, found, "")


# The table of generated calls


SHORTEST_CALL_S, LONGEST_CALL_S = 5, 837
"""Range of the duration of generated calls."""

_START = f"(created - duration - created / 1000 % {UPLOAD_LAG})"
_WHOLE: Mapping[str, str] = {
    "createdTime": "created",
    "updatedTime": "(created + 2000)",
    "duration": "duration",
    "startTime": _START,
    "holdDuration": "(duration / 9000 * 1000)",
    "transactionId": "(created / 1000 - 1600000000)",
}
"""Fields and tags that are integers, as SQL."""

_SIZES = {"agent": len(AGENTS), "queue": len(QUEUES), "customer": CUSTOMERS, "mark": 2}
_LOOKUPS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("agentName", "agentId", "userId", "extensionNumber"), ("agent", "agent")),
    **dict.fromkeys(("queueName", "queueNumber", "channelName", "billingTelephoneNumber"), ("queue", "queue")),
    "address": ("customer", "customer"),
    "direction": ("mark", "mark"),
    **dict.fromkeys(("callerId", "callerName"), ("customer", "queue")),
    **dict.fromkeys(("calleeId", "calleeName"), ("queue", "customer")),
}
"""Fields and tags that depend on one small column: for inbound, and for outbound calls."""

_SORTED = {
    **dict.fromkeys(("agentName", "extensionNumber"), "agent"),
    **dict.fromkeys(("queueName", "queueNumber", "billingTelephoneNumber"), "queue"),
    "address": "customer",
    "direction": "mark",
}
"""Fields and tags that sort like the column itself."""

_BY_TIME = frozenset({"id", "bucketId", "callSnippetId"})
"""Ids that begin with the time of the call's object."""

_BY_START = frozenset({"callId", "objectName", "mediaUrl"})
"""Texts that hold the time at which the call began."""

_SIGNS = {"==": "=", "!=": "<>", "=gt=": ">", "=ge=": ">=", "=lt=": "<", "=le=": "<=", "=in=": "IN", "=out=": "NOT IN"}

_GENERATED_TABLE = (
    "CREATE TABLE generated(created INTEGER PRIMARY KEY, duration INTEGER NOT NULL, agent INTEGER NOT NULL, "
    "queue INTEGER NOT NULL, customer INTEGER NOT NULL, mark INTEGER NOT NULL)"
)

# A covering index, so that a search in this order needs no look-ups in the table.
INDEX = f"CREATE INDEX by_duration ON generated(duration, {COLUMNS.replace(' duration,', '')})"

FILL = """
INSERT INTO generated
WITH RECURSIVE
  series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < :count),
  noise(n, a, b, c) AS (
    SELECT n, (n + :seed) * 2654435761 % 4294967296, (n * 3 + :seed) * 2246822519 % 4294967296,
           (n * 7 + :seed) * 3266489917 % 4294967296 FROM series)
SELECT (:first + n * :step + a / 64 % :step) * 1000,
       (:shortest + (b / 256 % 1000) * (b / 256 % 1000) / 1200) * 1000,
       (a / 4096 + b / 65536) % :agents, c / 8192 % :queues, (b / 16 + c / 1024) % :customers, c / 32 % 4 = 0
FROM noise
"""
"""Fills the table in one statement: evenly spaced in time, everything else scattered by number and seed."""


def fill_values(count: int, seed: int, first: int, last: int) -> Mapping[str, int]:
    """The values of `FILL` for `count` calls between two times in epoch seconds."""
    return {
        "count": count,
        "seed": seed % 65_536,
        "first": first,
        "step": max(1, (last - first) // count),
        "shortest": SHORTEST_CALL_S,
        "agents": len(AGENTS),
        "queues": len(QUEUES),
        "customers": CUSTOMERS,
    }


@cache
def _values(field: str, outbound: int) -> tuple[str | int, ...]:
    """The value of a looked-up field for each value of its column."""
    maker = FIELDS.get(field) or TAGS[field]
    column = _LOOKUPS[field][outbound]
    made = []
    for number in range(_SIZES[column]):
        given = {"agent": 0, "queue": 0, "customer": 0, "mark": outbound, column: number}
        made.append(maker(GeneratedCall(0, 0, **given)))
    return tuple(made)


@cache
def _sizes() -> tuple[int | str, ...]:
    """The size of a recording of each length in seconds."""
    return tuple(
        FIELDS["storedBytes"](GeneratedCall(0, second * 1000, 0, 0, 0, 0)) for second in range(LONGEST_CALL_S + 1)
    )


class GeneratedCalls:
    """Filters and orders on the table `generated`."""

    def __init__(self, rules: Rules, names: Mapping[str, str] | None = None) -> None:
        self._rules = rules
        self._names = names
        """Field names of the call by those of a bucket; if given, there are no others."""

    def condition(self, term: Comparison) -> Condition:
        """One comparison as SQL."""
        name = self.name(term.selector)
        match = match_of(term, self._rules, tag=name in TAGS)
        if name in CONSTANTS:
            return truth(match.holds(value_of(GeneratedCall(0, 0, 0, 0, 0, 0), name)))
        if name in _WHOLE:
            return _bounded(name, match)
        if name in _LOOKUPS:
            return _looked_up(name, match)
        if name == "storedBytes":
            return _members("duration", [second * 1000 for second, size in enumerate(_sizes()) if match.holds(size)])
        if name in FIELDS or name in TAGS:
            return _derived(name, match)
        return truth(match.holds(None))

    def order(self, field: str) -> str:
        """The SQL expression whose order is that of a field or tag."""
        name = self.name(field)
        if name in _WHOLE:
            as_text = name in TAGS and not self._rules.numeric_tags
            return f"CAST({_WHOLE[name]} AS TEXT)" if as_text else _WHOLE[name]
        if name == "storedBytes":
            return "duration"
        if name in _SORTED:
            return _SORTED[name]
        if name in _BY_START:
            return _START
        return f"derived('{name}', {COLUMNS})" if name in _LOOKUPS or name == "checksum" else "created"

    def value(self, call: GeneratedCall, field: str) -> str | int | None:
        """The value of a field or tag of one call."""
        return value_of(call, self.name(field))

    def name(self, field: str) -> str:
        """The call's name of a field; empty if it has none."""
        return field if self._names is None else self._names.get(field, "")


def _bounded(name: str, match: Match) -> Condition:
    plain = whole(_WHOLE[name], match)
    if name != "startTime" or match.numbers is None or match.operator not in ("==", "=ge=", "=gt=", "=lt=", "=le="):
        return plain
    # The delay from the start of a call to its creation is bounded, so that the database can skip all others.
    moment = match.numbers[0]
    parts = [plain]
    if match.operator in ("==", "=ge=", "=gt="):
        parts.append(Condition("created >= ?", (moment,)))
    if match.operator in ("==", "=le=", "=lt="):
        parts.append(Condition("created <= ?", (moment + LONGEST_CALL_S * 1000 + UPLOAD_LAG,)))
    return every(parts)


def whole(expression: str, match: Match) -> Condition:
    """A comparison of a column or expression with integers."""
    sign = _SIGNS[match.operator]
    wanted: Sequence[Value] | None = match.numbers
    if wanted is None and match.plain:
        expression, wanted = f"CAST({expression} AS TEXT)", match.wanted
    if wanted is None:
        return Condition(f"holds({expression}, ?)", (match.key(),))
    marks = f"({', '.join('?' * len(wanted))})" if "IN" in sign else "?"
    return Condition(f"{expression} {sign} {marks}", tuple(wanted))


def _looked_up(name: str, match: Match) -> Condition:
    sides = []
    for outbound, column in enumerate(_LOOKUPS[name]):
        found = [number for number, value in enumerate(_values(name, outbound)) if match.holds(value)]
        sides.append(_members(column, found))
    if _LOOKUPS[name][0] == _LOOKUPS[name][1]:
        return sides[0]
    return some([every([Condition(f"mark = {side}"), part]) for side, part in enumerate(sides)])


def _members(column: str, numbers: Sequence[int]) -> Condition:
    if not numbers:
        return FALSE
    step = 1000 if column == "duration" else 1
    if numbers[-1] - numbers[0] == step * (len(numbers) - 1):
        return Condition(f"{column} BETWEEN ? AND ?", (numbers[0], numbers[-1]))
    return Condition(f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(numbers),))


def _derived(name: str, match: Match) -> Condition:
    exact = {"==": "", "=in=": "", "!=": "NOT ", "=out=": "NOT "}.get(match.operator)
    if exact is None or not match.plain or name == "checksum":
        return Condition(f"holds(derived('{name}', {COLUMNS}), ?)", (match.key(),))
    one: Callable[[str, str], Condition] = _with_time if name in _BY_TIME else _with_start
    found = some([one(name, wanted) for wanted in match.wanted])
    return Condition(f"{exact}({found.text})", found.values)


def _with_time(name: str, wanted: str) -> Condition:
    created = created_of(wanted)
    if created is None or value_of(GeneratedCall(created, 0, 0, 0, 0, 0), name) != wanted:
        return FALSE
    return Condition("created = ?", (created,))


def _with_start(name: str, wanted: str) -> Condition:
    start = start_of(wanted.rsplit("/", 1)[-1])
    if start is None or start > 2**53:
        return FALSE
    return Condition(
        f"(created BETWEEN ? AND ? AND {_START} = ? AND derived('{name}', {COLUMNS}) = ?)",
        (start, start + LONGEST_CALL_S * 1000 + UPLOAD_LAG, start, wanted),
    )


# The tables of objects and buckets


_WHOLE_COLUMNS = frozenset({"createdTime", "updatedTime", "storedBytes"})

TABLE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "object": tuple(OBJECT_FIELDS),
    "bucket": ("id", "name", "customerId", "userId", "createdTime", "updatedTime"),
}
"""The columns of each table that filters can refer to."""


_COLUMNS = ", ".join(f"{field} {'INTEGER' if field in _WHOLE_COLUMNS else 'TEXT'}" for field in OBJECT_FIELDS)

SCHEMA = (
    _GENERATED_TABLE,
    "CREATE TABLE object(n INTEGER PRIMARY KEY, region TEXT, sound INTEGER, data BLOB, zeros INTEGER, part INTEGER, "
    f"{_COLUMNS})",
    "CREATE UNIQUE INDEX object_by_id ON object(id, region)",
    "CREATE INDEX object_by_bucket ON object(bucketId, region)",
    "CREATE TABLE object_tag(n INTEGER, position INTEGER, key TEXT, value TEXT, PRIMARY KEY(n, position)) "
    "WITHOUT ROWID",
    # A bucket is named after the first of its objects, and has some of its tags.
    """
    CREATE VIEW bucket AS
    SELECT n, region, bucketId AS id, coalesce(nullif(
        (SELECT value FROM object_tag AS tag WHERE tag.n = object.n AND key = 'callId' ORDER BY position LIMIT 1),
        ''), objectName) AS name, customerId, userId, createdTime, updatedTime
    FROM object WHERE NOT EXISTS (
        SELECT 1 FROM object AS earlier
        WHERE earlier.bucketId = object.bucketId AND earlier.region = object.region AND earlier.n < object.n)
    """,
    "CREATE VIEW bucket_tag AS SELECT * FROM object_tag WHERE key IN ('callId', 'tenantId') AND value <> ''",
    "CREATE TABLE event(at INTEGER, n INTEGER, state TEXT)",
)


class StoredTable:
    """Filters on one of the two tables."""

    def __init__(self, table: str, rules: Rules) -> None:
        self._table = table
        self._rules = rules

    def condition(self, term: Comparison) -> Condition:
        """One comparison as SQL."""
        name, is_tag = term.selector, term.selector not in TABLE_FIELDS[self._table]
        match = match_of(term, self._rules, tag=is_tag)
        if name in _WHOLE_COLUMNS and not is_tag:
            return whole(name, match)
        if not is_tag and match.operator in ("==", "=in=") and _as_text(match):
            return Condition(f"{name} IN ({', '.join('?' * len(match.wanted))})", match.wanted)
        value = self.expression(name)
        return Condition(f"holds({value.text}, ?)", (*value.values, match.key()))

    def expression(self, name: str) -> Condition:
        """The value of a field or tag as SQL; the first one where a tag comes twice."""
        if name in TABLE_FIELDS[self._table]:
            return Condition(name)
        return Condition(
            f"(SELECT value FROM {self._table}_tag AS tag WHERE tag.n = {self._table}.n AND key = ? "
            "ORDER BY position LIMIT 1)",
            (name,),
        )


def _as_text(match: Match) -> bool:
    return match.plain and all(number(wanted) is None for wanted in match.wanted)
