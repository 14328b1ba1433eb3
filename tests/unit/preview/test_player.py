"""Recordings are decoded apart, played by a device that only keeps time, and say where they are."""

import asyncio
import math
from array import array
from collections.abc import Callable
from itertools import chain, pairwise

import pytest

from cloudstore_tui.core.errors import UnsupportedError
from cloudstore_tui.preview.player import Player
from cloudstore_tui.preview.sound_process import RATE, SampleQueue, decoded, stretched
from cloudstore_tui.sandbox.content import recording

NULL = {"CLOUDSTORE_SOUND": "null"}


def tone(seconds: float, hertz: int = 300) -> "array[int]":
    return array("h", [int(9_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(seconds * RATE))])


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not met():  # noqa: ASYNC110 - many things change, and none of them tells of itself
            await asyncio.sleep(0.02)


def played(data: bytes, start: float = 0.0) -> float:
    return sum(map(len, decoded(data, start))) / RATE


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_recording_is_decoded_from_any_second(kind: str) -> None:
    data = recording(kind, 6, 1)
    assert played(data) == pytest.approx(6, abs=0.3)
    assert played(data, 4.0) == pytest.approx(2, abs=0.3)
    assert played(data, 60.0) < 0.2


def test_what_is_no_sound_gives_none() -> None:
    assert played(b"RIFF\0\0\0\0WAVEjunk") == 0.0
    assert played(b"hello") == 0.0
    with pytest.raises(UnsupportedError, match="not played here"):
        Player(b"OggS" + bytes(100), lambda: None, NULL)


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
    queue.take(b"D", b"\1\0" * 10)
    assert device.send(4) == b"\1\0" * 4
    queue.take(b"P", b"")
    assert device.send(4) == bytes(8)
    queue.take(b"R", b"")
    assert device.send(8) == b"\1\0" * 6 + bytes(4)
    queue.take(b"D", b"\2\0" * 10)
    queue.take(b"F", b"")
    assert device.send(2) == bytes(4)
    assert queue.report == b"\1" + bytes(8)


async def test_it_plays_pauses_jumps_goes_faster_and_ends() -> None:
    player = Player(recording("wav", 60, 1), lambda: None, NULL)
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
        assert not player.is_mute
        await player.seek(0.0)
        await until(lambda: 0 < player.position < 30)
    finally:
        await player.close()


async def test_a_recording_that_cannot_be_decoded_ends_at_once() -> None:
    player = Player(b"RIFF\0\0\0\0WAVEjunk", lambda: None, NULL)
    await player.start()
    try:
        await until(lambda: player.is_mute)
    finally:
        await player.close()


async def test_without_a_device_that_is_said() -> None:
    player = Player(recording("wav", 1, 1), lambda: None, {"CLOUDSTORE_SOUND": "no-such-backend"})
    try:
        with pytest.raises(UnsupportedError, match="No sound device was found"):
            await player.start()
    finally:
        await player.close()
