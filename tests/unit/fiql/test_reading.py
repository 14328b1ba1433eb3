"""Filters in words, as trees, and why they find nothing."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.fiql.checker import why_empty
from cloudstore_tui.fiql.fields import KNOWN_FIELDS
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.phrases import understand
from cloudstore_tui.fiql.reading import brief, explain
from cloudstore_tui.fiql.syntax import OPERATORS, Comparison, outline

DEFAULT = "; available only (add state:any for all)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "type==callcenterrecording;createdTime=ge=1725148800000;agentName=='Khang Glynn'",
            "Call recordings, created on or after 1 Sep 2024 00:00 UTC, agent is Khang Glynn" + DEFAULT,
        ),
        ("type==summary;objectState==ARCHIVED", "Summaries, state is archived"),
        ("objectState=in=(REVOKED,DELETED)", "objects, state is deleted (recoverable by 8x8 only) or purged"),
        ("type=in=(callrecording,own);objectState==X1", "Work recordings or objects of type own, state is X1"),
        ("type!=summary;objectState!=FAILED", "objects, type is not Summary, state is not failed"),
        ("createdTime=lt=1725148801250", "objects, created before 1 Sep 2024 00:00:01.250 UTC" + DEFAULT),
        ("updatedTime=gt=1725148800000", "objects, updated after 1 Sep 2024 00:00 UTC" + DEFAULT),
        ("startTime=le=soon", "objects, started on or before soon" + DEFAULT),
        ("createdTime==99999999999999999999", "objects, created at 99999999999999999999" + DEFAULT),
        ("type==callrecording;duration=gt=90000", "Work recordings, longer than 1 min 30 s" + DEFAULT),
        ("type==transcription;duration=le=90", "Transcripts, at most 1 min 30 s" + DEFAULT),
        ("type==transcription;duration==90", "Transcripts, duration is 1 min 30 s" + DEFAULT),
        ("holdDuration=ge=1500", "objects, hold at least 1.5 s" + DEFAULT),
        ("duration=gt=90", "objects, duration is larger than 90 (seconds on transcripts, else milliseconds)" + DEFAULT),
        ("size=lt=10000000;storedBytes=ge=5", "objects, smaller than 10 MB, at least 5 bytes" + DEFAULT),
        ("storedBytes!=0", "objects, size is not 0 bytes" + DEFAULT),
        ("agentName=in=(Ada,'M,DENNIS')", "objects, agent is Ada or 'M,DENNIS'" + DEFAULT),
        ("agentName=out=(Ada,Bo)", "objects, agent is neither Ada nor Bo" + DEFAULT),
        ("agentName=out=(Ada)", "objects, agent is not Ada" + DEFAULT),
        ("agentName==''", "objects, agent is empty" + DEFAULT),
        ("agentName=='Ada or Bo'", "objects, agent is 'Ada or Bo'" + DEFAULT),
        ("own=gt=5", "objects, own is larger than 5" + DEFAULT),
        ("a==1,b==2", "objects, either a is 1 or b is 2" + DEFAULT),
        ("a==1,b==2;c==3", "objects, either a is 1 or (b is 2 and c is 3)" + DEFAULT),
        ("(a==1,b==2);c==3", "objects, either a is 1 or b is 2, c is 3" + DEFAULT),
        ("a==1,b==2;(c==3,d==4)", "objects, either a is 1 or (b is 2 and (either c is 3 or d is 4))" + DEFAULT),
    ],
)
def test_a_filter_in_words(text: str, words: str) -> None:
    assert explain(parse(text), UTC) == words


def test_times_are_read_in_the_zone_of_the_user() -> None:
    assert "1 Sep 2024 02:00 CEST" in explain(parse("createdTime=ge=1725148800000"), ZoneInfo("Europe/Berlin"))


values = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.integers().map(str)


@given(st.sampled_from(sorted(KNOWN_FIELDS)), st.sampled_from(OPERATORS), st.lists(values, min_size=1, max_size=3))
def test_every_comparison_has_words_in_one_line(field: str, operator: str, found: list[str]) -> None:
    most = len(found) if operator in ("=in=", "=out=") else 1
    assert "\n" not in explain(Comparison(field, operator, tuple(found[:most])), UTC)


def test_a_tree_shows_how_the_joins_bind() -> None:
    assert outline(parse("a==1,b==2;(c==3,d==4),e==5")).split("\n") == [
        "OR",
        "├─ a==1",
        "├─ AND",
        "│  ├─ b==2",
        "│  └─ OR",
        "│     ├─ c==3",
        "│     └─ d==4",
        "└─ e==5",
    ]
    assert outline(parse("a=='x y'")) == "a=='x y'"
    assert outline(parse("a==1;b==1;a==1")).count("├─") == 2


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("", ["Only available"]),
        ("type==summary", ["Only available"]),
        ("objectState==ARCHIVED", []),
        ("type==summari;objectState==ARCHIVED", ["Did you mean summary?"]),
        ("objectState==ARCHIVED;agentName==khang", ["Values are case-sensitive"]),
        ("objectState==ARCHIVED;createdTime=ge=1725148800000", ["after 1 Sep 2024 00:00 UTC"]),
        (
            "objectState==ARCHIVED;createdTime=ge=1725148800000;createdTime=lt=1725235200000",
            ["created on or after 1 Sep 2024 00:00 UTC, created before 2 Sep 2024 00:00 UTC."],
        ),
        (
            "type==callrecording;duration=gt=90000;objectState==ARCHIVED",
            ["The unit of duration is milliseconds: longer than 1 min 30 s."],
        ),
        ("type==callrecording;duration=gt=90;objectState==ARCHIVED", ["90 is milliseconds here", "0.09 s"]),
    ],
)
def test_a_filter_that_finds_nothing_may_have_reasons(text: str, reasons: list[str]) -> None:
    found = why_empty(parse(text) if text else None, text, UTC)
    assert len(found) == len(reasons), found
    for sentence, words in zip(found, reasons, strict=True):
        assert words in sentence


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ('agent:"Khang Glynn" on:2024-09-01 dur:>10m', "agent Khang Glynn, 1 Sep 2024, longer than 10 min"),
        ("type:calls on:2024-09 -queue:Sales", "Recordings, Sep 2024, not queue Sales"),
        ("on:2024 size:>10MB state:any", "2024, larger than 10 MB, in any state"),
        ('since:"2024-09-01 09:00" until:2024-09-03', "1 Sep 2024 09:00 to 3 Sep 2024"),
        ("created:2024-09-01..2024-09-02", "1 Sep 2024 to 2 Sep 2024"),
        ("since:2024-09-01 agent:A,B", "since 1 Sep 2024, agent A or B"),
        ("until:2024-09-01 direction:in", "before 1 Sep 2024, inbound"),
        ("started:2024-09-01 tag.a:b", "started 1 Sep 2024, a is b"),
        ("type:voicemails,survey", "Voicemails or Surveys"),
        ("type:cc dur:1m..5m", "Call recordings, at least 1 min, at most 5 min"),
        ("type:calls agent:A,B", "Recordings, agent A or B"),
        ("5553203", "number 5553203"),
        ("(669) 555-3203", "number 6695553203"),
        ("caller:+16695553203", "caller's number +16695553203"),
    ],
)
def test_a_title_says_a_search_in_few_words(phrase: str, words: str) -> None:
    node = understand(phrase, UTC, datetime(2024, 9, 5, tzinfo=UTC)).node
    assert node is not None
    assert brief(node, UTC) == words


def test_a_duration_is_that_of_the_types_of_the_place() -> None:
    node = understand("dur:>10m", UTC, datetime(2024, 9, 5, tzinfo=UTC), ("transcription",)).node
    assert node is not None
    assert brief(node, UTC, ("transcription",)) == "longer than 10 min"
