"""The user's own keys, checked before the browser starts."""

import difflib
import re
import string
import unicodedata
from collections.abc import Iterable, Mapping

import msgspec

from cloudstore_tui.core.errors import ConfigError

OFF = "none"
"""What the user writes to disable a key."""

_OFF_PREFIX = "unbound-"
_EVERYWHERE = frozenset({"app", "browser", "panes"})
"""Areas whose keys work in every pane of the browser."""
_PANES = frozenset({"entries", "places", "detail"})
_NAMED = {
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "enter",
    "escape", "tab", "space", *(f"f{number}" for number in range(1, 13)),
}  # fmt: skip
_MODIFIERS = {"ctrl", "alt", "shift"}
_MODIFIABLE = _NAMED - {"enter", "escape", "tab", "space", "backspace"}
_REPLACED = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_LOST = {
    "ctrl+h": "arrives as Backspace",
    "ctrl+m": "arrives as Enter",
    "ctrl+enter": "arrives as Enter",
    "shift+enter": "arrives as Enter",
    "ctrl+i": "arrives as Tab",
    "ctrl+j": "is the Enter of some terminals",
    "ctrl+space": "arrives as an empty character",
    "ctrl+at": "arrives as an empty character",
    "shift+f3": "looks like a report of the cursor's position",
    "ctrl+tab": "is kept by the terminal",
    "ctrl+backspace": "arrives as Backspace",
    "ctrl+left_square_bracket": "arrives as Escape",
}
_HINT = 'Write a character, a name such as f5, delete or pagedown, or ctrl+ and a letter; "none" switches the key off.'


class KeyHelp(msgspec.Struct, frozen=True):
    """One action that has a key."""

    id: str
    """`area.verb`, as written under `[keys]`."""
    keys: tuple[str, ...]
    """The keys it has by default."""
    description: str
    tooltip: str

    @property
    def area(self) -> str:
        """The part of the screen it belongs to, which is the id up to its dot."""
        return self.id.partition(".")[0]


def check_keymap(keys: Mapping[str, str], known: Iterable[KeyHelp], *, subject: str = "[keys]") -> dict[str, str]:
    """The user's keymap for the browser: key names, separated by commas, by action id.

    Raises:
        ConfigError: an unknown id, an empty key, a key that a plain terminal cannot send, or a key of two actions that
            work at the same time.
    """
    actions = {action.id: action for action in known}
    checked = {id_: _checked(id_, text, actions, subject) for id_, text in keys.items()}
    held = {id_: checked.get(id_, _canonical(action.keys)) for id_, action in actions.items()}
    for id_ in checked:
        given = set(held[id_]) - set(_canonical(actions[id_].keys))
        for other, action in actions.items():
            both = given & set(held[other]) if other != id_ and _meet(actions[id_].area, action.area) else set()
            if both:
                raise ConfigError(
                    f"{other} and {id_} are both on {min(both)}",
                    subject=subject,
                    hint='Give one of them another key, or "none".',
                )
    return {id_: ",".join(names) for id_, names in checked.items()}


def is_off(key: str) -> bool:
    """Whether a key of a binding only stands for one that was disabled."""
    return key.startswith(_OFF_PREFIX)


def key_name(text: str) -> str:
    """The name of a key as events carry it: `?` is `question_mark`, `Ctrl+R` is `ctrl+r`."""
    text = text.strip()
    if len(text) > 1:
        *modifiers, key = text.split("+")
        lowered = [modifier.strip().lower() for modifier in modifiers]
        last = key.lower() if len(key) > 1 or "ctrl" in lowered else key
        return "+".join([*lowered, last])
    if text.isalnum() or not text:
        return text
    name = unicodedata.name(text, text).lower().replace("-", "_").replace(" ", "_")
    return _REPLACED.get(name, name)


def _meet(one: str, other: str) -> bool:
    """Whether actions of two areas work at the same time and so cannot share a key."""
    areas = {one, other}
    return one == other or areas <= _EVERYWHERE or bool(areas & _EVERYWHERE and areas & _PANES)


def _canonical(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(key_name(key) for key in keys)


def _checked(id_: str, text: str, actions: Mapping[str, KeyHelp], subject: str) -> tuple[str, ...]:
    if id_ not in actions:
        near = difflib.get_close_matches(id_, actions, n=1)
        hint = f"Did you mean {near[0]}?" if near else "`cloudstore keys` lists all of them."
        raise ConfigError(f"unknown action {id_}", subject=subject, hint=hint)
    if text.strip() == OFF:
        # A different name for each, as two actions with the same one would clash.
        return (f"{_OFF_PREFIX}{id_}",)
    parts = ["comma"] if text.strip() == "," else text.split(",")
    return tuple(_sendable(id_, part, subject) for part in parts)


def _sendable(id_: str, text: str, subject: str) -> str:
    key = key_name(text)
    if not key:
        raise ConfigError(f"{id_} has an empty key", subject=subject, hint=_HINT)
    if lost := _LOST.get(key):
        raise ConfigError(f"{id_} cannot be on {key}: on a plain terminal it {lost}", subject=subject, hint=_HINT)
    *modifiers, last = key.split("+")
    sendable = _is_modified(modifiers, last) if modifiers else _is_plain(text.strip(), last)
    if not sendable:
        raise ConfigError(
            f"{id_} cannot be on {text.strip()}: no terminal sends such a key", subject=subject, hint=_HINT
        )
    return key


def _is_plain(text: str, key: str) -> bool:
    return (len(text) == 1 and text.isprintable()) or key in _NAMED | {key_name(mark) for mark in string.punctuation}


def _is_modified(modifiers: list[str], key: str) -> bool:
    if len(set(modifiers)) != len(modifiers) or not set(modifiers) <= _MODIFIERS:
        return False
    if modifiers == ["shift"]:
        return key in _MODIFIABLE | {"tab"}
    if modifiers == ["ctrl"]:
        return bool(re.fullmatch(r"[a-z]", key)) or key in _MODIFIABLE | {"backslash", "right_square_bracket"}
    return key in _MODIFIABLE or (modifiers == ["alt"] and len(key) == 1 and key.isalnum())
