"""What parses, to which tree, and where the rest is wrong."""

import pytest

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import And, Comparison, Node, Or, unparse


def term(selector: str, operator: str, *values: str) -> Comparison:
    return Comparison(selector, operator, values)


A, B, C, D = (term(name, "==", "1") for name in "abcd")

VALID: list[tuple[str, Node]] = [
    ("a==1", A),
    ("a!=1", term("a", "!=", "1")),
    ("a=gt=1", term("a", "=gt=", "1")),
    ("a=ge=1", term("a", "=ge=", "1")),
    ("a=lt=1", term("a", "=lt=", "1")),
    ("a=le=1", term("a", "=le=", "1")),
    ("a=in=(1)", term("a", "=in=", "1")),
    ("a=in=(1,2,3)", term("a", "=in=", "1", "2", "3")),
    ("a=out=(1,'2 3')", term("a", "=out=", "1", "2 3")),
    ("a=in=1", term("a", "=in=", "1")),
    ("a==1;b==1", And((A, B))),
    ("a==1,b==1", Or((A, B))),
    ("a==1;b==1;c==1", And((A, B, C))),
    ("a==1,b==1,c==1", Or((A, B, C))),
    ("a==1,b==1;c==1", Or((A, And((B, C))))),
    ("a==1;b==1,c==1", Or((And((A, B)), C))),
    ("a==1;b==1,c==1;d==1", Or((And((A, B)), And((C, D))))),
    ("(a==1,b==1);c==1", And((Or((A, B)), C))),
    ("a==1;(b==1,c==1)", And((A, Or((B, C))))),
    ("(a==1)", A),
    ("((a==1))", A),
    ("(a==1;b==1);c==1", And((A, B, C))),
    ("a==1,(b==1,c==1)", Or((A, B, C))),
    ("a==''", term("a", "==", "")),
    ('a==""', term("a", "==", "")),
    ("a=='x y'", term("a", "==", "x y")),
    ('a=="x y"', term("a", "==", "x y")),
    (r"a=='O\'Brien'", term("a", "==", "O'Brien")),
    ('a=="O\'Brien"', term("a", "==", "O'Brien")),
    (r"a=='\\'", term("a", "==", "\\")),
    (r"a==\n", term("a", "==", r"\n")),
    ("a=='1;b==2'", term("a", "==", "1;b==2")),
    ("a=='('", term("a", "==", "(")),
    ("a==+16695555518", term("a", "==", "+16695555518")),
    ("a==M*", term("a", "==", "M*")),
    ("a==ipbx:pbx:callrecording", term("a", "==", "ipbx:pbx:callrecording")),
    ("media-processed==true", term("media-processed", "==", "true")),
    ("recording_start_time=ge=20240901T000000", term("recording_start_time", "=ge=", "20240901T000000")),
    ("x.y==1", term("x.y", "==", "1")),
    ("a==é☎", term("a", "==", "é☎")),
    (" a == 1 ; b == 1 ", And((A, B))),
    ("a=in=( 1 , 2 )", term("a", "=in=", "1", "2")),
    ("a=='1,2'", term("a", "==", "1,2")),
    ('a=="1)"', term("a", "==", "1)")),
    (r'a=="say \"x\""', term("a", "==", 'say "x"')),
    (r"a=='x\y'", term("a", "==", "xy")),
    ("a=='\n'", term("a", "==", "\n")),
    ("a==' '", term("a", "==", " ")),
    ("a=='=='", term("a", "==", "==")),
    ("a=='=in=(1)'", term("a", "==", "=in=(1)")),
    ("a==-5", term("a", "==", "-5")),
    ("a==1.5", term("a", "==", "1.5")),
    ("a==*", term("a", "==", "*")),
    ("a==a&b|c", term("a", "==", "a&b|c")),
    ("a==x@y.example", term("a", "==", "x@y.example")),
    ("a==[x]{y}$%^#?", term("a", "==", "[x]{y}$%^#?")),
    ("a==/path/to:it_", term("a", "==", "/path/to:it_")),
    ("a==東京", term("a", "==", "東京")),
    ("a=='🎧 call'", term("a", "==", "🎧 call")),
    ("größe==1", term("größe", "==", "1")),
    ("in==1", term("in", "==", "1")),
    ("and==or", term("and", "==", "or")),
    ("1==1", term("1", "==", "1")),
    ("a=in=('')", term("a", "=in=", "")),
    ("a=in=('1,2',3)", term("a", "=in=", "1,2", "3")),
    ('a=out=("x","y")', term("a", "=out=", "x", "y")),
    ("a=in=(1,1)", term("a", "=in=", "1", "1")),
    ("a=out=1", term("a", "=out=", "1")),
    ("a=in=(1),b==1", Or((term("a", "=in=", "1"), B))),
    ("a=in=(1);b==1", And((term("a", "=in=", "1"), B))),
    ("(a==1,b==1);(c==1,d==1)", And((Or((A, B)), Or((C, D))))),
    ("(a==1;b==1),(c==1;d==1)", Or((And((A, B)), And((C, D))))),
    ("a==1;(b==1,(c==1;d==1))", And((A, Or((B, And((C, D))))))),
    ("(((a==1,b==1)));c==1", And((Or((A, B)), C))),
    ("a==1,(b==1;(c==1,d==1))", Or((A, And((B, Or((C, D))))))),
    ("\ta==1\r\n;\tb==1", And((A, B))),
    ("( a==1 , b==1 )", Or((A, B))),
    ("a == '1'", A),
    (
        "(objectState==AVAILABLE,objectState==REVOKED)",
        Or((term("objectState", "==", "AVAILABLE"), term("objectState", "==", "REVOKED"))),
    ),
]

