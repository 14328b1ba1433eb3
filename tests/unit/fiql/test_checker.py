"""Warnings and refusals of filters that parse."""

from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.fiql.checker import Problem, check
from cloudstore_tui.fiql.parser import parse


def problems(text: str) -> tuple[Problem, ...]:
    return check(parse(text), text)


def only(text: str) -> Problem:
    found = problems(text)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    "text",
    [
        "type==callrecording",
        "type==callcenterrecording;createdTime=ge=1725148800000;createdTime=lt=1725235200000",
        "(objectState==AVAILABLE,objectState==REVOKED);type==summary",
        "objectState=in=(ARCHIVED,AVAILABLE)",
        "callId==int-1781d39f76d",
        "agentName=='Khang Glynn'",
        "myOwnTag==1",
        "name==x;size=gt=5;objectId==y",
        "type=in=(callrecording,summary);duration=gt=90000",
    ],
)
def test_a_good_filter_has_no_problems(text: str) -> None:
    assert problems(text) == ()


@pytest.mark.parametrize(
    ("text", "position", "corrected"),
    [
        ("createdTime=ge=2024-09-01", 0, "createdTime=ge=1725148800000"),
        ("type==summary;createdTime=lt=2024-09-02T00:00:00Z", 14, "type==summary;createdTime=lt=1725235200000"),
        ("updatedTime=ge='2024-09-01T02:00:00+02:00'", 0, "updatedTime=ge=1725148800000"),
        ("type == summary", 4, "type==summary"),
        ("type==summary; callId==x", 14, "type==summary;callId==x"),
        (" type==summary", 0, "type==summary"),
        ("objectState=in=ARCHIVED", 0, "objectState=in=(ARCHIVED)"),
    ],
)
def test_a_filter_that_must_not_be_sent_is_shown_corrected(text: str, position: int, corrected: str) -> None:
    problem = only(text)
    assert problem.fatal
    assert problem.position == position
    assert problem.corrected == corrected
    assert problems(corrected) == ()


def test_a_correction_mends_all_problems_at_once() -> None:
    found = problems("createdTime =ge= 2024-09-01;type=in=summary")
    assert [problem.fatal for problem in found] == [True, True, True]
    assert {problem.corrected for problem in found} == {"createdTime=ge=1725148800000;type=in=(summary)"}


def test_an_iso_time_without_zone_is_in_the_users_zone() -> None:
    text = "createdTime=ge=2024-09-01"
    (problem,) = check(parse(text), text, ZoneInfo("Europe/Berlin"))
    assert problem.corrected == "createdTime=ge=1725141600000"


def test_a_word_instead_of_a_time_is_refused_without_a_guess() -> None:
    problem = only("createdTime=ge=soon")
    assert problem.fatal
    assert problem.corrected is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("createdtime=ge=1725148800000", "createdTime"),
        ("agentNam==x", "agentName"),
        ("typ==summary", "type"),
        ("type==callcentrerecording", "callcenterrecording"),
        ("objectState==ARCHIVE", "ARCHIVED"),
        ("createdTime=ge=1725148800", "1725148800000"),
        ("objectState!=REVOKED", "AVAILABLE"),
        ("objectState=out=(REVOKED)", "AVAILABLE"),
        ("type==callcenterrecording,objectState==AVAILABLE", "`;` for AND"),
        ("callId==1,type==summary;callId=gt=5", "callId==1,(type==summary;callId=gt=5)"),
    ],
)
def test_a_likely_mistake_is_a_warning(text: str, word: str) -> None:
    problem = only(text)
    assert not problem.fatal
    assert problem.corrected is None
    assert word in problem.hint


def test_joins_in_different_parentheses_are_not_mixed() -> None:
    assert problems("(callId==1,callId==2);type=in=(summary,callrecording)") == ()


def test_a_join_inside_quotes_is_not_mixed() -> None:
    assert problems("callId==1;agentName=='a,b'") == ()
