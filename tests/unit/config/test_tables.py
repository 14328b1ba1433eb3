"""Changing tables of a TOML file as text."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.config.tables import with_name, with_table, without_table

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
TABLES = st.dictionaries(NAMES, st.integers(0, 99), max_size=5)


def text_of(tables: dict[str, int]) -> str:
    text = ""
    for name, value in tables.items():
        text = with_table(text, name, {"at": str(value), "of": "[1, 2]"})
    return text


def values(text: str) -> dict[str, int]:
    return {name: table["at"] for name, table in tomllib.loads(text).items()}


@given(TABLES, NAMES, st.integers(0, 99))
def test_any_table_can_be_added_changed_and_removed(tables: dict[str, int], name: str, value: int) -> None:
    text = text_of(tables)
    assert values(text) == tables
    changed = with_table(text, name, {"at": str(value)})
    assert values(changed) == tables | {name: value}
    left = {other: known for other, known in tables.items() if other != name}
    assert values(without_table(changed, name)) == left


@given(TABLES, NAMES)
def test_any_table_can_have_another_name(tables: dict[str, int], new: str) -> None:
    for old in list(tables)[:1]:
        if new not in tables:
            renamed = {(new if name == old else name): value for name, value in tables.items()}
            assert values(with_name(text_of(tables), old, new)) == renamed


def test_the_comment_above_the_next_table_stays_with_it() -> None:
    text = "[a]\nx = 1\n\n# about b\n[b]\nx = 2\n"
    assert without_table(text, "a") == "# about b\n[b]\nx = 2\n"


def test_a_key_that_is_not_there_is_put_into_its_own_table() -> None:
    assert with_table("[a]\nx = 1\n\n[b]\nx = 2\n", "a", {"y": "3"}) == "[a]\ny = 3\nx = 1\n\n[b]\nx = 2\n"