INVALID: list[tuple[str, int, str]] = [
    ("", 0, "the filter is empty"),
    ("   ", 3, "the filter is empty"),
    ("a", 1, "an operator is expected after `a`"),
    ("a b", 2, "an operator is expected after `a`"),
    ("a=1", 1, "`=` is not an operator"),
    ("a>=1", 1, "`>=` is not an operator"),
    ("a<1", 1, "`<` is not an operator"),
    ("a!1", 1, "`!` is not an operator"),
    ("a~1", 1, "`~` is not an operator"),
    ("a=GT=1", 1, "`=GT=` is not an operator"),
    ("a=like=1", 1, "`=like=` is not an operator"),
    ("a=eq=1", 1, "`=eq=` is not an operator"),
    ("a==", 3, "a value is expected"),
    ("a==;b==1", 3, "a value is expected"),
    ("a==,b==1", 3, "a value is expected"),
    ("a==)", 3, "a value is expected"),
    ("a====1", 3, "a value is expected, not an operator"),
    ("a==1==2", 4, "a second operator"),
    ("a==1=2", 4, "`=` inside a value"),
    ("a==x>y", 4, "`>` inside a value"),
    ("a==(1,2)", 3, "only =in= and =out= take a list"),
    ("a=in=()", 6, "an empty list"),
    ("a=in=(1", 7, "the filter ends, but `)` is missing"),
    ("a=in=(1;2)", 7, "`;` in a list"),
    ("a=in=(1,)", 8, "a value is expected"),
    ("a=out=((1))", 7, "only =in= and =out= take a list"),
    ("(a==1", 5, "the filter ends, but `)` is missing"),
    ("((a==1)", 7, "the filter ends, but `)` is missing"),
    ("a==1)", 4, "`)` without `(`"),
    ("()", 1, "a field name or `(` is expected"),
    ("a==1;", 5, "the filter ends where a field name is expected"),
    ("a==1,", 5, "the filter ends where a field name is expected"),
    (";a==1", 0, "a field name or `(` is expected"),
    ("a==1;;b==1", 5, "a field name or `(` is expected"),
    ("==1", 0, "a field name is missing"),
    ("'a'==1", 0, "a field name has no quotes"),
    ("a=='1", 3, "missing closing quote"),
    ("a==O'Brien", 4, "a quote inside a value"),
    ("a=='x'y", 6, "`;` or `,` is missing"),
    ("a==Khang Glynn", 9, "a value with a blank needs quotes"),
    ("a==1 and b==1", 5, "`and` joins nothing"),
    ("a==1 || b==1", 5, "`||` joins nothing"),
    ("a==1(b==1)", 4, "`;` or `,` is missing before `(`"),
]


@pytest.mark.parametrize(("text", "tree"), VALID)
def test_a_valid_filter_becomes_its_tree(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(("text", "position", "message"), INVALID)
def test_an_invalid_filter_says_where_and_why(text: str, position: int, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.position == position
    assert message in caught.value.message
    assert f"at character {position + 1}" in str(caught.value)
    assert caught.value.hint
    assert caught.value.text == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("duration>=5", "duration=ge=5"),
        ("type=summary", "type==summary"),
        ("agentName==Khang Glynn", "'Khang Glynn'"),
        ("agentName==O'Brien", r"'O\'Brien'"),
        ("a==x>y", "'x>y'"),
        ("a==1 or b==2", "`,` for OR"),
        ("a=neq=1", "a!=1"),
        ("((a==1)", "character 1"),
    ],
)
def test_the_cure_shows_how_to_write_it(text: str, hint: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", [text for text, _tree in VALID])
def test_printing_a_tree_and_parsing_it_gives_the_same_tree(text: str) -> None:
    tree = parse(text)
    assert parse(unparse(tree)) == tree


@pytest.mark.parametrize(
    ("text", "shortest"),
    [
        ("((a==1;b==1));c==1", "a==1;b==1;c==1"),
        ("(a==1;b==1),c==1", "a==1;b==1,c==1"),
        ("(a==1,b==1);c==1", "(a==1,b==1);c==1"),
        ("a=='x'", "a==x"),
        ('a=="x y"', "a=='x y'"),
        ("a=in=1", "a=in=(1)"),
    ],
)
def test_only_the_parentheses_and_quotes_that_are_needed_are_printed(text: str, shortest: str) -> None:
    assert unparse(parse(text)) == shortest


def test_a_comparison_knows_its_place_in_the_text() -> None:
    text = "a==1;(bb=in=(2,'3 4'))"
    tree = parse(text)
    assert isinstance(tree, And)
    second = tree.terms[1]
    assert isinstance(second, Comparison)
    assert text[second.start : second.end] == "bb=in=(2,'3 4')"


@pytest.mark.parametrize("text", ["(" * 20_000 + "a==1" + ")" * 20_000, "(" * 20_000])
def test_very_deep_parentheses_are_an_error_and_no_crash(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.position == 200


def test_parentheses_in_a_value_have_no_depth() -> None:
    assert parse("a=='" + "(" * 20_000 + "'") == term("a", "==", "(" * 20_000)


def test_the_deepest_allowed_filter_can_be_parsed_printed_and_compared() -> None:
    text = "(" * 199 + "a==1" + "".join((";b==1" if level % 2 else ",c==1") + ")" for level in range(199))
    tree = parse(text)
    assert parse(unparse(tree)) == tree
    assert hash(tree) == hash(parse(text))


def test_a_long_filter_is_parsed_whole() -> None:
    tree = parse(",".join(f"id=={number}" for number in range(5_000)))
    assert isinstance(tree, Or)
    assert len(tree.terms) == 5_000


def test_a_join_of_one_term_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="two terms"):
        And((A,))
