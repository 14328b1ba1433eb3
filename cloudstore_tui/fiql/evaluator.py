"""Whether a row meets a filter, by the rules of the service; and an object as such a row."""

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.fields import ALIASES, CONTENT_FIELDS
from cloudstore_tui.fiql.measures import epoch_ms
from cloudstore_tui.fiql.syntax import And, Comparison, Node

Row: TypeAlias = Mapping[str, str | int]
"""The fields and tags of an object by the names that filters use; a name that is not there is missing."""

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?")
_ORDERS: Mapping[str, Callable[[float | str, float | str], bool]] = {
    "==": operator.eq,
    "=in=": operator.eq,
    "=gt=": operator.gt,
    "=ge=": operator.ge,
    "=lt=": operator.lt,
    "=le=": operator.le,
}


def evaluate(node: Node, row: Row) -> bool:
    """Whether a row meets a filter.

    Numbers are compared as numbers where both sides are written as numbers, everything else as texts with their
    capitals; a `*` is a `*`. A row without the field or tag is found by `!=` and `=out=` and by nothing else.

    The service finds only AVAILABLE objects where a filter does not name `objectState`. That is a rule about searches,
    not about filters: it is not applied here.
    """
    if isinstance(node, Comparison):
        return _meets(node, row.get(ALIASES.get(node.selector, node.selector)))
    join = all if isinstance(node, And) else any
    return join(evaluate(term, row) for term in node.terms)


def _meets(term: Comparison, value: str | int | None) -> bool:
    if term.operator in ("!=", "=out="):
        return value is None or not any(_compare("==", value, wanted) for wanted in term.values)
    return value is not None and any(_compare(term.operator, value, wanted) for wanted in term.values)


def _compare(sign: str, value: str | int, wanted: str) -> bool:
    mine, other = value if isinstance(value, int) else number(value), number(wanted)
    if mine is None or other is None:
        return _ORDERS[sign](str(value), wanted)
    return _ORDERS[sign](mine, other)


@lru_cache(maxsize=4096)
def number(text: str) -> int | float | None:
    """A text as a number if it is written as one: `-12`, `1.5`, but not `1e3`, `+1` or ` 1`."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    return float(text) if found[1] else int(text)


def fields_of(entry: StoredObject) -> dict[str, str | int | None]:
    """The fields of every object by the names of filters; `None` or empty where the service did not tell."""
    return {
        "id": entry.id,
        "bucketId": entry.bucket_id,
        "customerId": entry.customer_id,
        "userId": entry.user_id,
        "type": entry.type,
        "mimeType": entry.mime,
        "objectName": entry.name,
        "objectState": entry.state,
        "createdTime": epoch_ms(entry.created) if entry.created else None,
        "updatedTime": epoch_ms(entry.updated) if entry.updated else None,
        "storedBytes": entry.size,
        "checksum": entry.checksum,
        "checksumType": entry.checksum_type,
    }


def row_of(entry: StoredObject) -> Row:
    """The fields and tags of an object by the names that filters use.

    Fields that the service did not tell are missing. Of a tag that comes twice the first counts, and a tag never
    hides a field. Times are as exact as the reply was, which may be whole seconds.
    """
    tags = {key: value for key, value in reversed(entry.tags) if key not in CONTENT_FIELDS}
    return tags | {name: value for name, value in fields_of(entry).items() if value is not None and value != ""}
