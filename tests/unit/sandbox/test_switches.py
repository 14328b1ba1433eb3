"""Switches: chosen at the start, by tests, or for one request."""

import pytest
from starlette.requests import Request

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.server import SWITCHES, describe_switches
from cloudstore_tui.sandbox.world import NUMBER, Switch, Switches

KNOWN = (
    Switch("A-14", "shape", "bare", ("bare", "wrapped")),
    Switch("A-15", "sizes", "KB", ("KB", "kb", "blank")),
    Switch("A-22", "life", "3600", NUMBER),
)


def request(header: str) -> Request:
    return Request({"type": "http", "headers": [(b"x-sandbox-switch", header.encode())]})


def test_the_default_holds_until_somebody_chooses() -> None:
    switches = Switches(KNOWN)
    assert switches.value("A-14") == "bare"
    switches.set({"A-14": "wrapped"})
    assert switches.value("A-14") == "wrapped"


def test_a_reset_goes_back_to_what_was_chosen_at_the_start() -> None:
    switches = Switches(KNOWN, {"A-14": "wrapped"})
    switches.set({"A-14": "bare", "A-22": "5"})
    switches.reset()
    assert (switches.value("A-14"), switches.value("A-22")) == ("wrapped", "3600")


def test_a_request_can_bring_its_own() -> None:
    switches = Switches(KNOWN, {"A-14": "wrapped"})
    one = request("A-14=bare, A-22=2")
    assert [switches.value(id_, one) for id_ in ("A-14", "A-15", "A-22")] == ["bare", "KB", "2"]
    assert switches.value("A-14") == "wrapped"


@pytest.mark.parametrize(
    ("id_", "text", "meant"),
    [("A-14", "Wrapped", "wrapped"), ("A-15", "kb", "kb"), ("A-15", '""', "blank"), ("A-22", "2 s", "2")],
)
def test_a_value_may_be_written_in_more_than_one_way(id_: str, text: str, meant: str) -> None:
    assert Switches(KNOWN, {id_: text}).value(id_) == meant


@pytest.mark.parametrize(
    ("id_", "value", "hint"),
    [
        ("A14", "bare", "Did you mean A-14?"),
        ("A-14", "wrappd", "Did you mean wrapped?"),
        ("A-14", "", "Known: bare, wrapped."),
        ("A-22", "soon", "For example 3600."),
        ("A-22", "-1", "For example 3600."),
        ("Z", "x", "--list-switches"),
    ],
)
def test_an_unknown_switch_or_value_names_the_nearest(id_: str, value: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Switches(KNOWN, {id_: value})
    assert hint in caught.value.hint
    assert caught.value.subject.startswith(id_)


def test_of_several_choices_all_or_none_are_taken() -> None:
    switches = Switches(KNOWN)
    with pytest.raises(UsageError):
        switches.set({"A-14": "wrapped", "A-15": "nonsense"})
    assert switches.value("A-14") == "bare"


def test_every_switch_of_the_sandbox_is_sound() -> None:
    assert len({switch.id for switch in SWITCHES}) == len(SWITCHES)
    for switch in SWITCHES:
        for value in (switch.default, *switch.values):
            assert switch.values == NUMBER or switch.read(value) == value
    assert {f"A-{number}" for number in range(1, 27)} <= {switch.id for switch in SWITCHES}
    assert {f"E-{number}" for number in range(1, 35)} <= {switch.id for switch in SWITCHES}


def test_every_switch_is_described_in_one_line() -> None:
    lines = list(describe_switches())
    assert len(lines) == len(SWITCHES)
    assert any(line.startswith("A-14 ") and "bare | wrapped" in line for line in lines)
