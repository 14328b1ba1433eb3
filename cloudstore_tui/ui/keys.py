"""All key bindings, and how keys are written on this terminal."""

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode

from cloudstore_tui.config.keymap import KeyHelp
from cloudstore_tui.ui.terminal.charset import UTF_8, key_in_charset
from cloudstore_tui.ui.terminal.driver import TerminalDriver, driver_of

_PACKAGE = "cloudstore_tui.ui"
MOVES = frozenset(
    {
        *("down", "up", "page_down", "page_up", "half_down", "half_up", "first", "last", "top", "bottom"),
        *("left", "right", "next", "previous", "further", "before"),
    }
)
"""Last parts of the ids of bindings that only move a cursor or view."""


def is_move(binding: Binding) -> bool:
    """Whether a binding only moves a cursor or view."""
    return (binding.id or "").rpartition(".")[2] in MOVES


def key_display(app: App[Any], binding: Binding) -> str:
    """The key of a binding, in characters that this terminal has."""
    return keys_in_words(app, app.get_key_display(binding))


def keys_in_words(app: App[Any], hint: str) -> str:
    """A hint such as `⏎ search`, with words for key symbols that this terminal lacks."""
    driver = driver_of(app)
    return key_in_charset(hint, driver.charset if isinstance(driver, TerminalDriver) else UTF_8)


def known_bindings(*more: type[DOMNode]) -> tuple[KeyHelp, ...]:
    """Every action with an id, once, sorted by id.

    Args:
        more: classes outside this package, such as the app.
    """
    found: dict[str, KeyHelp] = {}
    for binding in _bindings((*_classes(), *more)):
        if not binding.id:
            continue
        keys = tuple(key.strip() for key in binding.key.split(","))
        known = found.get(binding.id)
        before = known.keys if known else ()
        found[binding.id] = KeyHelp(binding.id, (*before, *keys), binding.description, binding.tooltip)
    return tuple(found[name] for name in sorted(found))


def _bindings(classes: Iterable[type[DOMNode]]) -> Iterator[Binding]:
    for class_ in classes:
        for binding in vars(class_).get("BINDINGS", ()):
            if isinstance(binding, Binding):
                yield binding


def _classes() -> Iterator[type[DOMNode]]:
    """All widgets, dialogs and screens of this package, by module."""
    for found in pkgutil.walk_packages([str(Path(__file__).parent)], f"{_PACKAGE}."):
        for value in vars(import_module(found.name)).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == found.name:
                yield value
