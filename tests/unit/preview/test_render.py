"""A waveform out of letters."""

import pytest

from cloudstore_tui.preview.model import Preview, Text, Waveform
from cloudstore_tui.preview.render import draw_waveform, how_much


@pytest.mark.parametrize("width", [1, 40, 80, 300])
def test_it_fits_the_screen_and_loud_is_high(width: int) -> None:
    lines = list(draw_waveform(Waveform(((-12.0,) * 30 + (-96.0,) * 30,), 600.0), width))
    assert len(lines) == 5
    assert max(map(len, lines)) <= max(width, 28)
    bars = lines[0][7:]
    assert set(bars) == {"█"}
    assert len(bars) == len(lines[3][7:])
    assert lines[4].strip().startswith("0:00")


def test_each_side_has_its_own_lines_and_short_ones_a_finer_time() -> None:
    lines = list(draw_waveform(Waveform(((-20.0,), (-40.0,)), 3.0), 80))
    assert (lines[0][:7].strip(), lines[4][:7].strip()) == ("left", "right")
    assert lines[0][7:].startswith("█")
    assert lines[4][7:] == ""
    assert "0.0 s" in lines[8]


@pytest.mark.parametrize(
    ("seconds", "times"),
    [(1271, ["0:00", "5:00", "10:00", "15:00"]), (60, ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50"])],
)
def test_the_times_below_are_round(seconds: float, times: list[str]) -> None:
    axis = list(draw_waveform(Waveform(((-20.0,) * 60,), seconds), 70))[-1]
    assert axis.split() == times
    minutes, rest = map(int, times[1].split(":"))
    assert axis.index(times[1]) == 7 + round((minutes * 60 + rest) / seconds * 62)


def test_silence_is_a_flat_line() -> None:
    lines = list(draw_waveform(Waveform(((-96.0,) * 100,), 60.0), 80))
    assert all(not line.strip() for line in lines[:4])


def test_a_length_of_ages_is_drawn_as_fast_as_any() -> None:
    axis = list(draw_waveform(Waveform(((-20.0,) * 60,), 1e15), 80))[-1]
    assert axis.split()[0] == "0:00"


@pytest.mark.parametrize(
    ("fetched", "expected"), [(376, "376 of 1900, sampled"), (2900, "1900, sampled"), (1900, "1900, sampled")]
)
def test_no_more_is_said_to_be_read_than_there_is(fetched: int, expected: str) -> None:
    sound = Preview("MP3 audio", Waveform((), 1.0), head=64, fetched=fetched, total=1900)
    assert how_much(sound, str) == expected
    assert how_much(Preview("text", Text(()), head=64, fetched=64, total=1900), str) == "first 64 of 1900"
