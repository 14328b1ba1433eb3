"""Every action can be found, named, rebound, and never takes a letter from somebody who types."""

import re
import string
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from textual.binding import Binding
from textual.dom import DOMNode

import cloudstore_tui
from cloudstore_tui.config.keymap import check_keymap, key_name
from cloudstore_tui.ui.keys import known_bindings

ROOT = Path(cloudstore_tui.__file__).parent
ID = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*")


def classes() -> Iterator[type[DOMNode]]:
    """All of ours that can have bindings."""
    names = [found.name for found in walk_packages([str(ROOT / "ui")], "cloudstore_tui.ui.")]
    if (ROOT / "app.py").exists():
        names.append("cloudstore_tui.app")
    for name in names:
        for value in vars(import_module(name)).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == name:
                yield value


def declared() -> list[tuple[str, object]]:
    """Every entry of every `BINDINGS`, and where it is."""
    found = [(class_.__name__, entry) for class_ in classes() for entry in vars(class_).get("BINDINGS", ())]
    assert len(found) > 20
    return found


def bindings() -> list[tuple[str, Binding]]:
    return [(name, entry) for name, entry in declared() if isinstance(entry, Binding)]


def test_every_binding_has_id_description_and_tooltip() -> None:
    bare = [
        f"{name}: {entry}"
        for name, entry in declared()
        if not (isinstance(entry, Binding) and entry.tooltip and entry.description and ID.fullmatch(entry.id or ""))
    ]
    assert bare == []


def test_every_id_is_declared_once() -> None:
    counts = Counter(binding.id for _, binding in bindings())
    assert [id_ for id_, number in counts.items() if number > 1] == []


def test_no_printable_key_has_priority() -> None:
    """Or it would act although somebody types into a field."""
    printable = {key_name(mark) for mark in string.punctuation} | {"space"}
    taken = [
        f"{name}: {key}"
        for name, binding in bindings()
        for key in map(key_name, binding.key.split(","))
        if binding.priority and (len(key) == 1 or key in printable)
    ]
    assert taken == []


def test_every_default_key_is_one_that_plain_terminals_send() -> None:
    """What the check of the user's keys refuses is not given to anybody by default either."""
    known = known_bindings()
    for action in known:
        keys = [key for key in action.keys if key != "comma"]
        assert check_keymap({action.id: ",".join(keys)}, known)


def test_every_action_of_a_binding_exists() -> None:
    missing = []
    for class_ in classes():
        for entry in vars(class_).get("BINDINGS", ()):
            if isinstance(entry, Binding):
                owner, _, action = entry.action.partition("(")[0].rpartition(".")
                if not owner and not hasattr(class_, f"action_{action}"):
                    missing.append(f"{class_.__name__}.action_{action}")
    assert missing == []


def test_help_knows_every_binding_of_the_ui() -> None:
    in_ui = {binding.id for class_ in classes() if class_.__module__ != "cloudstore_tui.app"
             for binding in vars(class_).get("BINDINGS", ()) if isinstance(binding, Binding)}  # fmt: skip
    assert {action.id for action in known_bindings()} == in_ui
