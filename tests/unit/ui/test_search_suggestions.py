"""What is offered where somebody types a filter or a phrase."""

import pytest

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.ui.browser.search_suggestions import (
    MAX_SUGGESTIONS,
    Suggestion,
    Vocabulary,
    did_you_mean,
    suggest,
)

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
