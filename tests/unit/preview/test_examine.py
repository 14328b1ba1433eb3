"""What an object is, by its content first."""

import gzip
import io
import json
import random
import struct
import tarfile
import zipfile
import zlib
from typing import Any

import pytest

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.model import (
    Bytes,
    Dialogue,
    Listing,
    Nothing,
    Outline,
    Table,
    Text,
    Turn,
    Waveform,
)
from cloudstore_tui.preview.render import render
from cloudstore_tui.sandbox.content import WAV_RATE, wav_blocks, wav_header

BODIES = {
    "short.mp3": ("MP3 audio", Waveform),
    "long.mp3": ("MP3 audio", Waveform),
    "short.wav": ("WAV audio", Waveform),
    "long.wav": ("WAV audio", Waveform),
    "transcript.json": ("transcript", Dialogue),
    "summary.json": ("JSON", Outline),
    "notes.txt": ("text", Text),
    "calls.csv": ("CSV", Table),
    "calls.csv.gz": ("CSV in gzip", Table),
    "export.tar": ("tar archive", Listing),
    "export.tar.gz": ("tar archive in gzip", Listing),
    "calls.zip": ("zip archive", Listing),
    "picture.png": ("PNG image", Nothing),
    "lines.jsonl": ("JSON lines", Outline),
    "letters.bin": ("bytes", Bytes),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("called", ["", "object-without-extension", "wrong.mp3"])
def test_the_content_says_what_it_is_whatever_the_name_says(into: Any, samples: Any, name: str, called: str) -> None:
    found = into(called or name, samples[name])
    assert (found.format, type(found.body)) == BODIES[name]


def test_a_tar_is_listed_by_hopping_from_head_to_head(into: Any, samples: Any, shelf: Any) -> None:
    store = shelf(samples["export.tar"])
    found = into("export.tar", store)
    assert [member.name for member in found.body.members] == [f"{n}.csv" for n in range(8)]
    assert {member.size for member in found.body.members} == {200_000}
    assert found.notes == ()
    assert found.fetched < len(store.data) / 10
    assert len(store.asked) <= 9


def test_a_tar_with_long_names_and_links_is_listed_as_tar_does(into: Any) -> None:
    file = io.BytesIO()
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as archive:
            for name in ("ä" * 90 + "/" + "b" * 90, "short", "d" * 140):
                info = tarfile.TarInfo(name)
                info.size = 5
                archive.addfile(info, io.BytesIO(b"hello"))
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "short"
            archive.addfile(link)
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            names = archive.getnames()
        members = into("x.tar", file.getvalue()).body.members
        assert [member.name for member in members] == names
        assert members[-1].note == "link to short"


def test_a_tar_with_very_many_members_ends_after_a_bounded_number_of_requests(into: Any, shelf: Any) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number in range(100):
            info = tarfile.TarInfo(f"{number}.bin")
            info.size = 70_000
            archive.addfile(info, io.BytesIO(bytes(70_000)))
    store = shelf(file.getvalue())
    found = into("x.tar", store)
    assert len(store.asked) == 41
    assert found.notes == ("There are more members; m reads on.",)
    assert found.is_partial
    assert len(into("x.tar", shelf(file.getvalue()), wanted=4 * 65_536).body.members) > 90


def test_a_zip_is_listed_from_its_end(into: Any, samples: Any, shelf: Any) -> None:
    store = shelf(samples["calls.zip"])
    found = into("calls.zip", store)
    assert len(found.body.members) == 300
    assert len(store.asked) == 2
    assert found.fetched < 140_000


def test_a_zip_with_more_members_than_the_short_form_holds(into: Any) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(66_000):
            archive.writestr(str(number), b"")
    found = into("x.zip", file.getvalue(), wanted=4 * 65_536)
    assert dict(found.facts)["members"] == "66,000"
    assert len(found.body.members) == 20_000


def test_where_the_store_gives_no_ranges_a_zip_shows_what_is_at_its_beginning(
    into: Any, samples: Any, shelf: Any
) -> None:
    found = into("calls.zip", shelf(samples["calls.zip"], ranged=False))
    assert 0 < len(found.body.members) < 300
    assert any("beginning" in note for note in found.notes)


def test_a_compressed_tar_that_is_longer_says_that_there_may_be_more(into: Any) -> None:
    chance = random.Random(1)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for number in range(30):
            info = tarfile.TarInfo(f"{number}.bin")
            info.size = 20_000
            archive.addfile(info, io.BytesIO(chance.randbytes(20_000)))
    found = into("x.tar.gz", file.getvalue())
    assert 0 < len(found.body.members) < 30
    assert "there may be more" in " ".join(found.notes)
    assert found.is_partial


def test_a_bomb_in_gzip_is_opened_only_a_little(into: Any) -> None:
    found = into("x.gz", gzip.compress(bytes(300_000_000)))
    assert len(found.body.data) <= 256 * 1024
    assert dict(found.facts)["packed"].endswith("opened to 4,194,304")
    nested = gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"hello"))))
    assert "more layers" in " ".join(into("x.gz", nested).notes)


