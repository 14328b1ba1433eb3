"""Profiles as text: what is not theirs stays byte for byte."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.config.profile_table import with_profile, without_profile
from cloudstore_tui.core.profile import OptionValue

VALUES: dict[str, OptionValue] = {
    "provider": "8x8",
    "client_id": 'a "quoted" \\ id',
    "regions": ("us-east", "uk"),
    "read_only": False,
}
HEAD = "# mine\n[settings]\ntransfers = 8   # many\n"


def test_a_new_table_comes_last_and_says_what_was_given() -> None:
    text = with_profile(HEAD, "acme8", VALUES)
    assert text.startswith(f"{HEAD}\n[profiles.acme8]\n")
    told = tomllib.loads(text)["profiles"]["acme8"]
    assert told == {**VALUES, "regions": ["us-east", "uk"]}


def test_the_first_table_of_an_empty_file_begins_at_its_top() -> None:
    assert with_profile("", "a", {"read_only": True}) == "[profiles.a]\nread_only = true\n"


def test_line_ends_are_those_of_the_file() -> None:
    assert with_profile("[settings]\r\nbell = true\r\n", "a", {"x": "y"}).endswith('\r\n[profiles.a]\r\nx = "y"\r\n')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[profiles.a]\nx = 1\n", ""),
        (f"{HEAD}\n[profiles.a]\nx = 1\n", HEAD),
        ("[profiles.a]\nx = 1\n\n# of b\n[profiles.b]\ny = 2\n", "\n# of b\n[profiles.b]\ny = 2\n"),
        ('[ profiles . "a" ] # mine\nx = [\n  "1",\n]\n[keys]\n', "[keys]\n"),
        ("[profiles.a]\nx = 1\n[profiles.a.more]\ny = 1\n[settings]\n", "[settings]\n"),
        ("[profiles.ab]\nx = 1\n", "[profiles.ab]\nx = 1\n"),
        ("[settings]\r\n\r\n[profiles.a]\r\nx = 1\r\n\r\n[keys]\r\n", "[settings]\r\n\r\n[keys]\r\n"),
    ],
)
def test_only_the_table_itself_goes(before: str, after: str) -> None:
    assert without_profile(before, "a") == after


@given(
    blocks=st.lists(
        st.sampled_from(["# note\n", "\n", "[settings]\nbell = true\n", "[profiles.b]\nx = 1\n", "[keys]\n", "\n\n"]),
        max_size=5,
    )
)
def test_removing_what_was_added_gives_the_same_bytes(blocks: list[str]) -> None:
    text = "".join(blocks)
    assert without_profile(with_profile(text, "a", VALUES), "a") == text
