"""Objects as filters see them: fields and tags by the names that filters use, and whether an object contradicts one."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter, ge, gt, le, lt
from typing import TypeAlias

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.fields import ALIASES, CONTENT_FIELDS, Unit
from cloudstore_tui.fiql.measures import SECOND, epoch_ms
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node

Row: TypeAlias = Mapping[str, str | int]
"""The fields and tags of an object by the names that filters use; missing ones are absent."""

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?")
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {"=gt=": gt, "=ge=": ge, "=lt=": lt, "=le=": le}


@lru_cache(maxsize=4096)
def number(text: str) -> int | float | None:
    """A text as a number if it is written as one: `-12`, `1.5`, but not `1e3`, `+1` or ` 1`."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    return float(text) if found[1] else int(text)


_FIELDS: Mapping[str, Callable[[StoredObject], str | int | None]] = {
    "id": attrgetter("id"),
    "bucketId": attrgetter("bucket_id"),
    "customerId": attrgetter("customer_id"),
    "userId": attrgetter("user_id"),
    "type": attrgetter("type"),
    "mimeType": attrgetter("mime"),
    "objectName": attrgetter("name"),
    "objectState": attrgetter("state"),
    "createdTime": lambda entry: epoch_ms(entry.created) if entry.created else None,
    "updatedTime": lambda entry: epoch_ms(entry.updated) if entry.updated else None,
    "storedBytes": attrgetter("size"),
    "checksum": attrgetter("checksum"),
    "checksumType": attrgetter("checksum_type"),
}
"""How to read each field, so that a filter reads only its own: it is compared with every row of a large result."""


def fields_of(entry: StoredObject) -> dict[str, str | int | None]:
    """The fields of an object by the names that filters use; `None` or empty where the service did not report them."""
    return {name: read(entry) for name, read in _FIELDS.items()}


def row_of(entry: StoredObject) -> Row:
    """The fields and tags of an object by the names that filters use.

    Fields that the service did not report are absent. Of a tag that occurs twice the first counts, and a tag never
    hides a field. Times have the precision of the reply, which may be whole seconds.
    """
    tags = {key: value for key, value in reversed(entry.tags) if key not in CONTENT_FIELDS}
    return tags | {name: value for name, value in fields_of(entry).items() if value is not None and value != ""}


def values_of(entry: StoredObject, name: str) -> tuple[str, ...]:
    """The values of a field or tag as the service has them; none where it is missing or blank."""
    name = ALIASES.get(name, name)
    if name not in CONTENT_FIELDS:
        return tuple(value for key, value in entry.tags if key == name and value)
    value = _FIELDS[name](entry)
    return (str(value),) if value not in (None, "") else ()


def contradicts(entry: StoredObject, filter_: str) -> bool:
    """Whether an object certainly does not match a filter. It is shown all the same; this is for a note to the user.

    Numbers are compared as numbers and texts with their case, and a `*` that the user typed stands for anything. What
    cannot be decided counts as a match: missing fields, and times within a second, to which replies are rounded.
    """
    tree = _parsed(filter_)
    return tree is not None and _meets(tree, entry) is False


@lru_cache(maxsize=32)
def _parsed(filter_: str) -> Node | None:
    try:
        return parse(filter_) if filter_ else None
    except FilterError:
        return None


def _meets(node: Node, entry: StoredObject) -> bool | None:
    """Whether an object meets a filter; `None` if that is unknown."""
    if isinstance(node, Comparison):
        return _compares(node, values_of(entry, node.selector))
    deciding = not isinstance(node, And)
    found = [_meets(term, entry) for term in node.terms]
    if deciding in found:
        return deciding
    return None if None in found else not deciding


def _compares(term: Comparison, values: Sequence[str]) -> bool | None:
    is_time = CONTENT_FIELDS.get(term.selector) is Unit.EPOCH_MS
    if not values or (is_time and term.operator not in _ORDERS):
        return None
    if term.operator in _ORDERS:
        answers = {_in_order(value, term, blur=SECOND if is_time else None) for value in values}
        return answers.pop() if len(answers) == 1 else None
    equal = any(_equal(value, wanted) for value in values for wanted in term.values)
    if term.operator in ("==", "=in="):
        return equal or any(_matches(value, wanted) for value in values for wanted in term.values)
    # Which value of a tag that occurs twice a negation refers to is unknown.
    return not equal if len(values) == 1 else None


def _in_order(value: str, term: Comparison, blur: int | None) -> bool | None:
    """Whether a value is on the wanted side of another; unknown if one is not a number, or they are within the blur."""
    mine, wanted = number(value), number(term.value)
    if mine is None or wanted is None or (blur is not None and abs(mine - wanted) <= blur):
        return None
    return _ORDERS[term.operator](mine, wanted)


def _equal(value: str, wanted: str) -> bool:
    mine, other = number(value), number(wanted)
    return value == wanted or (mine is not None and mine == other)


def _matches(value: str, wanted: str) -> bool:
    return "*" in wanted and fnmatchcase(value, wanted.replace("[", "[[]").replace("?", "[?]"))