def test_an_image_that_would_fill_the_memory_is_only_measured(into: Any, samples: Any) -> None:
    data = bytearray(samples["picture.png"])
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    assert dict(into("x.png", bytes(data)).facts)["size"] == "60,000 × 60,000 pixels"


def test_the_length_of_a_recording_is_measured_where_it_is_read_and_marked_where_it_is_not(
    into: Any, samples: Any, shelf: Any
) -> None:
    short = dict(into("a.mp3", samples["short.mp3"]).facts)
    assert short["length"] == "0:30"
    store = shelf(samples["long.mp3"])
    found = into("a.mp3", store)
    facts = dict(found.facts)
    assert facts["length"] == "≈ 15:00 (estimated from bit rate and size)"
    assert (facts["channels"], facts["rate"], facts["title"]) == ("2 (stereo)", "24,000 Hz", "A call")
    assert found.fetched < 500_000
    assert len(found.body.channels) == 2
    assert found.body.seconds == pytest.approx(900, rel=0.01)


def test_the_shape_of_a_long_recording_is_that_of_its_sound(into: Any, shelf: Any) -> None:
    loud, silence = wav_blocks()[1] * 120, bytes(WAV_RATE * 2 * 120)
    found = into("a.wav", wav_header(len(loud) * 2) + loud + silence)
    levels = found.body.channels[0]
    half = len(levels) // 2
    assert min(levels[: half - 1]) > -40
    assert max(levels[half + 1 :]) < -90
    assert dict(found.facts)["talking"] == "50 %"


def page(number: int, granule: int, kind: int, content: bytes) -> bytes:
    """One page of an Ogg file."""
    lacing = bytes([255] * (len(content) // 255) + [len(content) % 255])
    return struct.pack("<4sBBqIIIB", b"OggS", 0, kind, granule, 7, number, 0, len(lacing)) + lacing + content


def test_an_ogg_is_read_at_both_ends_and_never_decoded(into: Any, shelf: Any) -> None:
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 1) + b"x" + struct.pack("<I", 0)
    middle = [page(number + 1, number * 48_000, 0, bytes(4000)) for number in range(1, 120)]
    data = page(0, 0, 2, head) + page(1, 0, 0, tags) + b"".join(middle) + page(121, 120 * 48_000, 4, bytes(9))
    store = shelf(data)
    found = into("a.ogg", store)
    assert (found.format, type(found.body)) == ("Ogg audio", Nothing)
    assert dict(found.facts)["length"] == "2:00"
    assert found.fetched < 400_000


def test_a_large_tag_before_the_sound_is_skipped(into: Any, samples: Any, shelf: Any) -> None:
    size = 200_000
    tag = b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)
    sound = samples["long.mp3"][256:]
    found = into("a.mp3", shelf(tag + sound))
    facts = dict(found.facts)
    assert (facts["rate"], facts["codec"]) == ("24,000 Hz", "MPEG-2 layer III")
    assert facts["length"] == "≈ 15:00 (estimated from bit rate and size)"
    assert max(found.body.channels[0]) > -40


def test_a_recording_in_a_store_without_ranges_is_heard_at_its_beginning(into: Any, samples: Any, shelf: Any) -> None:
    found = into("a.wav", shelf(samples["long.wav"], ranged=False))
    assert isinstance(found.body, Waveform)
    assert any("first" in note for note in found.notes)


def test_pieces_that_fail_leave_what_is_here_and_a_sentence(into: Any, shelf: Any, samples: Any) -> None:
    class Failing(shelf):  # type: ignore[misc]
        async def read(self, first: int, count: int) -> Piece:
            if first:
                raise NetworkError("the connection was reset")
            return Piece(self.data[:count], len(self.data))

    found = into("export.tar", Failing(samples["export.tar"]))
    assert isinstance(found.body, Listing)
    assert len(found.body.members) == 1
    assert "the connection was reset" in found.notes[-1]


def test_an_empty_object_is_said_to_be_empty(into: Any) -> None:
    assert into("x", b"").format == "empty"


@pytest.mark.parametrize(
    ("data", "encoding", "line"),
    [
        ("Grüße\n".encode(), "UTF-8", "Grüße"),
        ("Grüße\n".encode("utf-16"), "UTF-16", "Grüße"),
        (b"\xef\xbb\xbfhello", "UTF-8 with mark", "hello"),
        ("Grüße aus Köln, schöne Öfen für alle Männer\n".encode("latin-1") * 20, "guessed", "Grüße aus Köln"),
        (b"a\tb\x1b[31mred", "ASCII", "a       b␛[31mred"),
    ],
)
def test_text_is_decoded_and_made_safe(into: Any, data: bytes, encoding: str, line: str) -> None:
    found = into("x.txt", data)
    assert encoding in found.encoding
    assert render(found, 80).lines[0].text.startswith(line)


