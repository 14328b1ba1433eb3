"""Why a search may have found nothing."""

from collections.abc import Iterator
from datetime import tzinfo

from cloudstore_tui.fiql.checker import check
from cloudstore_tui.fiql.fields import ALIASES, CONTENT_FIELDS, Unit, units_of
from cloudstore_tui.fiql.reading import clause_words
from cloudstore_tui.fiql.scope import scoped
from cloudstore_tui.fiql.tree import Node

_LENGTHS = frozenset({Unit.MILLISECONDS, Unit.SECONDS})
_LISTED = frozenset({"type", "objectState"})
_EQUAL = frozenset({"==", "=in="})


def why_empty(node: Node | None, text: str, zone: tzinfo) -> tuple[str, ...]:
    """What may be the reason that a filter finds nothing: whole sentences, the likeliest first.

    Args:
        node: the tree of the filter, `None` if there is none.
        text: the filter as it was sent.
        zone: what times are shown in.
    """
    if node is None:
        return (_STATE,)
    problems = (found.sentence for found in check(node, text, zone))
    return tuple(dict.fromkeys((*problems, *_general(node, zone))))


_STATE = "Only AVAILABLE objects are found unless a state is named: objectState==ARCHIVED, or state:any in words."


def _general(node: Node, zone: tzinfo) -> Iterator[str]:
    terms = list(scoped(node))
    if all(term.selector != "objectState" for term, _types in terms):
        yield _STATE
    for term, types in terms:
        units = units_of(ALIASES.get(term.selector, term.selector), types)
        if units == {Unit.EPOCH_MS}:
            yield f"The time was taken in the zone of the settings: {clause_words(term, types, zone)}."
        elif units <= _LENGTHS:
            yield f"The unit of {term.selector} is {' or '.join(sorted(units))}: {clause_words(term, types, zone)}."
    texts = (term for term, _types in terms if term.selector not in _LISTED and term.operator in _EQUAL)
    if any(CONTENT_FIELDS.get(term.selector, Unit.TEXT) is Unit.TEXT for term in texts):
        yield "Texts must be equal to the letter, with their capitals; agent:~khang looks for a part in fetched rows."
