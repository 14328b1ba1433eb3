"""Properties that hold for every filter."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.checker import check
from cloudstore_tui.fiql.parser import conjunction, parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node, Or, compare, comparisons, quote, unparse

selectors = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=12)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
nasty = st.sampled_from(
    ["M,DENNIS", "O'Brien", "a;b==1", "(", ")", "'", '"', "\\", "\\'", "", " ", "*", "\n", "\0", "😀"],
)
plain_terms = st.builds(
    Comparison,
    selectors,
    st.sampled_from(["==", "!=", "=gt=", "=ge=", "=lt=", "=le="]),
    st.tuples(values | nasty),
)
list_terms = st.builds(
    Comparison,
    selectors,
    st.sampled_from(["=in=", "=out="]),
    st.lists(values | nasty, min_size=1, max_size=4).map(tuple),
)


def joins(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    terms = st.lists(nodes, min_size=2, max_size=4).map(tuple)
    return st.builds(And, terms) | st.builds(Or, terms)


trees: st.SearchStrategy[Node] = st.recursive(plain_terms | list_terms, joins, max_leaves=20)


def outcome(text: str) -> tuple[int, Node | None]:
    try:
        return 0, parse(text)
    except FilterError as error:
        return error.position, None


@given(trees)
def test_parsing_what_was_printed_gives_the_same_tree(tree: Node) -> None:
    assert parse(unparse(tree)) == tree


@given(values | nasty)
def test_a_quoted_value_is_one_value_again(value: str) -> None:
    assert parse(f"a=={quote(value)}") == Comparison("a", "==", (value,))


@given(values | nasty, trees)
def test_a_quoted_value_can_never_add_a_term(value: str, tree: Node) -> None:
    built = conjunction(compare("agentName", "==", value), unparse(tree))
    parsed = parse(built)
    assert len(list(comparisons(parsed))) == 1 + len(list(comparisons(tree)))
    assert next(comparisons(parsed)) == Comparison("agentName", "==", (value,))


@given(st.lists(trees, max_size=4))
def test_a_conjunction_demands_exactly_its_parts(parts: list[Node]) -> None:
    joined = conjunction(*map(unparse, parts))
    if not parts:
        assert joined == ""
    elif len(parts) == 1:
        assert parse(joined) == parts[0]
    else:
        assert parse(joined) == And(tuple(parts))


@given(st.text(string.ascii_letters + "=!<>~()'\";, \\", max_size=30))
def test_any_text_parses_or_is_a_filter_error_with_a_position(text: str) -> None:
    position, tree = outcome(text)
    assert 0 <= position <= len(text)
    if tree is not None:
        check(tree, text)
        assert parse(unparse(tree)) == tree


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("callrecording", "callrecording"),
        ("+16695555518", "+16695555518"),
        ("M,DENNIS", "'M,DENNIS'"),
        ("Cell Phone   CA", "'Cell Phone   CA'"),
        ("O'Brien", r"'O\'Brien'"),
        ('say "x"', "'say \"x\"'"),
        ("a\\b", "a\\b"),
        ("a\\ b", r"'a\\ b'"),
        ("a~b", "'a~b'"),
        ("line\nbreak", "'line\nbreak'"),
        ("", "''"),
    ],
)
def test_only_values_that_need_quotes_get_them(value: str, quoted: str) -> None:
    assert quote(value) == quoted


def test_a_conjunction_skips_what_is_empty_and_guards_an_or() -> None:
    assert conjunction("", "a==1", "  ") == "a==1"
    assert conjunction("a==1,b==2") == "a==1,b==2"
    assert conjunction("a==1,b==2", "", "c==3") == "(a==1,b==2);c==3"
    assert conjunction() == ""
