"""Transcripts of every vendor, and captions, as dialogues; lists of other things as what they are."""

import json
from typing import Any

import pytest

from cloudstore_tui.preview import structured, transcript
from cloudstore_tui.preview.model import Dialogue, Turn

ANN = [Turn("Ann", 0.5, "Hello there."), Turn("Bob", 62.0, "Yes, hi.")]


@pytest.mark.parametrize(
    "text",
    [
        b'[{"speaker": "A", "text": "Hi there"}, {"speaker": "B", "text": "Hello"}, {"speaker": "A", "text": "Bye"}]',
        b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\n00:03.000 --> 00:04.000\nHello\n\n00:05.000 --> 00:06.000\nBye\n",
        b'<tt><body><p begin="1s">Hi</p><p begin="2s">Hello</p><p begin="3s">Bye</p></body></tt>',
    ],
)
def test_turns_beyond_the_limit_are_missed(into: Any, monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    assert into("x.ttml", text).notes == ()
    monkeypatch.setattr(transcript, "MAX_TURNS", 2)
    found = into("x.ttml", text)
    assert (len(found.body.turns), found.notes) == (2, ("Only the first 2 turns are shown.",))


def test_values_beyond_the_limit_are_missed(into: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "MAX_NODES", 10)
    monkeypatch.setattr(transcript, "MAX_NODES", 10)
    found = into("x", json.dumps([{"speaker": "Ann", "text": f"Hello {number}"} for number in range(5)]).encode())
    assert isinstance(found.body, Dialogue)
    assert (len(found.body.turns), found.notes) == (2, ("Only the first 10 values of its JSON were read.",))


def named(first: str, second: str, *starts: float | None) -> list[Turn]:
    """The same two turns with other names and times."""
    times = starts or (0.5, 62.0)
    return [Turn(first, times[0], ANN[0].text), Turn(second, times[1], ANN[1].text)]


def words(start: float, text: str, **more: Any) -> list[dict[str, Any]]:
    return [{"word": word, "start": start + place / 10, **more} for place, word in enumerate(text.split())]


def amazon_item(start: float, text: str) -> list[dict[str, Any]]:
    items = []
    for place, word in enumerate(text.replace(".", " .").replace(",", " ,").split()):
        item: dict[str, Any] = {"alternatives": [{"content": word}], "type": "pronunciation"}
        if word.isalpha():
            item["start_time"] = f"{start + place / 10}"
        items.append(item)
    return items


VENDORS: dict[str, tuple[Any, list[Turn]]] = {
    "8x8": (
        {"phrases": [
            {"speaker": "Ann", "timestampStart": 500, "timestampEnd": 1500, "text": "Hello there."},
            {"speaker": "Bob", "timestampStart": 62_000, "timestampEnd": 63_000, "text": "Yes, hi."},
        ], "duration": 70},
        ANN,
    ),
    "Amazon Transcribe, labels": (
        {"results": {
            "speaker_labels": {"segments": [
                {"start_time": "0.5", "speaker_label": "spk_0"}, {"start_time": "62.0", "speaker_label": "spk_1"},
            ]},
            "items": [*amazon_item(0.5, "Hello there."), *amazon_item(62, "Yes, hi.")],
        }},
        named("spk_0", "spk_1"),
    ),
    "Amazon Transcribe, channels": (
        {"results": {
            "channel_labels": {"channels": [
                {"channel_label": "ch_0", "items": amazon_item(0.5, "Hello there.")},
                {"channel_label": "ch_1", "items": amazon_item(62, "Yes, hi.")},
            ]},
            "items": amazon_item(0.5, "Hello there. Yes, hi."),
        }},
        named("ch_0", "ch_1"),
    ),
    "Contact Lens": (
        {"Transcript": [
            {"BeginOffsetMillis": 500, "EndOffsetMillis": 900, "Content": "Hello there.", "ParticipantId": "AGENT"},
            {"BeginOffsetMillis": 62_000, "EndOffsetMillis": 63_000, "Content": "Yes, hi.", "ParticipantId": "CALLER"},
        ]},
        named("AGENT", "CALLER"),
    ),
    "Deepgram, utterances": (
        {"results": {
            "channels": [{"alternatives": [{"transcript": "x", "words": words(0.5, "Hello there.", speaker=0)}]}],
            "utterances": [
                {"start": 0.5, "end": 1.0, "transcript": "Hello there.", "speaker": 0},
                {"start": 62.0, "end": 63.0, "transcript": "Yes, hi.", "speaker": 1},
            ],
        }},
        named("speaker 0", "speaker 1"),
    ),
    "Deepgram, words": (
        {"results": {"channels": [{"alternatives": [{
            "words": [*words(0.5, "Hello there.", speaker=0), *words(62, "Yes, hi.", speaker=1)],
        }]}]}},
        named("speaker 0", "speaker 1"),
    ),
    "AssemblyAI": (
        {"audio_duration": 70, "words": [{"text": "Hello", "start": 500, "end": 700, "speaker": "A"}], "utterances": [
            {"speaker": "A", "start": 500, "end": 900, "text": "Hello there."},
            {"speaker": "B", "start": 62_000, "end": 63_000, "text": "Yes, hi."},
        ]},
        named("A", "B"),
    ),
    "Azure": (
        {"recognizedPhrases": [
            {"channel": 0, "offset": "PT0.5S", "offsetInTicks": 5_000_000, "nBest": [{"display": "Hello there."}]},
            {"channel": 1, "offset": "PT1M2S", "offsetInTicks": 620_000_000, "nBest": [{"display": "Yes, hi."}]},
        ]},
        named("channel 0", "channel 1"),
    ),
    "Google": (
        {"results": [
            {"alternatives": [{"transcript": "Hello there.", "words": [{"startTime": "0.500s", "word": "Hello"}]}],
             "channelTag": 1, "resultEndTime": "3.2s"},
            {"alternatives": [{"transcript": " Yes, hi.", "words": [{"startTime": "62s", "word": "Yes,"}]}],
             "channelTag": 2, "resultEndTime": "65.2s"},
        ]},
        named("channel 1", "channel 2"),
    ),
    "IBM": (
        {"results": [
            {"alternatives": [{"transcript": "Hello there. ", "timestamps": [["Hello", 0.5, 1], ["there.", 0.8, 1]]}]},
            {"alternatives": [{"transcript": "Yes, hi. ", "timestamps": [["Yes,", 62.0, 62.5], ["hi.", 62.5, 63]]}]},
        ], "speaker_labels": [
            {"from": 0.5, "to": 0.8, "speaker": 0}, {"from": 0.8, "to": 1, "speaker": 0},
            {"from": 62.0, "to": 62.5, "speaker": 1}, {"from": 62.5, "to": 63, "speaker": 1},
        ]},
        named("speaker 0", "speaker 1"),
    ),
    "Speechmatics": (
        {"results": [
            {"type": "word", "start_time": start, "alternatives": [{"content": word, "speaker": speaker}]}
            for start, word, speaker in (
                (0.5, "Hello", "S1"), (0.8, "there", "S1"), (1.0, ".", "S1"), (62.0, "Yes", "S2"), (62.2, ",", "S2"),
                (62.3, "hi", "S2"), (62.4, ".", "S2"),
            )
        ]},
        named("S1", "S2"),
    ),
    "Genesys": (
        {"transcripts": [{"phrases": [
            {"participantPurpose": "internal", "text": "hello there", "decoratedText": "Hello there.",
             "offset": {"seconds": 0}, "startTimeMs": 1_693_526_400_000},
            {"participantPurpose": "external", "text": "yes hi", "decoratedText": "Yes, hi.",
             "offset": {"seconds": 61}, "startTimeMs": 1_693_526_461_500},
        ]}]},
        named("internal", "external", 0.0, 61.5),
    ),
    "Rev": (
        {"monologues": [
            {"speaker": speaker, "elements": [
                {"type": "text", "value": first, "ts": start}, {"type": "punct", "value": mark},
                {"type": "text", "value": second, "ts": start + 1}, {"type": "punct", "value": "."},
            ]}
            for speaker, start, first, mark, second in ((0, 0.5, "Hello", " ", "there"), (1, 62.0, "Yes", ", ", "hi"))
        ]},
        named("speaker 0", "speaker 1"),
    ),
    "Voicebase": (
        {"transcript": {"words": [
            {"m": "turn", "w": "Agent:", "s": 500}, {"w": "Hello", "s": 500}, {"w": "there", "s": 800},
            {"m": "punc", "w": ".", "s": 900},
            {"m": "turn", "w": "Caller:", "s": 62_000}, {"w": "Yes", "s": 62_000}, {"m": "punc", "w": ",", "s": 62_200},
            {"w": "hi", "s": 62_300}, {"m": "punc", "w": ".", "s": 62_500},
        ]}},
        named("Agent", "Caller"),
    ),
    "Whisper": (
        {"text": "x", "segments": [{"id": 0, "start": 0.5, "end": 2.0, "text": " Hello there."},
                                   {"id": 1, "start": 62.0, "end": 63.0, "text": " Yes, hi."}], "language": "en"},
        named("", ""),
    ),
    "whisper.cpp": (
        {"transcription": [{"offsets": {"from": 500, "to": 900}, "text": " Hello there."},
                           {"offsets": {"from": 62_000, "to": 63_000}, "text": " Yes, hi."}]},
        named("", ""),
    ),
    "Slack": (
        [{"type": "message", "user": "U1", "text": "Hello there.", "ts": "1355517523.000005"},
         {"type": "message", "user": "U2", "text": "Yes, hi.", "ts": "1355517584.500005"}],
        named("U1", "U2", 0.0, 61.5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_a_vendor_writes_is_a_dialogue(into: Any, vendor: str) -> None:
    document, turns = VENDORS[vendor]
    found = into("x.json", json.dumps(document).encode()).body
    assert isinstance(found, Dialogue)
    assert [(turn.speaker, turn.text) for turn in found.turns] == [(turn.speaker, turn.text) for turn in turns]
    assert [turn.start for turn in found.turns] == pytest.approx([turn.start for turn in turns], abs=0.01)


@pytest.mark.parametrize(
    "document",
    [
        {"items": [{"name": "Widget", "content": "Good", "timestamp": 1, "price": 3}] * 5},
        {"questions": [{"speaker": "agent", "text": "How was it?", "start": 1}] * 5},
        {"answers": [{"question": "How?", "score": 1, "text": "Fine"}] * 5},
        {"rows": [{"text": "A note", "timestamp": 1_693_526_400}] * 5},
        {"files": [{"name": "a", "size": 1}] * 5},
        [1, 2, 3],
    ],
)
def test_a_list_of_other_things_is_none(into: Any, document: Any) -> None:
    assert into("x.json", json.dumps(document).encode()).format == "JSON"


CAPTIONS = {
    "WebVTT": (
        b"WEBVTT\n\nNOTE made by hand\n\n1\n00:00.500 --> 00:02.000 align:start\n<v Ann>Hello <b>there</b>.</v>\n\n"
        b"00:01:02.000 --> 00:01:03.000\n<v.loud Bob>Yes,\nhi.\n"
    ),
    "SubRip": (
        b"1\r\n00:00:00,500 --> 00:00:02,000\r\nAnn: Hello <i>there</i>.\r\n\r\n2\r\n"
        b"00:01:02,000 --> 00:01:03,000\r\nBob: Yes,\r\nhi.\r\n"
    ),
    "TTML": (
        b'<?xml version="1.0" encoding="UTF-8"?><tt xmlns="http://www.w3.org/ns/ttml" '
        b'xmlns:ttm="http://www.w3.org/ns/ttml#metadata"><head><metadata>'
        b'<ttm:agent xml:id="a" type="person"><ttm:name>Ann</ttm:name></ttm:agent>'
        b'<ttm:agent xml:id="b" type="person"><ttm:name>Bob</ttm:name></ttm:agent></metadata></head><body><div>'
        b'<p begin="00:00:00.500" ttm:agent="a">Hello there.</p>'
        b'<p begin="62s" ttm:agent="b">Yes,<br/>hi.</p></div></body></tt>'
    ),
}


@pytest.mark.parametrize("kind", CAPTIONS)
def test_captions_are_dialogues(into: Any, kind: str) -> None:
    assert list(into("x.txt", CAPTIONS[kind]).body.turns) == ANN


@pytest.mark.parametrize("kind", CAPTIONS)
def test_captions_that_are_cut_are_shown_as_far_as_they_go(into: Any, kind: str) -> None:
    found = into("x.txt", CAPTIONS[kind][:-30] + b" " * 100_000, wanted=len(CAPTIONS[kind]) - 30)
    assert found.body.turns[0] == ANN[0]


def test_a_transcript_that_is_cut_is_a_dialogue_still(into: Any) -> None:
    phrases = [{"speaker": "Ann", "start": number, "text": "Hello there."} for number in range(5000)]
    found = into("x.json", json.dumps({"phrases": phrases}).encode())
    assert isinstance(found.body, Dialogue)
    assert len(found.body.turns) > 500
    assert found.is_partial
