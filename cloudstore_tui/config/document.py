"""A user's TOML file: its values, the line of each key, and changes that leave the rest of it alone."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cloudstore_tui.config.paths import read_bounded
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.profile import OptionValue

MAX_CONFIG_BYTES = 1_000_000
"""Bytes; a configuration is a few hundred."""

_HEADER = re.compile(r"^\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"""^\s*(?P<key>"[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*=""")


class TomlDocument:
    """One TOML file, read once."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._lines = text.splitlines()
        try:
            self.values: Mapping[str, object] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(_syntax(str(error)), subject=_place(path, _line_of(str(error)))) from None
        except RecursionError:
            raise ConfigError("is nested too deeply", subject=str(path)) from None

    @classmethod
    def read(cls, path: Path) -> "TomlDocument":
        """Read a file.

        Raises:
            ConfigError: it cannot be read, or is too large, or is not TOML in UTF-8.
        """
        data = read_bounded(path, MAX_CONFIG_BYTES, "the configuration")
        try:
            return cls.parse(path, data.decode())
        except UnicodeDecodeError:
            raise ConfigError("is not UTF-8 text", subject=str(path)) from None

    @classmethod
    def parse(cls, path: Path, text: str) -> "TomlDocument":
        """Parse the text of a file, with any line ends and an optional byte-order mark."""
        return cls(path, text.removeprefix("\ufeff").replace("\r\n", "\n"))

    def table(self, name: str) -> Mapping[str, object]:
        """A top-level table; empty if absent."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise self.error(f"{name} must be a table", (name,), hint=f"Write [{name}] on a line of its own.")
        return value

    def error(self, message: str, keys: tuple[str, ...], hint: str = "") -> ConfigError:
        """An error about a key, with file and line."""
        return ConfigError(message, subject=_place(self.path, self._line(keys)), hint=hint)

    def unknown(self, keys: tuple[str, ...], known: Iterable[str]) -> ConfigError:
        """The error for an unknown key; its hint names the nearest known one."""
        names = sorted(known)
        near = difflib.get_close_matches(keys[-1], names, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(names)}."
        return self.error(f"unknown key {keys[-1]}", keys, hint)

    def _line(self, keys: tuple[str, ...]) -> int:
        *tables, last = keys
        header_line = current = 0
        inside = not tables
        for number, line in enumerate(self._lines, 1):
            if header := _HEADER.match(line):
                name = header["name"].replace('"', "").replace("'", "")
                inside = name == ".".join(tables)
                header_line = number if inside or name == ".".join(keys) else header_line
            elif inside and (key := _KEY.match(line)) and key["key"].strip("\"'") == last:
                current = current or number
        return current or header_line


def _place(path: Path, line: int) -> str:
    return f"{path}:{line}" if line else str(path)


def _line_of(message: str) -> int:
    found = re.search(r"at line (\d+)", message)
    return int(found[1]) if found else 0


def _syntax(message: str) -> str:
    return f"is not valid TOML: {message.split(' (at ')[0]}"


if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.container import Container
    from tomlkit.items import AbstractTable, Item, Key

Keys = tuple[str, ...]
"""The path of a table: `("profiles", "acme")` for `[profiles.acme]`."""

_MARK = "\ufeff"


def with_table(text: str, keys: Keys, values: Mapping[str, OptionValue]) -> str:
    """The text with these values set in a table; a new table is added at the end."""
    import tomlkit

    document = _parsed(text)
    for _body, _index, table in _tables(document, keys):
        for name, value in values.items():
            table[name] = _plain(value)
        return _like(text, document.as_string())
    added: dict[str, object] = {name: _plain(value) for name, value in values.items()}
    for key in reversed(keys):
        added = {key: added}
    before = document.as_string()
    gap = "" if not before.strip() else "\n" if before.endswith("\n") else "\n\n"
    return _like(text, before + gap + tomlkit.dumps(added))


def without_table(text: str, keys: Keys) -> str:
    """The text without a table; comments before it and before the next one stay."""
    from tomlkit.items import Whitespace

    document = _parsed(text)
    rest = ""
    for body, index, table in _tables(document, keys):
        rest = _last_comments(table)
        body[index] = (None, Whitespace(rest))
    changed = document.as_string()
    return _like(text, changed if rest else f"{changed.rstrip()}\n" if changed.strip() else "")


def with_name(text: str, keys: Keys, name: str) -> str:
    """The text with a table renamed."""
    from tomlkit.items import SingleKey, Table

    document = _parsed(text)
    for body, index, table in _tables(document, keys):
        if isinstance(table, Table):
            table.display_name = None
        body[index] = (SingleKey(name), table)
    return _like(text, document.as_string())


def _parsed(text: str) -> "TOMLDocument":
    # Deferred: it takes 40 ms to import, and only changes need it.
    import tomlkit

    return tomlkit.parse(text.removeprefix(_MARK).replace("\r\n", "\n"))


def _like(before: str, changed: str) -> str:
    """The changed text with the byte-order mark and the line ends of the one before."""
    if "\r\n" in before:
        changed = changed.replace("\n", "\r\n")
    return _MARK + changed if before.startswith(_MARK) else changed


def _plain(value: OptionValue) -> object:
    return list(value) if isinstance(value, tuple) else value


def _tables(container: "Container", keys: Keys) -> "Iterator[tuple[list[tuple[Key | None, Item]], int, AbstractTable]]":
    """The positions of the tables with a name; a table written in several parts has several."""
    from tomlkit.items import AbstractTable

    for index, (key, item) in enumerate(container.body):
        if key is None or not isinstance(item, AbstractTable) or key.key != keys[0]:
            continue
        if len(keys) == 1:
            yield container.body, index, item
        else:
            yield from _tables(item.value, keys[1:])


def _last_comments(table: "AbstractTable") -> str:
    """The comments at the end of a table, which belong to the next one."""
    from tomlkit.items import Table

    lines: list[str] = []
    for key, item in reversed(table.value.body if isinstance(table, Table) else ()):
        if key is not None:
            break
        lines.append(item.as_string())
    return "".join(reversed(lines)).lstrip("\n")
