"""Tables of a TOML file changed in its text: comments, order and line ends of everything else stay as they are.

Whoever writes the result parses it first and compares: people write TOML in more ways than are handled here.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cloudstore_tui.core.profile import OptionValue

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.container import Container
    from tomlkit.items import Item, Key

Keys = tuple[str, ...]
"""The way to a table: `("profiles", "acme")` for `[profiles.acme]`."""

_MARK = "\ufeff"


def with_table(text: str, keys: Keys, values: Mapping[str, OptionValue]) -> str:
    """The text with these values in a table; a table that is not there yet comes last."""
    import tomlkit

    document = _parsed(text)
    for body, index in _tables(document, keys):
        table = body[index][1]
        for name, value in values.items():
            table[name] = _plain(value)  # type: ignore[index]
        return _like(text, document.as_string())
    added: dict[str, object] = {name: _plain(value) for name, value in values.items()}
    for key in reversed(keys):
        added = {key: added}
    before = document.as_string()
    gap = "" if not before.strip() else "\n" if before.endswith("\n") else "\n\n"
    return _like(text, before + gap + tomlkit.dumps(added))


def without_table(text: str, keys: Keys) -> str:
    """The text without a table; comments before it, and those right before the next one, stay."""
    from tomlkit.items import Whitespace

    document = _parsed(text)
    rest = ""
    for body, index in _tables(document, keys):
        rest = _last_comments(body[index][1])
        body[index] = (None, Whitespace(rest))
    changed = document.as_string()
    return _like(text, changed if rest else f"{changed.rstrip()}\n" if changed.strip() else "")


def with_name(text: str, keys: Keys, name: str) -> str:
    """The text with a table under another name."""
    from tomlkit.items import SingleKey

    document = _parsed(text)
    for body, index in _tables(document, keys):
        table = body[index][1]
        table.display_name = None  # type: ignore[attr-defined]
        body[index] = (SingleKey(name), table)
    return _like(text, document.as_string())


def _parsed(text: str) -> "TOMLDocument":
    # Deferred because it takes 40 ms to import, and only changes need it.
    import tomlkit

    return tomlkit.parse(text.removeprefix(_MARK).replace("\r\n", "\n"))


def _like(before: str, changed: str) -> str:
    """The changed text with the byte-order mark and the line ends of the one before."""
    if "\r\n" in before:
        changed = changed.replace("\n", "\r\n")
    return _MARK + changed if before.startswith(_MARK) else changed


def _plain(value: OptionValue) -> object:
    return list(value) if isinstance(value, tuple) else value


def _tables(container: "Container", keys: Keys) -> "Iterator[tuple[list[tuple[Key | None, Item]], int]]":
    """Where the tables of that name stand; more than one where its parts are apart."""
    from tomlkit.items import AbstractTable

    for index, (key, item) in enumerate(container.body):
        if key is None or not isinstance(item, AbstractTable) or key.key != keys[0]:
            continue
        if len(keys) == 1:
            yield container.body, index
        else:
            yield from _tables(item.value, keys[1:])


def _last_comments(table: "Item") -> str:
    """What stands at the end of a table and is about the next one."""
    from tomlkit.items import Table

    lines: list[str] = []
    for key, item in reversed(table.value.body if isinstance(table, Table) else ()):
        if key is not None:
            break
        lines.append(item.as_string())
    return "".join(reversed(lines)).lstrip("\n")
