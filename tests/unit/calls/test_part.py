"""What an object is to its call."""

from typing import Any

import pytest

from cloudstore_tui.calls import CallPart, part_of, speaker_rank, title_of
from cloudstore_tui.fiql.fields import TYPE_NAMES

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
