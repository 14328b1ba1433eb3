"""The tables of objects and buckets that are kept one by one: their schema, and filters on them."""

from collections.abc import Mapping

from cloudstore_tui.fiql import Comparison
from cloudstore_tui.sandbox.eightbyeight.condition import Condition
from cloudstore_tui.sandbox.eightbyeight.generated import whole
from cloudstore_tui.sandbox.eightbyeight.rules import Match, Rules, match_of, number

_OBJECT_FIELDS = (
    *("id", "type", "mimeType", "objectName", "checksumType", "checksum", "customerId", "userId", "storedBytes"),
    *("createdTime", "updatedTime", "objectState", "bucketId"),
)
_BUCKET_FIELDS = ("id", "name", "customerId", "userId", "createdTime", "updatedTime")
_WHOLE = frozenset({"createdTime", "updatedTime", "storedBytes"})

FIELDS: Mapping[str, tuple[str, ...]] = {"object": _OBJECT_FIELDS, "bucket": _BUCKET_FIELDS}
"""The columns of each table that filters can name."""


def _columns(fields: tuple[str, ...]) -> str:
    return ", ".join(f"{field} {'INTEGER' if field in _WHOLE else 'TEXT'}" for field in fields)


_TAG_COLUMNS = "n INTEGER, position INTEGER, key TEXT, value TEXT, PRIMARY KEY(n, position)"

SCHEMA = (
    f"CREATE TABLE object(n INTEGER PRIMARY KEY, region TEXT, {_columns(_OBJECT_FIELDS)}, "
    "sound INTEGER, data BLOB, zeros INTEGER, part INTEGER)",
    "CREATE UNIQUE INDEX object_by_id ON object(id, region)",
    "CREATE INDEX object_by_bucket ON object(bucketId)",
    f"CREATE TABLE bucket(n INTEGER PRIMARY KEY, region TEXT, {_columns(_BUCKET_FIELDS)})",
    "CREATE UNIQUE INDEX bucket_by_id ON bucket(id, region)",
    f"CREATE TABLE object_tag({_TAG_COLUMNS}) WITHOUT ROWID",
    f"CREATE TABLE bucket_tag({_TAG_COLUMNS}) WITHOUT ROWID",
    "CREATE TABLE event(at INTEGER, n INTEGER, state TEXT)",
)


class StoredTable:
    """Filters on one of the two tables."""

    def __init__(self, table: str, rules: Rules) -> None:
        self._table = table
        self._rules = rules

    def condition(self, term: Comparison) -> Condition:
        """One comparison as SQL."""
        name, is_tag = term.selector, term.selector not in FIELDS[self._table]
        match = match_of(term, self._rules, tag=is_tag)
        if name in _WHOLE and not is_tag:
            return whole(name, match)
        if not is_tag and match.operator in ("==", "=in=") and _as_text(match):
            return Condition(f"{name} IN ({', '.join('?' * len(match.wanted))})", match.wanted)
        value = self.expression(name)
        return Condition(f"holds({value.text}, ?)", (*value.values, match.key()))

    def expression(self, name: str) -> Condition:
        """The value of a field or tag as SQL; the first one where a tag comes twice."""
        if name in FIELDS[self._table]:
            return Condition(name)
        return Condition(
            f"(SELECT value FROM {self._table}_tag AS tag WHERE tag.n = {self._table}.n AND key = ? "
            "ORDER BY position LIMIT 1)",
            (name,),
        )


def _as_text(match: Match) -> bool:
    return match.plain and all(number(wanted) is None for wanted in match.wanted)
