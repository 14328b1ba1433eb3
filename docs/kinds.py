"""Makes the table of kinds in previews.md from files of real encoders, and checks what is shown of each.

    uv run --with xlsxwriter --with reportlab python docs/kinds.py [--keep FOLDER] [--check]

It needs ffmpeg, lame, flac, speexenc, heif-enc, tar, zip and 7zz on this machine. Every recording is made short,
long, cut after two thirds and damaged in its middle; what is shown wrongly is printed. `--check` writes nothing.
"""

import argparse
import asyncio
import bz2
import csv
import gzip
import importlib
import io
import json
import lzma
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.model import ObjectFacts, Preview, Waveform
from cloudstore_tui.preview.runner import make_preview

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PAGE = Path(__file__).with_name("previews.md")
SHORT, LONG = 4, 400
"""Seconds of the recordings."""
BEGIN, END = "<!-- made by kinds.py -->\n", "<!-- until here -->\n"


class Recording(NamedTuple):
    """A coding of sound or film, and what is to be told of it."""

    kind: str
    ending: str
    arguments: str
    """Of ffmpeg, behind its input; or another program, with `IN` and `OUT`."""
    format: str
    codec: str
    channels: int = 1
    rate: int = 8000
    film: bool = False


RECORDINGS = (
    Recording("MP3", "mp3", "-c:a libmp3lame -b:a 32k", "MP3 audio", "MPEG-2.5 layer III"),
    Recording("MP3", "mp3", "-c:a libmp3lame -q:a 5", "MP3 audio", "MPEG-1 layer III", 2, 44_100),
    Recording("MP3", "mp3", "-c:a libmp3lame -q:a 7 -write_xing 0", "MP3 audio", "MPEG-2 layer III", 1, 16_000),
    Recording("MP3", "mp3", "lame --quiet --preset standard IN OUT", "MP3 audio", "MPEG-1 layer III", 2, 48_000),
    Recording("MP3", "mp2", "-c:a mp2 -b:a 64k", "MPEG layer 2 audio", "layer II", 1, 16_000),
    Recording("WAV", "wav", "-c:a pcm_s16le", "WAV audio", "PCM, 16 bits", 2),
    Recording("WAV", "wav", "-c:a pcm_s24le", "WAV audio", "PCM, 24 bits", 2, 48_000),
    Recording("WAV", "wav", "-c:a pcm_f32le", "WAV audio", "PCM with floating point, 32 bits", 1, 16_000),
    Recording("WAV", "wav", "-c:a pcm_u8", "WAV audio", "PCM, 8 bits"),
    Recording("WAV", "wav", "-c:a pcm_mulaw", "WAV audio", "μ-law"),
    Recording("WAV", "wav", "-c:a pcm_alaw", "WAV audio", "A-law", 2),
    Recording("WAV", "wav", "-c:a adpcm_ima_wav", "WAV audio", "IMA ADPCM", 2),
    Recording("WAV", "wav", "-c:a adpcm_ms", "WAV audio", "ADPCM"),
    Recording("WAV", "wav", "-c:a pcm_s16le -rf64 always", "WAV audio", "PCM, 16 bits"),
    Recording("WAV of telephones", "wav", "-c:a g722", "WAV audio", "G.722", 1, 16_000),
    Recording("WAV of telephones", "wav", "-c:a g726 -b:a 32k", "WAV audio", "G.726"),
    Recording("WAV of telephones", "wav", "-c:a libgsm_ms", "WAV audio", "GSM 6.10"),
    Recording("WAV of telephones", "wav", "-c:a libmp3lame -b:a 32k", "WAV audio", "MP3", 1, 16_000),
    Recording("W64, AU, AIFF", "w64", "-c:a pcm_s16le", "W64 audio", "PCM, 16 bits", 2),
    Recording("W64, AU, AIFF", "au", "-c:a pcm_s16be", "AU audio", "PCM, 16 bits"),
    Recording("W64, AU, AIFF", "au", "-c:a pcm_mulaw", "AU audio", "μ-law"),
    Recording("W64, AU, AIFF", "aiff", "-c:a pcm_s16be", "AIFF audio", "PCM, 16 bits", 2, 44_100),
    Recording("W64, AU, AIFF", "aiff", "-c:a pcm_alaw", "AIFF audio", "A-law"),
    Recording("FLAC", "flac", "-c:a flac", "FLAC audio", "FLAC", 2),
    Recording("FLAC", "flac", "flac -s -8 IN -o OUT", "FLAC audio", "FLAC", 1, 16_000),
    Recording("Ogg", "opus", "-c:a libopus -b:a 16k", "Ogg audio", "Opus", 1, 48_000),
    Recording("Ogg", "ogg", "-c:a libvorbis", "Ogg audio", "Vorbis", 2, 44_100),
    Recording("Ogg", "spx", "speexenc IN OUT", "Ogg audio", "Speex"),
    Recording("Ogg", "oga", "-c:a flac", "Ogg audio", "FLAC", 1, 16_000),
    Recording("AAC, M4A", "aac", "-c:a aac -b:a 32k", "AAC audio", "AAC LC", 1, 16_000),
    Recording("AAC, M4A", "m4a", "-c:a aac", "M4A audio", "AAC LC", 2, 44_100),
    Recording("AAC, M4A", "m4a", "-c:a alac", "M4A audio", "ALAC", 2, 44_100),
    Recording("AAC, M4A", "m4a", "-c:a aac -movflags +empty_moov -frag_duration 1000000", "M4A audio", "AAC LC"),
    Recording("AC-3, WMA, WebM", "ac3", "-c:a ac3", "AC-3 audio", "AC-3", 2, 48_000),
    Recording("AC-3, WMA, WebM", "wma", "-c:a wmav2", "WMA audio", "WMA", 2, 44_100),
    Recording("AC-3, WMA, WebM", "webm", "-c:a libopus", "WebM audio", "Opus", 1, 48_000),
    Recording("AC-3, WMA, WebM", "mka", "-c:a libvorbis", "Matroska audio", "Vorbis", 2, 44_100),
    Recording("MP4, QuickTime", "mp4", "-c:v libx264 -c:a aac", "MP4 video", "AAC LC", 1, 16_000, film=True),
    Recording("MP4, QuickTime", "mov", "-c:v mpeg4 -c:a pcm_s16le", "", "PCM, 16 bits", 1, 16_000, film=True),
    Recording("WebM, Matroska", "webm", "-c:v libvpx -c:a libopus", "WebM video", "Opus", 1, 48_000, film=True),
    Recording("WebM, Matroska", "mkv", "-c:v libx264 -c:a mp3", "Matroska video", "layer III", 1, 44_100, film=True),
    Recording("AVI, WMV, Theora", "avi", "-c:v mpeg4 -c:a libmp3lame", "AVI video", "layer III", 1, 44_100, film=True),
    Recording("AVI, WMV, Theora", "wmv", "-c:v wmv2 -c:a wmav2", "WMA video", "WMA", 1, 44_100, film=True),
    Recording("AVI, WMV, Theora", "ogv", "-c:v libtheora -c:a libvorbis", "Ogg video", "Vorbis", 1, 44_100, film=True),
)  # fmt: skip
"""All that are made."""


