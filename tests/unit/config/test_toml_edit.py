"""Changing tables of a TOML file in its text."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.config.document import with_name, with_table, without_table
from cloudstore_tui.core.profile import OptionValue

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
TABLES = st.dictionaries(NAMES, st.integers(0, 99), max_size=5)
VALUES: dict[str, OptionValue] = {
    "provider": "8x8",
    "client_id": 'a "quoted" \\ id',
    "regions": ("us-east", "uk"),
    "read_only": False,
}
HEAD = "# mine\n[settings]\ntransfers = 8   # many\n"


def text_of(tables: dict[str, int]) -> str:
    text = ""
    for name, value in tables.items():
        text = with_table(text, (name,), {"at": value, "of": ("1", "2")})
    return text


def values(text: str) -> dict[str, int]:
    return {name: table["at"] for name, table in tomllib.loads(text).items()}


@given(TABLES, NAMES, st.integers(0, 99))
def test_any_table_can_be_added_changed_and_removed(tables: dict[str, int], name: str, value: int) -> None:
    text = text_of(tables)
    assert values(text) == tables
    changed = with_table(text, (name,), {"at": value})
    assert values(changed) == tables | {name: value}
    left = {other: known for other, known in tables.items() if other != name}
    assert values(without_table(changed, (name,))) == left


@given(TABLES, NAMES)
def test_any_table_can_have_another_name(tables: dict[str, int], new: str) -> None:
    for old in list(tables)[:1]:
        if new not in tables:
            renamed = {(new if name == old else name): value for name, value in tables.items()}
            assert values(with_name(text_of(tables), (old,), new)) == renamed


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_comments_line_ends_and_the_mark_of_a_windows_editor_stay(end: str, mark: str) -> None:
    text = mark + '# all of it\n["a b"] # mine\nfind = "x"  # why\n\n# next\n[b]\nfind = "y"\n'.replace("\n", end)
    assert with_table(text, ("a b",), {"find": "z"}) == text.replace('"x"', '"z"')
    assert with_name(text, ("a b",), "c") == text.replace('"a b"', "c")
    assert without_table(text, ("a b",)) == f'{mark}# all of it{end}# next{end}[b]{end}find = "y"{end}'
    assert with_table(text, ("new",), {"find": "q"}) == text + f'{end}[new]{end}find = "q"{end}'


def test_a_new_table_of_a_table_comes_last_and_says_what_was_given() -> None:
    text = with_table(HEAD, ("profiles", "acme8"), VALUES)
    assert text.startswith(f"{HEAD}\n[profiles.acme8]\n")
    assert tomllib.loads(text)["profiles"]["acme8"] == {**VALUES, "regions": ["us-east", "uk"]}
    assert with_table("", ("profiles", "a"), {"read_only": True}) == "[profiles.a]\nread_only = true\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[profiles.a]\nx = 1\n", ""),
        (f"{HEAD}\n[profiles.a]\nx = 1\n", HEAD),
        ("[profiles.a]\nx = 1\n\n# of b\n[profiles.b]\ny = 2\n", "# of b\n[profiles.b]\ny = 2\n"),
        ('[ profiles . "a" ] # mine\nx = [\n  "1",\n]\n[keys]\n', "[keys]\n"),
        ("[profiles.a]\nx = 1\n[profiles.a.more]\ny = 1\n[settings]\n", "[settings]\n"),
        ("[profiles.ab]\nx = 1\n", "[profiles.ab]\nx = 1\n"),
        ("[settings]\r\n\r\n[profiles.a]\r\nx = 1\r\n\r\n[keys]\r\n", "[settings]\r\n\r\n[keys]\r\n"),
        ("[profiles.a]\nx = 1\n[settings]\n[profiles.b]\nx = 2\n", "[settings]\n[profiles.b]\nx = 2\n"),
        ("[profiles]\na = { x = 1 }\nb = { x = 2 }\n", "[profiles]\nb = { x = 2 }\n"),
        ('[profiles.a]\nx = """\n[keys]\n"""\n[keys]\n', "[keys]\n"),
    ],
)
def test_only_the_table_itself_goes(before: str, after: str) -> None:
    assert without_table(before, ("profiles", "a")) == after


@given(
    blocks=st.lists(
        st.sampled_from(["# note\n", "[settings]\nbell = true\n", "[profiles.b]\nx = 1\n", "[keys]\n"]),
        unique=True,
        max_size=4,
    )
)
def test_removing_what_was_added_gives_the_same_bytes(blocks: list[str]) -> None:
    text = "".join(blocks)
    assert without_table(with_table(text, ("profiles", "a"), VALUES), ("profiles", "a")) == text
