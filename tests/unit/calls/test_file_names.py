"""Short names of files, which tell what is what."""

from typing import Any

from cloudstore_tui.calls import call_tree, file_names


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
