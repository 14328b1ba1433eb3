"""The objects of a call as a tree."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from cloudstore_tui.calls import CallPart, CallTree, Tie, branches, call_tree


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


def test_a_folder_is_named_after_all_that_its_call_tells(make: Any) -> None:
    cc = call_tree([make("r", "callcenterrecording", callId="c", agentName="Khang"), make("n", "agentnotes", x="1")])
    assert cc.representative is not None
    assert [cc.representative.tag(key) for key in ("callId", "agentName", "x")] == ["c", "Khang", "1"]
    assert cc.representative.type == "callcenterrecording"
    work = call_tree([make("r", "callrecording", callId="c", userName="Ada", agentName="")])
    assert work.representative is not None
    assert work.representative.tag("agentName") == "Ada"
