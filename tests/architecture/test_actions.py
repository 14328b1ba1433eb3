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
from cloudstore_tui.app import CloudStoreApp
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


def test_backspace_only_goes_up_and_escape_never_quits() -> None:
    """Some terminals send the one for Delete, and the other before a key of its own."""
    assert {binding.id for _, binding in bindings() if "backspace" in binding.key} == {"browser.up", "places.collapse"}
    assert [name for name, binding in bindings() if "escape" in binding.key and "quit" in binding.action] == []


MAP = {
    "app.help": "?,f1", "app.palette": "ctrl+p,:,f9", "app.quit": "q,f10", "app.leave": "ctrl+q",
    "app.interrupt": "ctrl+c", "app.suspend": "ctrl+z", "app.redraw": "ctrl+l",
    "panes.next": "tab", "panes.previous": "shift+tab", "panes.places": "1", "panes.entries": "2",
    "panes.left": "h,left", "browser.back_out": "escape", "browser.transfers": "t,3",
    "browser.up": "backspace,-", "browser.root": "\\", "browser.path": "0", "app.home": "~", "app.messages": "<",
    "browser.back": "H,alt+left", "browser.forward": "L,alt+right", "browser.goto": "ctrl+g", "browser.find": "f,f7",
    "browser.detail": "i", "browser.zone": "Z",
    "entries.down": "j,down", "entries.up": "k,up", "entries.first": "g,home", "entries.last": "G,end",
    "entries.half_down": "ctrl+d", "entries.half_up": "ctrl+u", "entries.page_down": "pagedown,ctrl+f",
    "entries.page_up": "pageup,ctrl+b", "entries.open": "enter,l,right", "entries.mark": "space,insert",
    "entries.range": "v", "entries.mark_all": "a,ctrl+a", "entries.invert": "*", "entries.filter": "/",
    "entries.sort": "o", "entries.reverse": "O", "entries.refresh": "r,f5,ctrl+r", "entries.bookmark": "m",
    "entries.bookmarks": "'", "entries.columns": "c", "entries.profile": "P", "entries.region": "R",
    "entries.preview": "p,f3", "entries.download": "d,s", "entries.download_as": "D,S,f2", "entries.upload": "u",
    "entries.link": "y", "entries.copy": "Y", "entries.zip": "z", "entries.call": ".", "entries.delete": "delete,f8,X",
    "places.expand": "l,right", "places.collapse": "h,left,backspace", "places.open": "enter",
    "transfers.cancel": "x,delete", "transfers.pause": "p", "transfers.retry": "r", "transfers.clear": "c",
}  # fmt: skip
"""The keys that fingers know from other programs: to take one away is a decision, never an accident."""


def test_the_keys_that_fingers_know_do_what_they_expect() -> None:
    held = {action.id: {key_name(key) for key in action.keys} for action in known_bindings(CloudStoreApp)}
    wanted = {id_: set(map(key_name, keys.split(","))) for id_, keys in MAP.items()}
    assert {id_: keys - held.get(id_, set()) for id_, keys in wanted.items() if keys - held.get(id_, set())} == {}
