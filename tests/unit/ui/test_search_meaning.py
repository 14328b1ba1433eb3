"""What is said of a text before it is sent."""

from datetime import UTC, datetime

import pytest

from cloudstore_tui.core.models import Location
from cloudstore_tui.ui.browser.search_meaning import Analysis, Scope, analyse, in_words, is_finished

NOW = datetime(2024, 9, 2, 12, tzinfo=UTC)


def analysis(text: str) -> Analysis:
    return analyse(text, UTC, NOW, ["myTag"])


@pytest.mark.parametrize(
    ("text", "fatal"), [("", None), ("  ", None), ("a==b", None), ("a=b", True), ("a==b,c==d;e==f", False)]
)
def test_diagnostics(text: str, fatal: bool | None) -> None:
    first = analysis(text).first
    assert (first.fatal if first else None) == fatal


def test_a_phrase_is_understood_as_a_filter() -> None:
    found = analysis('type:cc agent:"Khang Glynn" since:yesterday')
    assert found.meaning is not None
    assert found.meaning.filter == ("type==callcenterrecording;agentName=='Khang Glynn';createdTime=ge=1725148800000")
    assert found.first is None


def test_an_error_is_a_sentence_without_the_place_that_the_caret_shows() -> None:
    fatal = analysis("type:cc agnt:x").fatal
    assert fatal is not None
    assert fatal.position == len("type:cc ")
    assert "at character" not in fatal.text
    assert "`agent:`" in fatal.text


def test_a_hole_is_no_value() -> None:
    fatal = analysis("queueName==?queue").fatal
    assert fatal is not None
    assert fatal.position == len("queueName==")


def test_tags_that_were_seen_are_no_slips() -> None:
    assert analysis("myTag==1").first is None


CALLS = Scope(Location("acme8", "us-east", place=("callcenterrecording",)), "Call recordings", ("callcenterrecording",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Call recordings"),
        ('agent:"Kha', "Call recordings, agent Kha…"),
        ("agent:Lee agnt", "Call recordings, agent Lee, name, person or queue contains 'agnt'"),
        ("agent:Lee dur:", "Call recordings, agent Lee…"),
        ("type:summary state:any", "Summaries, in any state"),
    ],
)
def test_what_is_half_typed_is_said_as_far_as_it_goes(text: str, words: str) -> None:
    assert in_words(text, CALLS, UTC, NOW)[0] == words


@pytest.mark.parametrize(
    ("text", "position", "is_wrong"),
    [("agnt:x", 0, False), ("agnt:x ", 0, True), ('agent:"x y', 6, False), ("agnt:x dur:>1m", 0, True)],
)
def test_a_word_is_finished_when_another_one_follows(text: str, position: int, is_wrong: bool) -> None:
    assert is_finished(text, len(text), position) is is_wrong
