"""The configuration file as text: values, and on which line each key stands."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from cloudstore_tui.config.paths import read_bounded
from cloudstore_tui.core.errors import ConfigError

LARGEST_FILE = 1_000_000
"""Bytes; a configuration is a few hundred."""

_HEADER = re.compile(r"^\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"""^\s*(?P<key>"[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*=""")


class Document:
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
    def read(cls, path: Path) -> "Document":
        """Read a file.

        Raises:
            ConfigError: it cannot be read, is too large, is not UTF-8 or not TOML.
        """
        data = read_bounded(path, LARGEST_FILE, "the configuration")
        try:
            return cls.parse(path, data.decode())
        except UnicodeDecodeError:
            raise ConfigError("is not UTF-8 text", subject=str(path)) from None

    @classmethod
    def parse(cls, path: Path, text: str) -> "Document":
        """What a text says that stands, or is to stand, in a file: with any line ends and a byte-order mark."""
        return cls(path, text.removeprefix("\ufeff").replace("\r\n", "\n"))

    def table(self, name: str) -> Mapping[str, object]:
        """A top-level table, empty if absent."""
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise self.error(f"{name} must be a table", (name,), hint=f"Write [{name}] on a line of its own.")
        return value

    def error(self, cause: str, keys: tuple[str, ...], hint: str = "") -> ConfigError:
        """An error about one key, naming file and line."""
        return ConfigError(cause, subject=_place(self.path, self._line(keys)), hint=hint)

    def unknown(self, keys: tuple[str, ...], known: Iterable[str]) -> ConfigError:
        """The error for a key that nobody knows, naming the nearest known one."""
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
