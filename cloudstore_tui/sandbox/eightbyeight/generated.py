"""The table of calls that exist as numbers only: filling it, and searching it by filters on what follows from them."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from cloudstore_tui.fiql import Comparison
from cloudstore_tui.sandbox.eightbyeight.calls import (
    COLUMNS,
    CONSTANTS,
    FIELDS,
    TAGS,
    UPLOAD_LAG,
    Call,
    created_of,
    start_of,
    value_of,
)
from cloudstore_tui.sandbox.eightbyeight.condition import FALSE, Condition, Value, every, some, truth
from cloudstore_tui.sandbox.eightbyeight.people import AGENTS, CUSTOMERS, QUEUES
from cloudstore_tui.sandbox.eightbyeight.rules import Match, Rules, match_of, sort_key

SHORTEST, LONGEST = 5, 837
"""Seconds that a generated call lasts."""

_START = f"(created - duration - created / 1000 % {UPLOAD_LAG})"
_WHOLE: Mapping[str, str] = {
    "createdTime": "created",
    "updatedTime": "(created + 2000)",
    "duration": "duration",
    "startTime": _START,
    "holdDuration": "(duration / 9000 * 1000)",
    "transactionId": "(created / 1000 - 1600000000)",
}
"""Fields and tags that are whole numbers, as SQL."""

_SIZES = {"agent": len(AGENTS), "queue": len(QUEUES), "customer": CUSTOMERS, "mark": 2}
_LOOKUPS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("agentName", "agentId", "userId", "extensionNumber"), ("agent", "agent")),
    **dict.fromkeys(("queueName", "queueNumber", "channelName", "billingTelephoneNumber"), ("queue", "queue")),
    "address": ("customer", "customer"),
    "direction": ("mark", "mark"),
    **dict.fromkeys(("callerId", "callerName"), ("customer", "queue")),
    **dict.fromkeys(("calleeId", "calleeName"), ("queue", "customer")),
}
"""Fields and tags that follow from one small column: the column for calls from customers, and for calls to them."""

_SORTED = {"agentName": "agent", "queueName": "queue", "direction": "mark"}
"""Fields and tags whose order is that of the column itself."""

_BY_TIME = frozenset({"id", "bucketId", "callSnippetId"})
"""Ids that begin with the time of the call's object."""

_BY_START = frozenset({"callId", "objectName", "mediaUrl"})
"""Texts that hold the time at which the call began."""

_SIGNS = {"==": "=", "!=": "<>", "=gt=": ">", "=ge=": ">=", "=lt=": "<", "=le=": "<=", "=in=": "IN", "=out=": "NOT IN"}

SCHEMA = (
    "CREATE TABLE generated(created INTEGER PRIMARY KEY, duration INTEGER NOT NULL, agent INTEGER NOT NULL, "
    "queue INTEGER NOT NULL, customer INTEGER NOT NULL, mark INTEGER NOT NULL)",
    "CREATE TABLE rank(field TEXT, outbound INTEGER, number INTEGER, rank INTEGER, "
    "PRIMARY KEY(field, outbound, number)) WITHOUT ROWID",
)

# It holds every column, so that a search in this order never jumps back into the table.
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
"""Fills the table in one statement: spread evenly over the time, everything else scattered by the number and seed."""


def fill_values(count: int, seed: int, first: int, last: int) -> Mapping[str, int]:
    """What `FILL` is given for `count` calls between two moments in epoch seconds."""
    return {
        "count": count,
        "seed": seed % 65_536,
        "first": first,
        "step": max(1, (last - first) // count),
        "shortest": SHORTEST,
        "agents": len(AGENTS),
        "queues": len(QUEUES),
        "customers": CUSTOMERS,
    }


def ranks() -> list[tuple[str, int, int, int]]:
    """Rows of the table `rank`: the place of every value of a looked-up field in sorted order."""
    rows = []
    for field in _LOOKUPS:
        values = [_values(field, outbound) for outbound in (0, 1)]
        places = {value: place for place, value in enumerate(sorted({*values[0], *values[1]}, key=sort_key))}
        rows += [
            (field, outbound, number, places[value])
            for outbound in (0, 1)
            for number, value in enumerate(values[outbound])
        ]
    return rows


@cache
def _values(field: str, outbound: int) -> tuple[str | int, ...]:
    """The value of a looked-up field for each value of its column."""
    maker = FIELDS.get(field) or TAGS[field]
    column = _LOOKUPS[field][outbound]
    made = []
    for number in range(_SIZES[column]):
        given = {"agent": 0, "queue": 0, "customer": 0, "mark": outbound, column: number}
        made.append(maker(Call(0, 0, **given)))
    return tuple(made)


@cache
def _sizes() -> tuple[int | str, ...]:
    """The size of a recording of each length in seconds."""
    return tuple(FIELDS["storedBytes"](Call(0, second * 1000, 0, 0, 0, 0)) for second in range(LONGEST + 1))


class GeneratedCalls:
    """Filters and orders on the table `generated`."""

    def __init__(self, rules: Rules, names: Mapping[str, str] | None = None) -> None:
        self._rules = rules
        self._names = names
        """Other names for fields; with them only those fields exist."""

    def condition(self, term: Comparison) -> Condition:
        """One comparison as SQL."""
        name = self.name(term.selector)
        match = match_of(term, self._rules, tag=name in TAGS)
        if name in CONSTANTS:
            return truth(match.holds(value_of(Call(0, 0, 0, 0, 0, 0), name)))
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
        if name in _LOOKUPS:
            return _SORTED.get(name) or _rank(name)
        if name in _BY_START:
            return _START
        return f"derived('checksum', {COLUMNS})" if name == "checksum" else "created"

    def value(self, call: Call, field: str) -> str | int | None:
        """The value of a field or tag of one call."""
        return value_of(call, self.name(field))

    def name(self, field: str) -> str:
        """Our name of a field; empty if there is none."""
        return field if self._names is None else self._names.get(field, "")


def _rank(name: str) -> str:
    inbound, outbound = (
        f"(SELECT rank FROM rank WHERE field = '{name}' AND outbound = {side} AND number = {column})"
        for side, column in enumerate(_LOOKUPS[name])
    )
    return inbound if inbound == outbound else f"CASE mark WHEN 0 THEN {inbound} ELSE {outbound} END"


def _bounded(name: str, match: Match) -> Condition:
    plain = whole(_WHOLE[name], match)
    if name != "startTime" or match.numbers is None or match.operator not in ("==", "=ge=", "=gt=", "=lt=", "=le="):
        return plain
    # A call is created at most so long after its start: lets the database skip all others.
    moment = match.numbers[0]
    parts = [plain]
    if match.operator in ("==", "=ge=", "=gt="):
        parts.append(Condition("created >= ?", (moment,)))
    if match.operator in ("==", "=le=", "=lt="):
        parts.append(Condition("created <= ?", (moment + LONGEST * 1000 + UPLOAD_LAG,)))
    return every(parts)


def whole(expression: str, match: Match) -> Condition:
    """A comparison of a column or expression that holds whole numbers."""
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
    if created is None or value_of(Call(created, 0, 0, 0, 0, 0), name) != wanted:
        return FALSE
    return Condition("created = ?", (created,))


def _with_start(name: str, wanted: str) -> Condition:
    start = start_of(wanted.rsplit("/", 1)[-1])
    if start is None or start > 2**53:
        return FALSE
    return Condition(
        f"(created BETWEEN ? AND ? AND {_START} = ? AND derived('{name}', {COLUMNS}) = ?)",
        (start, start + LONGEST * 1000 + UPLOAD_LAG, start, wanted),
    )
