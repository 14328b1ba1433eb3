"""A search while it is typed: its parts, its meaning, and what is offered for it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.core.models import Folder, Location, StoredObject
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.ui.browser.search_meaning import Analysis, Scope, analyse, in_words, is_finished, tokens_of
from cloudstore_tui.ui.browser.search_suggestions import (
    LONGEST,
    MAX_NAMES,
    MAX_SUGGESTIONS,
    MAX_VALUES,
    Recall,
    Suggestion,
    Vocabulary,
    did_you_mean,
    matching,
    suggest,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("type==a;(b!='c;d',e=in=(f,g))", "field:type operator:== value:a join:; join:( field:b operator:!= "
         "value:'c;d' join:, field:e operator:=in= join:( value:f join:, value:g join:) join:)"),
        ("a==1,b==2", "field:a operator:== value:1 join:, field:b operator:== value:2"),
        ('-agent:"A B",C dur:>90s x', '-field:agent operator:: value:"A_B" join:, value:C field:dur operator::> '
         "value:90s text:x"),
        ('agent:"half', 'field:agent operator:: value:"half'),
        ("queue:?queue", "field:queue operator:: placeholder:?queue"),
        ("@monday queue=Sales", "saved:@monday field:queue operator:= value:Sales"),
        ("(ty", "join:( field:ty"),
    ],
)  # fmt: skip
def test_parts(text: str, parts: str) -> None:
    found = " ".join(f"{token.part}:{token.of(text).replace(' ', '_')}" for token in tokens_of(text))
    assert found == parts.replace("-field:agent", "field:-agent")


@given(st.text(alphabet=" \t@?-:=!<>()',;\"\\abz.~é…", max_size=60))
def test_tokens_are_in_order_and_leave_out_blanks_only(text: str) -> None:
    end = 0
    for token in tokens_of(text):
        assert end <= token.start < token.end <= len(text)
        assert not text[end : token.start].strip()
        end = token.end
    assert not text[end:].strip()


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


HERE = Location("acme8", "us-east", "id")


def row(*tags: tuple[str, str], kind: str = "callrecording") -> StoredObject:
    return StoredObject(HERE, "x", type=kind, tags=tags)


def test_values_are_counted_and_the_most_frequent_comes_first() -> None:
    seen = Vocabulary()
    seen.learn([row(("agentName", "Lee")), row(("agentName", "Khang Glynn")), row(("agentName", "Khang Glynn"))])
    seen.learn([Folder(HERE, "folder")])
    assert seen.values("agentName") == (("Khang Glynn", 2), ("Lee", 1))
    assert seen.values("type") == (("callrecording", 3),)
    assert seen.names == ("type", "agentName")
    assert seen.values("unknown") == ()


def test_it_stays_small_whatever_comes() -> None:
    seen = Vocabulary()
    seen.learn(row(("agentName", f"agent {number}")) for number in range(MAX_VALUES + 50))
    seen.learn([row(*((f"tag{number}", "x") for number in range(MAX_NAMES + 50)))])
    assert len(seen.values("agentName")) == MAX_VALUES
    assert len(seen.names) == MAX_NAMES


def test_numbers_and_what_cannot_be_drawn_are_not_offered() -> None:
    seen = Vocabulary()
    seen.learn([row(("duration", "61000"), ("startTime", "1725148800000"), ("a", "\x1b[31m"), ("b", "x" * 200))])
    seen.learn([row(("n" * (LONGEST + 1), "x"), ("bad\nname", "x"))])
    assert seen.names == ("type", "duration", "startTime", "a", "b")
    assert all(not seen.values(name) for name in seen.names[1:])


Known = tuple[Vocabulary, tuple[SavedSearch, ...]]


@pytest.fixture
def known() -> Known:
    seen = Vocabulary()
    tags = [
        ("agentName", "Khang Glynn"),
        ("agentName", "Lee"),
        ("queueName", "Sales UK"),
        ("callerName", "Zofia Wójcik"),
        ("callerId", "+16695553203"),
        ("myTag", "it's"),
    ]
    seen.learn([StoredObject(Location("acme8"), "x", type="rarething", tags=tuple(tags))])
    return seen, (SavedSearch("monday", "type:calls queue:?queue"),)


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("", ["@monday", "type:", "state:", "since:"]),
        ("@", ["@monday"]),
        ("ag", ["agent:", "agentName"]),
        ("-ag", ["-agent:"]),
        ("my", ["myTag", "tag.myTag:"]),
        ("type:reco", ["type:recording", "type:recordings"]),
        ("state:arch", ["state:archived"]),
        ("direction:", ["direction:in", "direction:inbound"]),
        ("since:", ["since:today", "since:yesterday", "since:last 7 days"]),
        ("dur:>", ["dur:>1m", "dur:>10m"]),
        ("agent:", ['agent:"Khang Glynn"', "agent:Lee"]),
        ("agent:kh", ['agent:"Khang Glynn"']),
        ('agent:"Kha', ['agent:"Khang Glynn"']),
        ("agent:Lee,", ['agent:Lee,"Khang Glynn"']),
        ("since:today queue:Sa", ['since:today queue:"Sales UK"']),
        ("tag.myTag:", ['tag.myTag:"it\'s"']),
        ("queue:?queue", ['queue:"Sales UK"']),
        ("@monday queue=Sa", ['@monday queue="Sales UK"']),
        ("agentName", ["agentName==", "agentName!="]),
        ("createdTime", ["createdTime=ge=", "createdTime=lt="]),
        ("agentName=", ["agentName=="]),
        ("type==summary;agentName=o", ["type==summary;agentName=out=("]),
        ("type==c", ["type==callcenterrecording", "type==callrecording"]),
        ("type==ra", ["type==rarething"]),
        ("objectState==", ["objectState==AVAILABLE", "objectState==PENDING"]),
        ("agentName==K", ["agentName=='Khang Glynn'"]),
        ("agentName=='Khang G", ["agentName=='Khang Glynn'"]),
        ("myTag==", ["myTag=='it\\'s'"]),
        ("agentName=in=(Lee,", ["agentName=in=(Lee,'Khang Glynn'"]),
        ("type==a;que", ["type==a;queueName", "type==a;queueNumber"]),
        ("(ty", ["(type"]),
        ("type==a;(ob", ["type==a;(objectName", "type==a;(objectState"]),
    ],
)
def test_what_fits_comes_first(known: Known, typed: str, becomes: list[str]) -> None:
    found = [offer.put_into(typed)[0] for offer in suggest(typed, len(typed), *known)]
    assert found[: len(becomes)] == becomes


@pytest.mark.parametrize("typed", ["type==a)", "type==a ", "agent:Khang xyzzy", "nothing==", '"in quotes', "a=b=c"])
def test_nothing_is_offered_where_nothing_is_known(known: Known, typed: str) -> None:
    assert suggest(typed, len(typed), *known) == ()


def test_only_tags_of_the_type_that_was_named_are_offered(known: Known) -> None:
    words = [offer.text for offer in suggest("type:summary ", len("type:summary "), *known)]
    assert "call:" in words
    assert "queue:" not in words


def test_inside_of_a_word_nothing_is_offered(known: Known) -> None:
    assert suggest("agentName==Lee", 3, *known) == ()


def test_what_stands_behind_the_cursor_stays(known: Known) -> None:
    offer = suggest("ag since:today", 2, *known)[0]
    assert offer.put_into("ag since:today") == ("agent: since:today", len("agent:"))


def test_there_is_an_end_to_offers() -> None:
    seen = Vocabulary()
    rows = (StoredObject(Location("p"), "x", tags=(("agentName", f"a{number}"),)) for number in range(300))
    seen.learn(rows)
    assert len(suggest("agent:", 6, seen)) == MAX_SUGGESTIONS


def test_an_offer_says_what_it_means(known: Known) -> None:
    assert suggest("agentName==L", 12, *known) == (Suggestion("Lee", "1 loaded", 11, 12),)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("khang glynn", ['agent:"Khang Glynn"']),
        ("KHANG since:today", ['agent:"Khang Glynn" since:today']),
        ("lee sales", ['agent:Lee queue:"Sales UK"']),
        ("lee", ["agent:Lee"]),
        ("wojcik", ['caller:"Zofia Wójcik"']),
        ("summaries", ["type:summaries"]),
        ("glynn xyzzy", ['agent:"Khang Glynn" xyzzy']),
        ("5553203", ["caller:+16695553203"]),
        ("lee 669 555 3203 since:today", ["agent:Lee 669 555 3203 since:today"]),
    ],
)
def test_words_without_a_key_are_people_and_queues_that_were_seen(known: Known, typed: str, meant: list[str]) -> None:
    assert [offer.text for offer in did_you_mean(typed, known[0])] == meant


@pytest.mark.parametrize(
    "typed",
    [
        *("xyzzy", '"khang"', "-khang", "khang*", "agent:khang", "agentName==khang", "", "k"),
        *(
            "669 555 3203",
            "6695553203",
            "+1 669 555 3203",
            "+16695553203 since:today",
            "669-555-3203",
            "(669) 555-3203",
        ),
    ],
)
def test_what_is_not_known_or_was_meant_otherwise_is_left_alone(known: Known, typed: str) -> None:
    assert did_you_mean(typed, known[0]) == ()


def test_a_word_is_offered_as_the_value_that_holds_it(known: Known) -> None:
    found = [offer.put_into("since:today khang gl") for offer in suggest("since:today khang gl", 20, *known)]
    assert found[0][0] == 'since:today agent:"Khang Glynn"'


def test_any_value_that_holds_what_is_typed_is_offered_last(known: Known) -> None:
    assert suggest("agent:gly", 9, *known)[-1] == Suggestion("~gly", 'any agent with "gly" in it', 6, 9)


LINES = ("a==1", "type:calls since:today", "b==2")


def test_back_to_the_oldest_and_forward_to_what_was_being_typed() -> None:
    walk = Recall()
    assert [walk.older(LINES, "half") for _ in range(4)] == ["b==2", "type:calls since:today", "a==1", None]
    assert [walk.newer() for _ in range(4)] == ["type:calls since:today", "b==2", "half", None]
    assert not walk.is_active


def test_what_is_there_already_is_passed_over() -> None:
    assert Recall().older(LINES, "b==2") == "type:calls since:today"


def test_after_typing_it_begins_at_the_newest_again() -> None:
    walk = Recall()
    walk.older(LINES, "")
    walk.forget()
    assert walk.newer() is None
    assert walk.older(LINES, "x") == "b==2"


def test_lines_are_found_by_their_words_the_newest_first() -> None:
    assert matching(LINES, "") == LINES[::-1]
    assert matching(LINES, "TODAY calls") == ("type:calls since:today",)
    assert matching(LINES, "nothing") == ()