def run(*arguments: str | Path) -> None:
    """Let a program make a file."""
    done = subprocess.run([*map(str, arguments)], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))}\n{done.stderr[-600:]}")


def record(recording: Recording, seconds: int, folder: Path) -> Path:
    """Make a recording: two voices that take turns, and a film of a test picture if wanted."""
    name = re.sub(r"[^a-z0-9]+", "-", recording.arguments.lower()).strip("-")
    made = folder / f"{name}-{seconds}s.{recording.ending}"
    voices = "|".join(
        f"sin({hertz}*2*PI*t)*0.3*lt(mod(t+{side}\\,2)\\,1)"
        for side, hertz in enumerate((180, 320)[: recording.channels])
    )
    if made.exists():
        return made
    ffmpeg = ("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"aevalsrc={voices}:s={recording.rate}:d={seconds}")
    if recording.arguments.startswith("-"):
        film = ("-f", "lavfi", "-i", f"testsrc=s=320x240:r=10:d={seconds}") if recording.film else ()
        run(*ffmpeg, *film, *recording.arguments.split(), made)
    else:
        plain = folder / "plain.wav"
        run(*ffmpeg, "-c:a", "pcm_s16le", plain)
        run(*({"IN": plain, "OUT": made}.get(word, word) for word in recording.arguments.split()))
        plain.unlink()
    return made


def others(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """The kind, the expected format, and a file of everything that is no recording."""
    chance = random.Random(1)
    rows = [(number, chance.choice(("Ann", "Zoë, Ltd", "Łukasz")), chance.random()) for number in range(40_000)]

    def file(name: str, data: bytes | str) -> Path:
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
        return folder / name

    table = io.StringIO()
    csv.writer(table).writerows([("id", "agent", "share"), *rows])
    text = table.getvalue()
    yield "CSV, TSV", "CSV", file("calls.csv", text)
    yield (
        "JSON, JSON lines, XML",
        "JSON",
        file("calls.json", json.dumps([{"id": row[0], "who": row[1]} for row in rows])),
    )
    yield "text", "text", file("calls.log", "".join(f"2024-09-01 {row[0]} call of {row[1]}\n" for row in rows))
    captions = "".join(f"{n + 1}\n00:{n:02}:01,000 --> 00:{n:02}:03,000\nAnn: Hello {n}\n\n" for n in range(50))
    spoken = file("call.srt", captions)
    yield "transcripts", "transcript", spoken
    for ending in ("vtt", "ttml"):
        run("ffmpeg", "-v", "error", "-y", "-i", spoken, folder / f"call.{ending}")
        yield "transcripts", "transcript", folder / f"call.{ending}"
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ann@example.com", "bob@example.com", "Ergebnis für Zoë"
    mail.set_content("Guten Tag")
    mail.add_attachment(text.encode(), maintype="text", subtype="csv", filename="calls.csv")
    yield "mail", "mail", file("call.eml", mail.as_bytes())
    for kind in ("png", "jpg", "gif", "bmp", "tiff", "webp", "ico", "avif"):
        picture = ("-f", "lavfi", "-i", "testsrc=s=200x120", "-frames:v", "1")
        run("ffmpeg", "-v", "error", "-y", *picture, folder / f"picture.{kind}")
        yield "PNG, JPEG, GIF, BMP, TIFF, WebP, ICO, HEIC, AVIF", " image", folder / f"picture.{kind}"
    run("heif-enc", folder / "picture.png", "-o", folder / "picture.heic")
    yield "PNG, JPEG, GIF, BMP, TIFF, WebP, ICO, HEIC, AVIF", "HEIC image", folder / "picture.heic"
    calls = folder / "calls"
    calls.mkdir(exist_ok=True)
    for number in range(300):
        (calls / f"int-{number}-Zoë.json").write_text(json.dumps({"n": number}) * 40)
    run("zip", "-qr", folder / "calls.zip", calls)
    yield "zip", "zip archive", folder / "calls.zip"
    run("tar", "-cf", folder / "calls.tar", "-C", folder, "calls")
    yield "tar", "tar archive", folder / "calls.tar"
    run("7zz", "a", "-bso0", "-bsp0", folder / "calls.7z", calls)
    yield "7-Zip", "7-Zip archive", folder / "calls.7z"
    tar = (folder / "calls.tar").read_bytes()
    packers: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
        ("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", zstd.compress),
    )  # fmt: skip
    for ending, pack in packers:
        yield "gzip, bzip2, xz, Zstandard", "CSV in ", file(f"calls.csv.{ending}", pack(text.encode()))
        yield "gzip, bzip2, xz, Zstandard", "tar archive in ", file(f"calls.tar.{ending}", pack(tar))
    columns = {"id": [row[0] for row in rows], "agent": [row[1] for row in rows], "share": [row[2] for row in rows]}
    arrow, write = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet").write_table
    write(arrow.table(columns), folder / "calls.parquet", row_group_size=5000)
    yield "Parquet", "Parquet table", folder / "calls.parquet"
    (folder / "calls.db").unlink(missing_ok=True)
    with sqlite3.connect(folder / "calls.db") as base:
        base.execute("CREATE TABLE calls (id INTEGER, agent TEXT, share REAL)")
        base.executemany("INSERT INTO calls VALUES (?, ?, ?)", rows)
    yield "SQLite", "SQLite database", folder / "calls.db"
    book = importlib.import_module("xlsxwriter").Workbook(str(folder / "calls.xlsx"))
    sheet = book.add_worksheet("Calls")
    for place, row in enumerate(rows[:5000]):
        sheet.write_row(place, 0, row)
    book.close()
    yield "Excel", "Excel workbook", folder / "calls.xlsx"
    page = importlib.import_module("reportlab.pdfgen.canvas").Canvas(str(folder / "calls.pdf"))
    for row in rows[:20]:
        page.drawString(100, 700, f"Call {row[0]}")
        page.showPage()
    page.save()
    yield "PDF", "PDF document", folder / "calls.pdf"


def look(name: str, data: bytes) -> Preview:
    """What a real worker tells of a file."""

    async def read(first: int, count: int) -> Piece:
        return Piece(data[first : first + count], len(data))

    return asyncio.run(make_preview(read, ObjectFacts(name)))


def wrong(recording: Recording, found: Preview, seconds: float, *, whole: bool) -> str:
    """What is told wrongly of a recording, empty if all is right; an end that is missing may be told or marked."""
    facts = dict(found.facts)
    channels = facts.get("channels", "0").partition(" ")[0]
    told = (found.format, facts.get("codec", ""), channels, facts.get("rate", ""))
    expected = (recording.format, recording.codec, str(recording.channels), f"{recording.rate:,} Hz")
    if recording.format not in found.format or any(
        right not in one for right, one in zip(expected[1:], told[1:], strict=True)
    ):
        return f"told {told}, not {expected}" if whole or facts else ""
    length = facts.get("length", "")
    is_marked = "≈" in length or "cut" in length or (not whole and any("cut" in note for note in found.notes))
    return "" if is_marked or abs(in_seconds(length) - seconds) <= max(0.02 * seconds, 0.6) else f"length {length}"


def in_seconds(length: str) -> float:
    """Seconds of `1:02:03` or `2.50 s`."""
    number = length.removesuffix(" s").partition(",")[0]
    parts = [float(part) for part in number.split(":")] if re.fullmatch(r"[\d:.]+", number) else [0.0]
    return sum(part * 60.0**place for place, part in enumerate(reversed(parts)))


class Seen(NamedTuple):
    """What was told of the files of a kind."""

    told: dict[str, None]
    reads: list[tuple[int, int]]


def see(seen: dict[str, Seen], kind: str, found: Preview) -> None:
    """Remember what a file told."""
    row = seen.setdefault(kind, Seen({}, []))
    body = {"Text": "lines", "Outline": "values", "Nothing": ""}.get(type(found.body).__name__, "")
    body = body or {"Table": "rows", "Listing": "members", "Dialogue": "who says what, and when"}.get(
        type(found.body).__name__, "waveform" if isinstance(found.body, Waveform) else ""
    )
    row.told.update(dict.fromkeys([name for name, _ in found.facts if name != "title"] + [body] * bool(body)))
    row.reads.append((found.fetched, found.total or 0))


def main() -> int:
    """Make the files, look into them, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--check", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        seen: dict[str, Seen] = {}
        files, failures = judge_recordings(folder, seen)
        for kind, expected, path in others(folder):
            found, files = look(path.name, path.read_bytes()), files + 1
            see(seen, kind, found)
            if expected not in found.format:
                failures.append(f"{path.name}: {found.format}, {found.notes}")
                sys.stdout.write(f"{failures[-1]}\n")
    sys.stdout.write(f"{files} files, {files - len(failures)} right\n")
    if not wanted.check:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        table = "".join(f"| {kind} | {told(row)} | {read(row)} |\n" for kind, row in seen.items())
        head = "| kind | what is shown | bytes read |\n|---|---|---|\n"
        PAGE.write_text(f"{before}{BEGIN}{head}{table}{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 1 if failures else 0


def judge_recordings(folder: Path, seen: dict[str, Seen]) -> tuple[int, list[str]]:
    """Look into each recording as it was made, cut and damaged."""
    chance, files, failures = random.Random(1), 0, []
    for recording in RECORDINGS:
        for seconds in (SHORT, 20 if recording.film else LONG):
            path = record(recording, seconds, folder)
            data = path.read_bytes()
            cut, hole = data[: len(data) * 2 // 3], len(data) // 2
            damaged = data[:hole] + chance.randbytes(200) + data[hole + 200 :]
            for how, content, length in (
                ("", data, seconds),
                ("cut ", cut, seconds * 2 / 3),
                ("damaged ", damaged, seconds),
            ):
                found, files = look(path.name, content), files + 1
                if problem := wrong(recording, found, length, whole=not how):
                    failures.append(f"{how}{path.name}: {problem} {found.notes}")
                    sys.stdout.write(f"{failures[-1]}\n")
                    sys.stdout.flush()
                elif not how:
                    see(seen, recording.kind, found)
    return files, failures


def told(row: Seen) -> str:
    """The names of all facts, and what is shown."""
    return ", ".join(row.told)


def read(row: Seen) -> str:
    """Bytes that were read of the smallest and of the largest file."""
    small, large = (f"{fetched:,} of {size:,}" for fetched, size in (min(row.reads), max(row.reads)))
    return small if small == large else f"{small} … {large}"


if __name__ == "__main__":
    sys.exit(main())
