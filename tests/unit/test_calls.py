"""The objects of one call: what joins them, what each is, their tree, and their file names."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from cloudstore_tui.calls import (
    NAMED_BY,
    SHARED,
    CallPart,
    CallTree,
    Tie,
    branches,
    call_tree,
    file_names,
    part_of,
    placeholder,
    speaker_rank,
    terms_of,
    title_of,
)
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.fiql.fields import TYPE_NAMES

Make = Callable[..., StoredObject]


@pytest.fixture
def make() -> Make:
    """`make("r", "callrecording", callId="1")`: id, type and tags."""

    def made(id_: str, type_: str, *, name: str = "", bucket: str = "", minute: int = 0, **tags: str) -> StoredObject:
        return StoredObject(
            Location("acme8", "us-east", id_),
            name or f"{id_}.bin",
            id=id_,
            type=type_,
            bucket_id=bucket,
            created=datetime(2024, 9, 1, 9, minute, tzinfo=UTC),
            tags=tuple(tags.items()),
        )

    return made


# What joins them


HERE = Location("acme8", "uk")


def test_a_recording_is_joined_by_its_call_its_bucket_and_as_a_source() -> None:
    recording = StoredObject(Location("acme8", "uk", "r"), "r", id="r", bucket_id="k", tags=(("callId", "int-1 2"),))
    assert list(terms_of(recording)) == [
        ("bucketId", "k"),
        ("callId", "int-1 2"),
        ("sourceId", "r"),
        ("sourceObjectId", "r"),
        ("originalCallId", "int-1 2"),
    ]


def test_a_derived_object_is_joined_through_its_source_and_the_call_before() -> None:
    tags = (("callId", "vm-1"), ("originalCallId", "int-1"), ("sourceId", "s"), ("sourceObjectId", "t"))
    terms = set(terms_of(StoredObject(HERE, "d", id="d", tags=tags)))
    assert {("id", "s"), ("id", "t"), ("callId", "int-1"), ("callId", "vm-1"), ("originalCallId", "vm-1")} <= terms


def test_values_that_stand_for_nothing_join_nothing() -> None:
    tags = (("callId", ""), ("transactionId", "0"), ("originalCallId", "-1"), ("sourceId", ""))
    assert list(terms_of(StoredObject(HERE, "", tags=tags))) == []


def test_an_id_that_a_user_knows_is_looked_for_wherever_it_can_stand() -> None:
    terms = set(terms_of(placeholder(HERE, "x")))
    assert {(key, "x") for key in NAMED_BY} == terms
    assert set(SHARED) < set(NAMED_BY)


# What each is to the call


OTHERS = {"meeting", "calladditionalfields", "cm-report", "meetings_transcriptions", "statehistory", "tcltransactions"}


def test_every_known_type_is_a_part_or_known_to_be_none(make: Any) -> None:
    assert {name for name in TYPE_NAMES if part_of(make("i", name)) is CallPart.OTHER} == OTHERS | {"waveform"}


@pytest.mark.parametrize(
    ("type_", "tags", "title"),
    [
        ("callcenterrecording", {}, "Recording"),
        ("callcentervoicemail", {}, "Voicemail"),
        ("transcription", {"speaker": "owner"}, "Transcript, owner"),
        ("transcription", {"sourceObjectType": "callcenterrecordingchannel"}, "Transcript, one channel"),
        ("transcription", {"sourceObjectType": "callcenterrecording"}, "Transcript"),
        ("voicecommentrecording", {"pcsQuestionNumber": "1"}, "Voice comment 1"),
        ("sentimentScore", {}, "Sentiment"),
        ("tcltransactions", {}, "Transactions"),
        ("never-heard-of", {}, "never-heard-of"),
        ("", {}, "Unknown"),
    ],
)
def test_titles(make: Any, type_: str, tags: dict[str, str], title: str) -> None:
    assert title_of(make("i", type_, **tags)) == title


def test_a_long_speaker_does_not_fill_the_line(make: Any) -> None:
    assert len(title_of(make("i", "transcription", speaker="x" * 500))) < 50


def test_our_side_speaks_before_the_other(make: Any) -> None:
    speakers = ["zoe", "external", "", "owner", "customer", "agent"]
    ranked = sorted((make("i", "transcription", speaker=who) for who in speakers), key=speaker_rank)
    assert [entry.tag("speaker") for entry in ranked] == ["", "agent", "owner", "customer", "external", "zoe"]


# Their tree


def drawn(tree: CallTree) -> list[str]:
    return [f"{branch.strokes}{branch.title}" for branch in branches(tree)]


def whole(make: Any) -> list[Any]:
    call = {"callId": "c1"}
    return [
        make("w", "waveform", **call),
        make("x", "hologram", **call),
        make("s", "screenrecording", **call),
        make("n", "agentnotes", **call),
        make("t2", "transcription", speaker="external", **call),
        make("t1", "transcription", speaker="owner", **call),
        make("m", "sentimentScore", **call),
        make("y", "summary", sourceObjectId="t1", **call),
        make("p", "postcallsurvey", **call),
        make("v", "voicecommentrecording", pcsQuestionNumber="2", **call),
        make("vt", "transcription", sourceId="v", sourceObjectType="voicecommentrecording", **call),
        make("r", "callcenterrecording", **call),
    ]


def test_the_parts_of_a_call_have_one_order_whatever_order_they_came_in(make: Any) -> None:
    entries = whole(make)
    for seed in range(5):
        Random(seed).shuffle(entries)
        assert drawn(call_tree(entries)) == [
            "Call c1",
            "├─ Recording",
            "├─ Transcript, owner",
            "├─ Transcript, external",
            "├─ Summary",
            "├─ Sentiment",
            "├─ Survey",
            "├─ Voice comment 2",
            "│  └─ Transcript",
            "├─ Notes",
            "├─ Screen recording",
            "├─ hologram",
            "└─ Waveform",
        ]


def test_what_comes_twice_is_there_once(make: Any) -> None:
    entries = whole(make)
    assert len(call_tree([*entries, *entries]).nodes) == len(entries)


def test_the_leg_of_the_object_that_was_asked_for_comes_first(make: Any) -> None:
    one = make("r1", "callcenterrecording", callId="c1", transactionId="9", startTime="1725181953000")
    two = make("r2", "callcenterrecording", callId="c2", transactionId="9", startTime="1725182053000")
    notes = make("n2", "agentnotes", callId="c2", minute=30)
    assert drawn(call_tree([two, one, notes])) == [
        "Call c1",
        "├─ Recording",
        "└─ Other leg c2",
        "   ├─ Recording",
        "   └─ Notes",
    ]
    assert [leg.call_id for leg in call_tree([one, two, notes], notes).legs] == ["c2", "c1"]


def test_a_voicemail_is_a_branch_of_the_call_that_led_to_it(make: Any) -> None:
    call = make("r", "callcenterrecording", callId="c1")
    mail = make("v", "callcentervoicemail", callId="vm1", originalCallId="c1")
    said = make("t", "transcription", callId="vm1", originalCallId="c1", sourceId="v")
    assert [leg.tie for leg in call_tree([call, mail, said], call).legs] == [Tie.SELF, Tie.AFTER]
    assert [leg.tie for leg in call_tree([call, mail, said], said).legs] == [Tie.SELF, Tie.BEFORE]
    assert drawn(call_tree([call, mail, said], call))[2:] == [
        "└─ Call after vm1",
        "   ├─ Voicemail",
        "   └─ Transcript",
    ]


def test_three_legs_are_drawn_with_a_stroke_between_them(make: Any) -> None:
    entries = [make(f"r{n}", "callcenterrecording", callId=f"c{n}", transactionId="9", minute=n) for n in range(3)]
    assert drawn(call_tree(entries)) == [
        "Call c0",
        "├─ Recording",
        "├─ Other leg c1",
        "│  └─ Recording",
        "└─ Other leg c2",
        "   └─ Recording",
    ]


def test_an_object_without_a_call_id_goes_with_its_source_then_with_its_bucket(make: Any) -> None:
    entries = [
        make("r1", "callcenterrecording", callId="c1", bucket="b1"),
        make("r2", "callcenterrecording", callId="c2", bucket="b2", minute=1),
        make("y", "summary", sourceObjectId="t", bucket="b1", minute=2),
        make("t", "transcription", sourceId="r2", minute=3),
        make("q", "statehistory", bucket="b2", minute=4),
        make("z", "statehistory", minute=5),
    ]
    tree = call_tree(entries, entries[0])
    assert [[node.entry.id for node in leg.walk()] for leg in tree.legs] == [["r1", "y", "z"], ["r2", "t", "q"]]


def test_one_object_alone_is_a_call_without_a_name(make: Any) -> None:
    assert drawn(call_tree([make("m", "meeting")])) == ["Call", "└─ Meeting"]


def test_nothing_is_no_call() -> None:
    tree = call_tree([])
    assert (tree.legs, tree.nodes, tree.entries, tree.representative, drawn(tree)) == ((), (), (), None, [])


def test_sources_that_go_in_a_circle_do_no_harm(make: Any) -> None:
    entries = [
        make("a", "voicecommentrecording", callId="c", sourceId="b"),
        make("b", "transcription", callId="c", sourceId="a"),
        make("c", "transcription", callId="c", sourceId="c"),
        make("d", "summary", sourceObjectId="e"),
        make("e", "summary", sourceObjectId="d"),
    ]
    tree = call_tree(entries)
    assert {node.entry.id for node in tree.nodes} == set("abcde")
    assert next(node.part for node in tree.nodes) is CallPart.TRANSCRIPT


def test_a_call_begins_when_its_tags_say_and_not_when_its_objects_were_stored(make: Any) -> None:
    call = {"callId": "c1"}
    late = make("r", "callcenterrecording", startTime="1725181953000", minute=40, **call)
    notes = make("n", "agentnotes", minute=45, **call)
    assert call_tree([late, notes]).start == datetime(2024, 9, 1, 9, 12, 33, tzinfo=UTC)
    assert call_tree([notes]).start == datetime(2024, 9, 1, 9, 45, tzinfo=UTC)
    for odd in ("9" * 40, "-5", "soon", "٣"):
        assert call_tree([make("x", "summary", startTime=odd, minute=7)]).start == datetime(
            2024, 9, 1, 9, 7, tzinfo=UTC
        )
    assert call_tree([make("x", "summary", startTime="9" * 14)]).start is not None
    assert call_tree([]).start is None


def test_a_folder_is_named_from_all_tags_of_its_call(make: Any) -> None:
    cc = call_tree([make("r", "callcenterrecording", callId="c", agentName="Khang"), make("n", "agentnotes", x="1")])
    assert cc.representative is not None
    assert [cc.representative.tag(key) for key in ("callId", "agentName", "x")] == ["c", "Khang", "1"]
    assert cc.representative.type == "callcenterrecording"
    work = call_tree([make("r", "callrecording", callId="c", userName="Ada", agentName="")])
    assert work.representative is not None
    assert work.representative.tag("agentName") == "Ada"


# Their file names


def names(*entries: Any) -> list[str]:
    return list(file_names(call_tree(entries)).values())


def test_objects_are_called_what_they_are_with_the_ending_that_fits(make: Any) -> None:
    call = {"callId": "c", "name": "int-0123456789.json"}
    assert names(
        make("r", "callcenterrecording", callId="c", name="int-0123456789.mp3"),
        make("t", "transcription", speaker="owner", **call),
        make("u", "transcription", sourceObjectType="callcenterrecordingchannel", **call),
        make("y", "summary", **call),
        make("c", "voicecommentrecording", callId="c", name="c.bin", pcsQuestionNumber="1"),
        make("s", "screenrecording", callId="c", name="c.mp4"),
        make(
            "x",
            "hologram",
            callId="c",
            name="h",
        ),
    ) == [
        "recording.mp3",
        "transcript owner.json",
        "transcript one channel.json",
        "summary.json",
        "voice comment 1.bin",
        "screen.mp4",
        "hologram",
    ]


def test_what_is_the_same_is_numbered_and_another_leg_says_so(make: Any) -> None:
    first, second = {"callId": "c", "name": "c.json"}, {"callId": "d", "originalCallId": "c", "name": "d.json"}
    found = names(
        make("y", "summary", **first),
        make("z", "summary", **{**first, "name": "C.JSON"}),
        make("r", "summary", **second),
        make("v", "callrecording", callId="c", name="c.mp3"),
    )
    assert found == ["recording.mp3", "summary.JSON", "summary 2.json", "leg 2 summary.json"]


def test_a_transcript_of_a_comment_is_named_after_the_comment(make: Any) -> None:
    found = names(
        make("q", "voicecommentrecording", callId="c", name="c.mp3", pcsQuestionNumber="2"),
        make("t", "transcription", callId="c", name="t.json", sourceId="q"),
    )
    assert found == ["voice comment 2.mp3", "voice comment 2 transcript.json"]
