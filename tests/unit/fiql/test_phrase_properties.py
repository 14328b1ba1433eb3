"""Properties that hold for every phrase."""

import re
import string
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.checker import check
from cloudstore_tui.fiql.fields import NAMES
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.phrases import Compiled, Pattern, compile_phrase, phrase_of, phrase_value
from cloudstore_tui.fiql.syntax import Comparison, comparisons

NOW = datetime(2024, 9, 2, 1, 30, tzinfo=UTC)

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=16)
nasty = st.sampled_from(
    [
        *(
            "a;b==1",
            "x' or 1==1",
            'x" agent:y',
            "x\\",
            '\\"',
            "*",
            "a,b",
            ")",
            "(",
            "…",
            "…x…",
            "state:any",
            "-x",
            "..",
        ),
        *("1m..5m", "\n", "\0", "a b", "==", "today", "O'Brien", "~x", ">5", "!=x", " ", "", "\u2028", "\u00a0"),
    ]
)
values = anything | nasty
phrases = st.lists(
    st.sampled_from(
        [
            *("type:cc", "type:summary", "agent:x", 'agent:"A B"', "-agent:x", "since:today", "on:2024-09", "dur:>90s"),
            *("dur:1m..5m", "size:<10MB", "state:any", "voice", "-voice", "agent:K*", "queue:a,b", "caller:~s"),
            *("last 7 days", "question:3", "tag.x:1", "tag.x:>1"),
        ]
    ),
    max_size=5,
).map(" ".join)


def outcome(phrase: str) -> Compiled | FilterError:
    try:
        return compile_phrase(phrase, UTC, NOW)
    except FilterError as error:
        return error


def terms(found: Compiled) -> list[Comparison]:
    return list(comparisons(parse(found.filter))) if found.filter else []


@given(values)
def test_a_quoted_value_is_exactly_one_term_whatever_is_in_it(value: str) -> None:
    found = compile_phrase(f"agent:{phrase_value(value)} queue:z", UTC, NOW)
    assert terms(found) == [Comparison("agentName", "==", (value,)), Comparison("queueName", "==", ("z",))]
    assert found.local == ()


@given(values)
def test_a_quoted_name_is_exactly_one_local_term(value: str) -> None:
    found = compile_phrase(f"{phrase_value(value)} queue:z", UTC, NOW)
    assert terms(found) == [Comparison("queueName", "==", ("z",))]
    assert [term.fields[0] for term in found.local] == ["objectName"]


@given(values)
def test_a_word_without_quotes_never_becomes_a_term_about_something_else(value: str) -> None:
    word = "".join(value.split())
    found = outcome(f"agent:{word} queue:z")
    if isinstance(found, FilterError):
        return
    assert {term.selector for term in terms(found)} <= {"agentName", "queueName"}
    assert len(terms(found)) + len(found.local) == 2


@given(values.filter(lambda value: value[:1] not in "\"'>=<!~" and '"' not in value))
def test_a_value_with_blanks_from_the_shell_stays_with_its_key(value: str) -> None:
    found = outcome(phrase_of([f"agent:A {value}"]))
    if re.search(r"\s-?[^\W\d][\w.-]*[:<>]", f" {value}") or isinstance(found, FilterError):
        return
    assert {term.selector for term in terms(found)} <= {"agentName"}
    assert len(terms(found)) + len(found.local) == 1


@given(phrases)
def test_what_a_phrase_compiles_to_parses_to_the_same_tree_and_back(phrase: str) -> None:
    found = outcome(phrase)
    if isinstance(found, Compiled) and found.node is not None:
        assert parse(found.filter) == found.node
        # What we write ourselves is not warned about as ambiguous.
        assert not any("without parentheses" in problem.text for problem in check(found.node, found.filter, UTC))


@given(st.text(string.ascii_letters + "0123456789:;,.=!<>~()'\"*\\-… \n", max_size=40))
def test_any_text_compiles_or_is_an_error_with_a_position(text: str) -> None:
    found = outcome(text)
    if isinstance(found, FilterError):
        assert 0 <= found.position <= len(text)
        assert found.hint
    elif found.filter:
        parse(found.filter)


@given(st.sampled_from(sorted(NAMES)), values)
def test_every_word_takes_every_value_or_says_why_not(word: str, value: str) -> None:
    found = outcome(f"{word}:{phrase_value(value)}")
    if isinstance(found, Compiled):
        fields = {*NAMES[word].fields, *NAMES[word].phone_fields, "type"}
        assert {term.selector for term in terms(found)} <= fields


@given(st.lists(st.text("ab", max_size=2), min_size=1, max_size=4), st.text("abc", max_size=8))
def test_a_pattern_matches_what_a_regular_expression_matches(parts: list[str], text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, parts)), text) is not None
    assert Pattern(tuple(parts)).matches(text) is expected


def test_a_long_phrase_and_a_cruel_pattern_cost_no_time() -> None:
    assert not Pattern(("", *["a"] * 200, "b")).matches("a" * 20_000)
    found = compile_phrase(" ".join(f"tag.t{number}:{number}" for number in range(2_000)), UTC, NOW)
    assert len(terms(found)) == 2_000
    assert isinstance(outcome('"' * 20_001), FilterError)
    assert isinstance(outcome("agent:" + "(" * 20_000 + '"'), FilterError)
