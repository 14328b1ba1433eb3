"""Recordings are decoded apart, played by a device that only keeps time, and say where they are."""

import asyncio
import math
import struct
from array import array
from collections.abc import Sequence
from itertools import chain, pairwise

import pytest

from cloudstore_tui.core.errors import NetworkError, UnsupportedError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.preview.player import PIECE, Player, RemoteSound
from cloudstore_tui.preview.remote_file import RemoteFile
from cloudstore_tui.preview.sound_process import RATE, SampleQueue, decoded, stretched
from cloudstore_tui.sandbox.content import recording
from tests.support.waiting import until

NULL = {"CLOUDSTORE_SOUND": "null"}


def tone(seconds: float, hertz: int = 300) -> "array[int]":
    return array("h", [int(9_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(seconds * RATE))])


class Store:
    """Sends ranges of a recording, and remembers which."""

    def __init__(self, data: bytes, *, ranged: bool = True) -> None:
        self.data = data
        self.ranged = ranged
        self.read_from: list[int] = []
        self.opened = asyncio.Event()
        """Set where everything is sent; else only the first pieces are."""
        self.opened.set()
        self.broken = False

    async def read(self, first: int, count: int) -> Piece:
        self.read_from.append(first)
        if first >= 2 * PIECE:
            await self.opened.wait()
            if self.broken:
                raise NetworkError("the connection ended")
        return Piece(self.data[first : first + count], len(self.data), self.ranged)

    def player(self, device: dict[str, str] = NULL) -> Player:
        return Player(RemoteSound(self.read, None), lambda: None, device)


def samples(data: bytes, start: float = 0.0) -> "tuple[array[int], list[int]]":
    """What is heard from a second on, and which bytes were read for it."""
    read_from: list[int] = []

    def fetch(ranges: Sequence[tuple[int, int]]) -> tuple[list[bytes], str]:
        read_from.extend(first for first, _ in ranges)
        return [data[first : first + count] for first, count in ranges], ""

    return array("h", chain.from_iterable(decoded(RemoteFile(fetch, len(data)), start))), read_from


def played(data: bytes, start: float = 0.0) -> float:
    return len(samples(data, start)[0]) / RATE


def au(sound: bytes, coding: int, rate: int = 8000) -> bytes:
    return b".snd" + struct.pack(">IIIII", 24, len(sound), coding, rate, 1) + sound


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_recording_is_decoded_from_any_second(kind: str) -> None:
    data = recording(kind, 6, 1)
    assert played(data) == pytest.approx(6, abs=0.3)
    assert played(data, 4.0) == pytest.approx(2, abs=0.3)
    assert played(data, 60.0) < 0.2


def test_what_is_no_sound_gives_none() -> None:
    assert played(b"RIFF\0\0\0\0WAVEjunk") == 0.0
    assert played(b"hello") == 0.0


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_from_a_late_second_nothing_in_between_is_read(kind: str) -> None:
    data = recording(kind, 600, 1)
    heard, read_from = samples(data, 590.0)
    assert len(heard) / RATE == pytest.approx(10, abs=0.3)
    assert read_from[0] == 0
    assert all(first > 0.9 * len(data) for first in read_from[1:])


def test_sound_whose_bytes_are_turned_round_is_heard_the_same() -> None:
    wav = recording("wav", 6, 1)
    little = array("h", wav[44:])
    little.byteswap()
    assert samples(au(little.tobytes(), 3), 2.0)[0] == samples(wav, 2.0)[0]
    assert played(au(bytes(8000), 2)) == pytest.approx(1, abs=0.05)
    assert not any(samples(au(bytes(8000), 2))[0])


def test_faster_sound_is_shorter_and_has_the_same_pitch() -> None:
    def crossings(samples: "array[int]") -> int:
        return sum((a < 0) != (b < 0) for a, b in pairwise(samples))

    sound = tone(2.0)
    faster = array("h", chain.from_iterable(stretched(iter([sound]), 1.5)))
    assert len(faster) / RATE == pytest.approx(2 / 1.5, abs=0.1)
    assert crossings(faster) / len(faster) == pytest.approx(crossings(sound) / len(sound), rel=0.05)


def test_samples_wait_are_forgotten_and_pause() -> None:
    queue = SampleQueue()
    device = queue.play()
    queue.put(b"D", b"\1\0" * 10)
    assert device.send(4) == b"\1\0" * 4
    queue.put(b"P", b"")
    assert device.send(4) == bytes(8)
    queue.put(b"R", b"")
    assert device.send(8) == b"\1\0" * 6 + bytes(4)
    queue.put(b"D", b"\2\0" * 10)
    queue.put(b"F", b"")
    assert device.send(2) == bytes(4)
    assert queue.report == b"\1" + bytes(8)


async def test_it_plays_pauses_jumps_goes_faster_and_ends() -> None:
    player = Store(recording("wav", 60, 1)).player()
    await player.start()
    try:
        await until(lambda: 0.2 < player.position < 10)
        player.pause(paused=True)
        await player.seek(30.0)
        assert player.position == 30.0
        player.pause(paused=False)
        await until(lambda: player.position > 30.2)
        await player.set_speed(1.5)
        assert player.position > 30.2
        await player.seek(59.5)
        await until(lambda: player.ended)
        assert player.position == pytest.approx(60, abs=0.5)
        assert not player.problem
        await player.seek(0.0)
        await until(lambda: 0 < player.position < 30)
    finally:
        await player.close()


async def test_it_is_heard_before_all_of_it_is_here_and_waits_for_the_rest() -> None:
    store = Store(recording("wav", 60, 1))
    store.opened.clear()
    player = store.player()
    await player.start()
    try:
        await until(lambda: player.position > 0.3)
        await player.seek(50.0)
        await until(lambda: player.is_waiting)
        assert player.position == 50.0
        store.opened.set()
        await until(lambda: player.position > 50.2)
        assert not player.is_waiting
        assert sorted(set(store.read_from)) == [0, PIECE, *(n * PIECE for n in range(12, 15))]
    finally:
        await player.close()


async def test_a_connection_that_ends_is_reported_and_listening_goes_on_from_there() -> None:
    store = Store(recording("wav", 60, 1))
    store.broken = True
    player = store.player()
    await player.start()
    try:
        await player.seek(30.0)
        await until(lambda: player.ended)
        assert "the connection ended" in player.problem
        store.broken = False
        await player.seek(player.position)
        await until(lambda: player.position > 30.1)
        assert not player.problem
    finally:
        await player.close()


async def test_a_store_that_sends_only_whole_objects_is_waited_for() -> None:
    store = Store(recording("wav", 30, 1), ranged=False)
    player = store.player()
    await player.start()
    try:
        await player.seek(20.0)
        await until(lambda: player.position > 20.1)
        assert store.read_from == [0, 0]
    finally:
        await player.close()


async def test_what_is_not_played_here_is_refused_before_anything_starts() -> None:
    player = Store(b"OggS" + bytes(100)).player()
    with pytest.raises(UnsupportedError, match="not played here"):
        await player.start()
    await player.close()


async def test_a_recording_that_cannot_be_decoded_ends_at_once() -> None:
    player = Store(b"ID3" + bytes(500)).player()
    await player.start()
    try:
        await until(lambda: "could not be decoded" in player.problem)
    finally:
        await player.close()


async def test_without_a_device_that_is_said() -> None:
    player = Store(recording("wav", 1, 1)).player({"CLOUDSTORE_SOUND": "no-such-backend"})
    try:
        with pytest.raises(UnsupportedError, match="No sound device was found"):
            await player.start()
    finally:
        await player.close()
