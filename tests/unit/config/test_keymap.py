"""The user's keys: what is refused, and what becomes of the rest."""

import string

import pytest
from textual.keys import _character_to_key

from cloudstore_tui.config.keymap import KeyHelp, check_keymap, is_off, key_name
from cloudstore_tui.core.errors import ConfigError

KNOWN = (
    KeyHelp("entries.download", ("d", "s"), "Download", "Fetch"),
    KeyHelp("entries.mark", ("space", "insert"), "Mark", "Mark"),
    KeyHelp("entries.filter", ("/",), "Filter", "Filter"),
    KeyHelp("transfers.retry", ("r",), "Retry", "Again"),
    KeyHelp("browser.refresh", ("r", "f5"), "Refresh", "Read again"),
)


def refused(keys: dict[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        check_keymap(keys, KNOWN, subject="config.toml")
    assert caught.value.subject == "config.toml"
    return caught.value


def test_keys_become_the_names_that_events_carry() -> None:
    checked = check_keymap({"entries.download": " Ctrl+T , F6,!", "browser.refresh": "R"}, KNOWN)
    assert checked == {"entries.download": "ctrl+t,f6,exclamation_mark", "browser.refresh": "R"}


@pytest.mark.parametrize("character", [mark for mark in string.printable if mark.isprintable() and mark != " "])
def test_every_printable_character_is_named_as_textual_names_it(character: str) -> None:
    assert key_name(character) == _character_to_key(character)
    other = KeyHelp("one.thing", ("f12",), "", "")
    assert check_keymap({"one.thing": character}, [other]) == {"one.thing": _character_to_key(character)}


def test_none_switches_off_and_two_of_them_do_not_clash() -> None:
    checked = check_keymap({"entries.download": "none", "entries.mark": "none"}, KNOWN)
    assert all(is_off(key) for key in checked.values())
    assert len(set(checked.values())) == 2
    assert not is_off("d")


def test_an_unknown_action_names_the_nearest_known_one() -> None:
    assert "entries.download" in refused({"entries.dnload": "x"}).hint


@pytest.mark.parametrize("text", ["", "  ", "d,,e", "d,"])
def test_an_empty_key_is_refused(text: str) -> None:
    assert "empty key" in refused({"entries.download": text}).message


def test_two_actions_of_one_area_on_one_key_are_refused() -> None:
    assert "entries.filter" in refused({"entries.download": "/"}).message
    assert "entries.mark" in refused({"entries.download": "x", "entries.mark": "x"}).message
    assert "entries.filter" in refused({"entries.download": "slash"}).message


def test_actions_may_swap_keys_and_share_one_with_another_area() -> None:
    swapped = check_keymap({"entries.download": "/", "entries.filter": "d,s"}, KNOWN)
    assert swapped == {"entries.download": "slash", "entries.filter": "d,s"}
    assert check_keymap({"transfers.retry": "d"}, KNOWN) == {"transfers.retry": "d"}


def test_what_works_in_every_pane_cannot_lose_its_key_to_one_of_them() -> None:
    assert "browser.refresh" in refused({"entries.download": "r"}).message
    assert "entries.mark" in refused({"browser.refresh": "insert"}).message
    assert check_keymap({"entries.download": "r", "browser.refresh": "f5"}, KNOWN)


def test_a_key_that_two_actions_share_by_default_may_be_written_down() -> None:
    known = (KeyHelp("entries.drop", ("escape",), "", ""), KeyHelp("browser.back", ("escape",), "", ""))
    assert check_keymap({"browser.back": "escape,f6"}, known) == {"browser.back": "escape,f6"}


@pytest.mark.parametrize(
    "key",
    ["ctrl+h", "ctrl+m", "Ctrl+Enter", "ctrl+i", "ctrl+j", "ctrl+space", "shift+f3", "ctrl+1", "ctrl+shift+a",
     "super+x", "dd", "f13", "ctrl+", "shift+a", "alt+ctrl+x", "ctrl+ctrl+a"],
)  # fmt: skip
def test_a_key_that_no_plain_terminal_sends_is_refused(key: str) -> None:
    assert "entries.download" in refused({"entries.download": key}).message


@pytest.mark.parametrize("key", ["ctrl+t", "alt+x", "f9", "shift+tab", "shift+left", "ctrl+right", "é", "comma", ","])
def test_a_key_that_terminals_send_is_taken(key: str) -> None:
    assert check_keymap({"entries.download": key}, KNOWN)
