"""Conditions on texts: types, states, names, ids, and every tag that is no quantity."""

from cloudstore_tui.fiql.names import Name
from cloudstore_tui.fiql.phrases.fields import names_of
from cloudstore_tui.fiql.phrases.item import Item, Value
from cloudstore_tui.fiql.phrases.local import LocalTerm, Pattern
from cloudstore_tui.fiql.tree import And, Comparison, Node, Or

_ORDERS = frozenset({">", ">=", "<", "<="})


def text_term(item: Item, name: Name, fields: tuple[str, ...]) -> Node | LocalTerm:
    """The condition that one of the fields is one of the values; with stars, one for the fetched rows.

    Raises:
        FilterError: it asks for an order of texts.
    """
    if item.operator in _ORDERS:
        hint = f"Write `{item.key}:{item.values[0].text}`."
        raise item.error(f"{item.key} is a text: nothing is larger or smaller", hint)
    negated = item.negated != (item.operator == "!=")
    if name.values:
        return equality(fields, names_of(item, name), negated=negated)
    if item.operator == "~":
        return LocalTerm(fields, tuple(_around(value) for value in item.values), negated)
    if any(value.wild for value in item.values):
        return LocalTerm(fields, tuple(Pattern(value.parts) for value in item.values), negated)
    texts = tuple(dict.fromkeys(spelling for value in item.values for spelling in _spellings(value, fields)))
    return equality(fields, texts, negated=negated)


def part_of_name(item: Item) -> LocalTerm:
    """The condition that a text is part of an object's name; with stars it is the whole name."""
    patterns = tuple(Pattern(value.parts) if value.wild else _around(value) for value in item.values)
    return LocalTerm(("objectName",), patterns, item.negated)


def equality(fields: tuple[str, ...], values: tuple[str, ...], *, negated: bool = False) -> Node:
    """The comparison of some fields, of which one must be equal to a value, or with `negated` none."""
    several = len(values) > 1
    operator = ("=out=" if several else "!=") if negated else ("=in=" if several else "==")
    terms = tuple(Comparison(field, operator, values) for field in fields)
    if len(terms) == 1:
        return terms[0]
    return And(terms) if negated else Or(terms)


def _around(value: Value) -> Pattern:
    return Pattern(("", *(part for part in value.parts if part), ""))


def _spellings(value: Value, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of agents are written with and without `ag` before them."""
    if "agentId" not in fields or value.quoted:
        return (value.text,)
    plain = value.text.removeprefix("ag")
    return (plain, f"ag{plain}")
