"""Which fields or tags a word of a phrase means for the types that are asked for."""

import re
from collections.abc import Mapping

from cloudstore_tui.fiql.fields import KNOWN_FIELDS, STATES, TYPE_NAMES, has_tag
from cloudstore_tui.fiql.names import NAMES, Name, name_of, nearest
from cloudstore_tui.fiql.phrases.item import Item, Value

_PHONE = re.compile(r"\+?[0-9]{5,}", re.ASCII)
_HINTS: Mapping[str, str] = {
    "region": "Name the region in the path: PROFILE:REGION.",
    "limit": "The number of results is no condition; the command line has --limit.",
    "sort": "The order is no condition; the command line has --sort.",
    "from": "Write `since:` for times and `caller:` for people.",
    "to": "Write `until:` for times and `called:` for people.",
    "http": "Put an address in quotes.",
    "https": "Put an address in quotes.",
}


def name_in(item: Item) -> Name:
    """What the key of an item means.

    Raises:
        FilterError: nothing that we know.
    """
    if name := name_of(item.key):
        return name
    key = item.key
    if near := nearest(key, {*NAMES, *KNOWN_FIELDS}):
        hint = f"Did you mean `{near}:`? A tag of your own is written `tag.{key}:`."
    else:
        hint = _HINTS.get(key.lower(), "Put the word in quotes if it is part of a name.")
        hint = f"{hint} A tag of your own is written `tag.{key}:`."
    raise item.error(f"`{key}:` is no field or tag that we know", hint)


def fields_of(item: Item, name: Name, types: tuple[str, ...]) -> tuple[str, ...]:
    """The fields or tags that a word means: for each type the first one that its objects have.

    Raises:
        FilterError: no object of these types has any of them.
    """
    by_number = name.phone_fields and all(_PHONE.fullmatch(value.text) for value in item.values)
    wanted = name.phone_fields if by_number else name.fields
    if not types or name.is_tag:
        return wanted[:1]
    found = [next((field for field in wanted if has_tag(kind, field)), "") for kind in types]
    if not any(found):
        hint = f"Leave it out, or name another type. `tag.{wanted[0]}:` asks for it all the same."
        raise item.error(f"objects of the type {' or '.join(types)} have no {item.key}", hint)
    return tuple(dict.fromkeys(field for field in found if field))


def types_of(items: tuple[Item, ...]) -> tuple[str, ...]:
    """The types that a phrase asks for; empty for any."""
    for item in items:
        if item.key.lower() == "type" and not item.negated and not item.operator:
            return names_of(item, name_in(item))
    return ()


def types_left(items: tuple[Item, ...], types: tuple[str, ...]) -> tuple[str, ...]:
    """The types that remain when those that a phrase refuses are taken away; empty for any."""
    refused = {
        name
        for item in items
        if item.key.lower() == "type" and item.negated != (item.operator == "!=")
        for name in names_of(item, name_in(item))
    }
    return tuple(name for name in types or TYPE_NAMES if name not in refused) if refused else types


def names_of(item: Item, name: Name) -> tuple[str, ...]:
    """The service's names for the values of an item; what is not known is believed in quotes only.

    Raises:
        FilterError: a value looks like a slip of the pen, or like nothing that we know.
    """
    found: list[str] = []
    for value in item.values:
        known = _known(value, name)
        if not known:
            near = nearest(value.text, name.values or ())
            hint = f"Did you mean `{near}`?" if near else f"Known are {', '.join(_shown(name))}."
            hint = f"{hint} A value in quotes is taken as it is."
            raise item.error(f"{value.text} is no {name.word} that we know", hint, value.start)
        found += known
    return tuple(dict.fromkeys(found))


def _known(value: Value, name: Name) -> tuple[str, ...]:
    # In capitals it is the service's DELETED and nothing else.
    if name.word == "state" and value.text in STATES:
        return (value.text,)
    if known := (name.values or {}).get(value.text.lower()):
        return known
    # Types are an open set: one that is like no other may well exist.
    is_new = name.word == "type" and not value.wild and not nearest(value.text, name.values or ())
    return (value.text,) if value.quoted or is_new else ()


def _shown(name: Name) -> tuple[str, ...]:
    return TYPE_NAMES if name.word == "type" else tuple(name.values or ())
