"""Filters as people get them wrong: every error points at the right character and shows how to write it."""

import pytest

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.parser import parse

WRONG: list[tuple[str, int, str, str]] = [
    (
        "agentName='Khang Glynn'",
        9,
        "`=` is not an operator",
        "Write `agentName=='Khang Glynn'`; a value that holds such a character needs quotes.",
    ),
    (
        "type==callrecording;duration>90",
        28,
        "`>` is not an operator",
        "Write `duration=gt=90`; a value that holds such a character needs quotes.",
    ),
    (
        "type==callrecording;duration=>90",
        28,
        "`=>` is not an operator",
        "Write `duration=ge=90`; a value that holds such a character needs quotes.",
    ),
    (
        "type==callrecording;duration=gt90",
        28,
        "`=gt` is not an operator",
        "Write `duration=gt=90`; a value that holds such a character needs quotes.",
    ),
    (
        "type==callrecording;duration=gte=90",
        28,
        "`=gte=` is not an operator",
        "Write `duration=ge=90`; a value that holds such a character needs quotes.",
    ),
    (
        "createdTime>=2024-09-01",
        11,
        "`>=` is not an operator",
        "Write `createdTime=ge=2024-09-01`; a value that holds such a character needs quotes.",
    ),
    (
        "createdTime<=2024-09-01",
        11,
        "`<=` is not an operator",
        "Write `createdTime=le=2024-09-01`; a value that holds such a character needs quotes.",
    ),
    (
        "agentName=Khang Glynn",
        9,
        "`=` is not an operator",
        "Write `agentName=='Khang Glynn'`; a value that holds such a character needs quotes.",
    ),
    (
        "agentName==Khang Glynn;type==summary",
        17,
        "a value with a blank needs quotes",
        "Write `'Khang Glynn'`, or join two comparisons by `;` or `,`.",
    ),
    ("agentName=='Khang' Glynn", 19, "`;` or `,` is missing", "Join by `;` for AND or `,` for OR."),
    ('agentName=="Khang Glynn', 11, "missing closing quote", 'Close it with " after the value.'),
    (
        "agentName==M,DENNIS",
        19,
        "an operator is expected after `DENNIS`",
        "A value with `,` needs quotes: `'M,DENNIS'`. Else write another comparison after the `,`.",
    ),
    ("agentName==O'Brien;type==summary", 12, "a quote inside a value", "Write `'O\\'Brien'`."),
    ('agentName==Dr. "Bo" Lee', 15, "a quote inside a value", "Write `'Dr. \"Bo\" Lee'`."),
    (
        "(type==summary,type==callrecording;duration=gt=5",
        48,
        "the filter ends, but `)` is missing",
        "The `(` at character 1 is not closed.",
    ),
    ("type==summary)", 13, "`)` without `(`", "Leave it out, or open it before."),
    (
        "type==summary;)",
        14,
        "a field name or `(` is expected, not `)`",
        "A filter looks like `type==callrecording;duration=gt=1000`.",
    ),
    (
        "type==(summary)",
        6,
        "only =in= and =out= take a list",
        "Write `field=in=(one,two)`, or put a value with `(` in quotes.",
    ),
    (
        "type=in=summary,callrecording",
        29,
        "an operator is expected after `callrecording`",
        "Write the list in parentheses: `=in=(summary,callrecording)`.",
    ),
    (
        "type=in=(summary callrecording)",
        17,
        "a value with a blank needs quotes",
        "Write `'summary callrecording'`, or join two comparisons by `;` or `,`.",
    ),
    (
        "type=in=(summary,callrecording",
        30,
        "the filter ends, but `)` is missing",
        "The `(` at character 9 is not closed.",
    ),
    (
        "type=in=(summary;callrecording)",
        16,
        "`;` in a list",
        "The values of a list are joined by `,`, and the list ends with `)`.",
    ),
    ("type=in=()", 9, "an empty list", "Name at least one value: `(one,two)`."),
    ("type=in=(,summary)", 9, "a value is expected", "Write `''` for an empty value."),
    ("type=in=(summary,,meeting)", 17, "a value is expected", "Write `''` for an empty value."),
    (
        "type=in=((summary))",
        9,
        "only =in= and =out= take a list",
        "Write `field=in=(one,two)`, or put a value with `(` in quotes.",
    ),
    (
        "type=IN=(summary)",
        4,
        "`=IN=` is not an operator",
        "Write `type=in=(one,two)`; a value that holds such a character needs quotes.",
    ),
    ("type in (summary)", 5, "an operator is expected after `type`", "Write `type=in=(one,two)`."),
    ("not type==summary", 4, "an operator is expected after `not`", "Write `type!=value` for not."),
    ("!type==summary", 0, "nothing can be negated as a whole", "Write `field!=value` or `field=out=(one,two)`."),
    ("type==summary AND duration=gt=5", 14, "`AND` joins nothing", "Write `;` for AND and `,` for OR."),
    ("type==summary or type==meeting", 14, "`or` joins nothing", "Write `;` for AND and `,` for OR."),
    ("type==summary&duration=gt=5", 13, "`&` joins nothing", "Write `;` for AND and `,` for OR."),
    ("type==summary&&duration=gt=5", 13, "`&&` joins nothing", "Write `;` for AND and `,` for OR."),
    ("type==summary|type==callrecording", 13, "`|` joins nothing", "Write `;` for AND and `,` for OR."),
    ("type==summary||type==callrecording", 13, "`||` joins nothing", "Write `;` for AND and `,` for OR."),
    ("type==~summary", 6, "`~` at the start of a value", "Write `'~summary'`."),
    (
        "type=~summary",
        4,
        "`=~` is not an operator",
        "Write `type==summary`; a value that holds such a character needs quotes.",
    ),
    (
        "type~summary",
        4,
        "`~` is not an operator",
        "Write `type==summary`; a value that holds such a character needs quotes.",
    ),
    (
        "type<>summary",
        4,
        "`<>` is not an operator",
        "Write `type!=summary`; a value that holds such a character needs quotes.",
    ),
    (
        "type!summary",
        4,
        "`!` is not an operator",
        "Write `type!=summary`; a value that holds such a character needs quotes.",
    ),
    (
        "type=summary",
        4,
        "`=` is not an operator",
        "Write `type==summary`; a value that holds such a character needs quotes.",
    ),
    ("type===summary", 6, "`=` at the start of a value", "Write `'=summary'`."),
    ("type=like=sum*", 4, "`=like=` is not an operator", "The operators are == != =gt= =ge= =lt= =le= =in= =out=."),
    ("type==", 6, "a value is expected", "Write `''` for an empty value."),
    ("type", 4, "an operator is expected after `type`", "The operators are == != =gt= =ge= =lt= =le= =in= =out=."),
    (
        "type;duration=gt=5",
        4,
        "an operator is expected after `type`",
        "The operators are == != =gt= =ge= =lt= =le= =in= =out=.",
    ),
    ('"type"==summary', 0, "a field name has no quotes", "Write the field or tag as it is: `agentName==…`."),
    ("==summary", 0, "a field name is missing before the operator", "Write `field==value`."),
    (
        ";type==summary",
        0,
        "a field name or `(` is expected, not `;`",
        "A filter looks like `type==callrecording;duration=gt=1000`.",
    ),
    (
        "type==summary;",
        14,
        "the filter ends where a field name is expected",
        "Leave out the last `;` or `,`, or add a comparison.",
    ),
    (
        "type==summary,",
        14,
        "the filter ends where a field name is expected",
        "Leave out the last `;` or `,`, or add a comparison.",
    ),
    (
        "type==summary;;duration=gt=5",
        14,
        "a field name or `(` is expected, not `;`",
        "A filter looks like `type==callrecording;duration=gt=1000`.",
    ),
    (
        "type==summary,;duration=gt=5",
        14,
        "a field name or `(` is expected, not `;`",
        "A filter looks like `type==callrecording;duration=gt=1000`.",
    ),
    (
        "()",
        1,
        "a field name or `(` is expected, not `)`",
        "A filter looks like `type==callrecording;duration=gt=1000`.",
    ),
    ("((", 2, "the filter ends where a field name is expected", "Leave out the last `;` or `,`, or add a comparison."),
    ("(type==summary)(duration=gt=5)", 15, "`;` or `,` is missing before `(`", "Join by `;` for AND or `,` for OR."),
    ("(type==summary)duration=gt=5", 15, "`;` or `,` is missing", "Join by `;` for AND or `,` for OR."),
    ("type==summary'", 13, "a quote inside a value", "Write `'summary\\''`."),
    ("name==a=b", 7, "`=` inside a value", "Write `'a=b'`."),
    ("name==a<b", 7, "`<` inside a value", "Write `'a<b'`."),
    (
        "size=lt=10 MB",
        11,
        "a value with a blank needs quotes",
        "Write `'10 MB'`, or join two comparisons by `;` or `,`.",
    ),
    (
        "{type==summary}==",
        15,
        "a second operator",
        "Join two comparisons by `;` for AND or `,` for OR; a value with `=` needs quotes.",
    ),
    (
        "where type==summary",
        6,
        "an operator is expected after `where`",
        "Write `where==type`, or another operator: == != =gt= =ge= =lt= =le= =in= =out=.",
    ),
]


@pytest.mark.parametrize(("text", "position", "message", "hint"), WRONG)
def test_a_wrong_filter_points_at_the_character_and_says_how_to_write_it(
    text: str, position: int, message: str, hint: str
) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.message == f"{message} (at character {position + 1})"
    assert caught.value.hint == hint