def test_a_character_that_is_cut_at_the_end_does_not_spoil_the_text(into: Any) -> None:
    found = into("x.txt", "ä".encode() * 1000, wanted=999)
    assert found.encoding == "UTF-8"


def test_a_row_that_is_cut_is_left_out_of_a_table(into: Any, samples: Any) -> None:
    found = into("x.csv", samples["calls.csv"], wanted=1000)
    assert found.body.header[0] == "call_id"
    assert {len(row) for row in found.body.rows} == {8}


def test_prose_with_commas_is_no_table(into: Any) -> None:
    assert into("x.txt", b"Well, yes.\nNo, never, and not today, either.\nFine.\n").format == "text"
    assert into("x.log", b"started, waiting, done, bye\n" * 9).format == "text"
    assert into("x.dat", b"started|waiting|done\n" * 9).format == "CSV with bars"


def test_json_that_is_cut_is_json_still(into: Any, samples: Any) -> None:
    found = into("x", b'{"a": [1, 2, {"b": "c' + b"x" * 3000, wanted=40)
    assert (found.format, [node.kind for node in found.body.nodes]) == (
        "JSON",
        ["open", "open", "number", "number", "open", "text"],
    )


@pytest.mark.parametrize("text", [b'{"a": 1', b"[1, 2", b"{a: 1}", b'{"a" 1}', b"[1,]", b"[01]", b'{"a":1}}'])
def test_what_is_no_json_is_text(into: Any, text: bytes) -> None:
    assert into("x.json", text).format == "text"


def test_json_nested_beyond_all_reason_is_text(into: Any) -> None:
    assert into("x.json", b"[" * 50_000).format == "text"


def test_json_reads_as_it_was_written(into: Any) -> None:
    text = json.dumps({"k": [1, -2.5e3, "ä\n", None, True, {}, [], {"x": {"y": "z"}}], "k2": "v"})
    lines = [line.text for line in render(into("x", text.encode()), 80).lines]
    assert json.loads("\n".join(lines)) == json.loads(text)


@pytest.mark.parametrize(
    ("document_text", "turns"),
    [
        (
            '{"utterances": [{"start": 1.5, "metadata": {"channel": 0}, "events": [{"word": "Hello"},{"word": "you"}]},'
            '{"start": 62, "metadata": {"channel": 1}, "events": [{"word": "Yes"}]}]}',
            (Turn("channel 0", 1.5, "Hello you"), Turn("channel 1", 62.0, "Yes")),
        ),
        (
            '[{"speaker": "Ann", "startTime": "0:01:02.5", "text": "Hi"}, {"speaker": "Bob", "text": "Hm"}]',
            (Turn("Ann", 62.5, "Hi"), Turn("Bob", None, "Hm")),
        ),
        (
            '{"messages": [{"from": {"name": "Ann"}, "timestamp": 1725183153000, "content": "Hi"},'
            '{"from": {"name": "Bob"}, "timestamp": 1725183155000, "content": "Hello"}]}',
            (Turn("Ann", 0.0, "Hi"), Turn("Bob", 2.0, "Hello")),
        ),
        (
            '{"duration": 20, "segments": [{"role": "agent", "start_ms": 500, "text": "Hi"},'
            '{"role": "caller", "start_ms": 9000, "text": "Ho"}]}',
            (Turn("agent", 0.5, "Hi"), Turn("caller", 9.0, "Ho")),
        ),
    ],
)
def test_transcripts_of_every_form_are_dialogues(into: Any, document_text: str, turns: tuple[Turn, ...]) -> None:
    assert into("x.json", document_text.encode()).body == Dialogue(turns)


def test_the_words_of_one_person_carry_the_name_that_the_service_tells(into: Any) -> None:
    text = b'{"phrases": [{"start": 0, "text": "Hi"}, {"start": 3, "text": "Bye"}]}'
    assert {turn.speaker for turn in into("x", text, speaker="external").body.turns} == {"external"}


def test_a_list_of_things_with_names_is_no_transcript(into: Any) -> None:
    text = b'{"answers": [{"question": "How?", "score": 1}, {"question": "Why?", "score": 2}]}'
    assert into("x", text).format == "JSON"


def test_json_lines_are_folded_to_what_was_written(into: Any, samples: Any) -> None:
    shown = render(into("x.jsonl", samples["lines.jsonl"]), 80)
    assert len(shown.folded) == 50
    assert shown.lines[min(shown.folded)].folded == '{"n": 0, "tags": {"a": [0]}}'
