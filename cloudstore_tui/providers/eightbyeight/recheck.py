"""Whether what a search gave meets the filter as this program reads it: services differ in how they compare."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import ge, gt, le, lt

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql import And, Comparison, Node, parse
from cloudstore_tui.fiql.fields import CONTENT_FIELDS, Unit
from cloudstore_tui.providers.eightbyeight.values import number, values_of

_ORDERS: dict[str, Callable[[float, float], bool]] = {"=gt=": gt, "=ge=": ge, "=lt=": lt, "=le=": le}


def contradicts(entry: StoredObject, filter_: str) -> bool:
    """Whether a row certainly does not meet the filter. The service's answer stands; this is for a note to the user.

    Numbers are compared as numbers and texts with their case, and a `*` that the user typed stands for anything. What
    nobody can know counts as met: fields that the row does not have, and times, which replies cut to whole seconds.
    """
    tree = _parsed(filter_)
    return tree is not None and _holds(tree, entry) is False


@lru_cache(maxsize=32)
def _parsed(filter_: str) -> Node | None:
    try:
        return parse(filter_) if filter_ else None
    except FilterError:
        return None


def _holds(node: Node, entry: StoredObject) -> bool | None:
    """Whether a row meets a filter; `None` if that cannot be told."""
    if isinstance(node, Comparison):
        return _meets(node, entry)
    deciding = not isinstance(node, And)
    found = [_holds(term, entry) for term in node.terms]
    if deciding in found:
        return deciding
    return None if None in found else not deciding


def _meets(term: Comparison, entry: StoredObject) -> bool | None:
    values = values_of(entry, term.selector)
    if not values or CONTENT_FIELDS.get(term.selector) is Unit.EPOCH_MS:
        return None
    if term.operator in _ORDERS:
        return _agreed([_in_order(value, term) for value in values])
    equal = any(_equal(value, wanted) for value in values for wanted in term.values)
    if term.operator in ("==", "=in="):
        return equal or any(_matches(value, wanted) for value in values for wanted in term.values)
    # Of a tag that comes twice, nobody knows which value a negation looks at.
    return not equal if len(values) == 1 else None


def _in_order(value: str, term: Comparison) -> bool | None:
    mine, wanted = number(value), number(term.value)
    return None if mine is None or wanted is None else _ORDERS[term.operator](mine, wanted)


def _agreed(found: list[bool | None]) -> bool | None:
    return found[0] if len(set(found)) == 1 else None


def _equal(value: str, wanted: str) -> bool:
    mine, other = number(value), number(wanted)
    return value == wanted or (mine is not None and mine == other)


def _matches(value: str, wanted: str) -> bool:
    return "*" in wanted and fnmatchcase(value, wanted.replace("[", "[[]").replace("?", "[?]"))
