"""Filters that parse but do not fit the fields, types and units that are known."""

from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.fiql.checker import Problem, check
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import scoped

ROW = "type==callcenterrecording;"


def problems(text: str, **options: object) -> tuple[Problem, ...]:
    return check(parse(text), text, **options)  # type: ignore[arg-type]  # the test names the options


@pytest.mark.parametrize(
    "text",
    [
        "type==callcenterrecording;duration=gt=90000",
        "type==transcription;duration=gt=90",
        "type==transcription;duration=lt=5",
        "type!=transcription;duration=gt=90000,type==transcription;duration=gt=90",
        "type!=transcription;(agentName==x,duration=gt=90000)",
        "type=out=(transcription,meeting);duration=gt=200000",
        "type==callcenterrecording;duration==100",
        "type==waveform;agentName==x",
        "type==brandnew;agentName==x;duration=gt=9000",
        "type=in=(summary,callrecording);userName==x",
        "storedBytes=lt=10000000",
        "startTime=ge=1725148800000",
        "duration==''",
        "pcsQuestionNumber=in=(1,2)",
        "type==callrecording;myTag=gt=abc",
    ],
)
def test_what_fits_is_no_problem(text: str) -> None:
    assert [found for found in problems(text) if "parentheses" not in found.text] == []


@pytest.mark.parametrize(
    ("text", "position", "message", "hint"),
    [
        (f"{ROW}duration=gt=90s", 26, "'90s' is not a number", "duration=gt=90000: the unit is milliseconds"),
        (f"{ROW}duration=gt=1:30", 26, "'1:30' is not a number", "duration=gt=90000"),
        ("type==transcription;duration=gt=90s", 20, "'90s' is not a number", "duration=gt=90: the unit is seconds"),
        (f"{ROW}duration=in=(90s)", 26, "'90s' is not a number", "duration=in=(90000)"),
        ("storedBytes=lt=10MB", 0, "'10MB' is not a number", "storedBytes=lt=10000000: the unit is bytes"),
        ("size=lt=10MiB", 0, "'10MiB' is not a number", "size=lt=10485760"),
        ("storedBytes=lt=big", 0, "'big' is not a number", "a text is compared letter by letter"),
        ("startTime=ge=2024-09-01", 0, "'2024-09-01' is not a number", "startTime=ge=1725148800000"),
        ("pcsQuestionNumber==two", 0, "'two' is not a number", "a number of number"),
        (f"{ROW}duration=gt=100", 26, "100 is milliseconds here, which is 0.1 s", "duration=gt=100000"),
        (f"{ROW}holdDuration=ge=5", 26, "5 is milliseconds here", "holdDuration=ge=5000"),
        ("type==transcription;duration=gt=90000000", 20, "90000000 is seconds here", "duration=gt=90000"),
        ("duration=gt=90000", 0, "duration without a type has two units", "type==callrecording"),
        ("type==summary;agentName==x", 14, "objects of the type summary have no tag agentName", "callcenterrecording"),
        ("type==meeting;(a==1,speaker==x)", 20, "objects of the type meeting have no tag speaker", "transcription"),
        ("type=in=(summary,agentnotes);queueName==x", 29, "type summary or agentnotes", "callcenterrecording"),
        ("agentName==Kh*", 0, "a `*` in a value", "agent:Kh*"),
        ("agentName=out=(a,K*)", 0, "a `*` in a value", "agent:Kh*"),
    ],
)
def test_what_does_not_fit_is_a_warning(text: str, position: int, message: str, hint: str) -> None:
    (problem,) = problems(text)
    assert problem.position == position
    assert message in problem.text
    assert hint in problem.hint
    assert not problem.fatal


def test_a_date_in_a_tag_is_in_the_users_zone() -> None:
    (problem,) = problems("startTime=ge=2024-09-01", zone=ZoneInfo("Europe/Berlin"))
    assert "1725141600000" in problem.hint


def test_tags_that_were_seen_are_known_and_suggested() -> None:
    assert problems("agentNames==x")
    assert problems("agentNames==x", tags=["agentNames"]) == ()
    (problem,) = problems("campaigm==x", tags=["campaign"])
    assert "Did you mean campaign?" in problem.hint


def test_a_problem_is_a_sentence_and_names_keep_their_letters() -> None:
    assert problems("createdTime=ge=2024-09-01")[0].sentence.startswith("createdTime takes no date")
    assert problems("objectState!=REVOKED")[0].sentence.startswith("A negated objectState. Naming")


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("a==1", [()]),
        ("type==x;a==1", [("x",), ("x",)]),
        ("type==x,a==1", [(), ()]),
        ("type==x;(a==1,b==2)", [("x",)] * 3),
        ("type=in=(x,y);(type==z;a==1,b==2)", [("x", "y"), ("z",), ("z",), ("x", "y")]),
        ("(type==x;a==1),b==2", [("x",), ("x",), ()]),
    ],
)
def test_a_term_is_about_the_types_beside_and_above_it(text: str, types: list[tuple[str, ...]]) -> None:
    assert [known for _term, known in scoped(parse(text))] == types
