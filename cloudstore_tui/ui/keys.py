"""All actions that have a key, collected from the classes that declare them."""

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode

from cloudstore_tui.config.keymap import KeyHelp

_PACKAGE = "cloudstore_tui.ui"


def known_bindings(*more: type[DOMNode]) -> tuple[KeyHelp, ...]:
    """Every action with an id, once, sorted by id.

    Args:
        more: classes outside of this package, such as the app's.
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
    """The widgets, dialogs and screens of this package, in the order of their modules."""
    for found in pkgutil.walk_packages([str(Path(__file__).parent)], f"{_PACKAGE}."):
        for value in vars(import_module(found.name)).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == found.name:
                yield value
