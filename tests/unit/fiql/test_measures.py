"""Durations and sizes as people write and read them."""

from fractions import Fraction

import pytest

from cloudstore_tui.fiql.fields import Unit
from cloudstore_tui.fiql.measures import duration_words, in_unit, read_duration, read_size, size_words


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        *(("90s", 90_000), ("90 s", 90_000), ("90sec", 90_000), ("500ms", 500), ("1.5h", 5_400_000)),
        *(("10m", 600_000), ("10 minutes", 600_000), ("1h30m", 5_400_000), ("1 h 30 min 5 s", 5_405_000)),
        *(("1:30", 90_000), ("0:05", 5_000), ("90:00", 5_400_000), ("1:02:03", 3_723_000), ("0:01.5", 1_500)),
        *(("1d", 86_400_000), ("2 Days", 172_800_000), ("0s", 0), ("0.1ms", Fraction(1, 10))),
    ],
)
def test_a_duration_has_units_or_colons(text: str, milliseconds: Fraction) -> None:
    assert read_duration(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "90", "s", "-90s", "90x", "1:60", "1:75:00", "1h30", "1,5h", "90s!", "٩s", "1:5", ":30", "1e3s"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert read_duration(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("10MB", 10_000_000), ("10 mb", 10_000_000), ("10M", 10_000_000), ("1.5GB", 1_500_000_000), ("1kB", 1_000)),
        *(("10MiB", 10_485_760), ("1KiB", 1_024), ("1Gi", 1_073_741_824), ("1000", 1_000), ("5B", 5), ("5 bytes", 5)),
        *(("0.5kB", 500), ("2TB", 2 * 10**12), ("1PB", 10**15)),
    ],
)
def test_a_size_is_decimal_unless_it_says_otherwise(text: str, number: int) -> None:
    assert read_size(text) == number


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "10XB", "1iB", "1e6", "10 MB!", "1,5MB", "9" * 30])
def test_what_is_no_size_is_none(text: str) -> None:
    assert read_size(text) is None


def test_a_duration_is_put_into_the_unit_of_the_tag() -> None:
    assert in_unit(Fraction(90_000), Unit.SECONDS) == 90
    assert in_unit(Fraction(90_000), Unit.MILLISECONDS) == 90_000


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        *((0, "0 s"), (250, "0.25 s"), (90_000, "1 min 30 s"), (600_000, "10 min"), (3_600_000, "1 h")),
        *((3_723_000, "1 h 2 min 3 s"), (60_500, "1 min 0.5 s"), (100, "0.1 s"), (999, "0.999 s")),
    ],
)
def test_a_duration_in_words(milliseconds: int, words: str) -> None:
    assert duration_words(Fraction(milliseconds)) == words
    assert read_duration(words) == milliseconds


@pytest.mark.parametrize(
    ("number", "words"),
    [
        *((0, "0 bytes"), (1, "1 byte"), (1_000, "1 kB"), (1_500, "1.5 kB"), (12_345, "12,345 bytes")),
        *((10_000_000, "10 MB"), (10_485_760, "10,485,760 bytes"), (2 * 10**9, "2 GB"), (2_500 * 10**9, "2.5 TB")),
    ],
)
def test_a_size_in_words_is_never_rounded(number: int, words: str) -> None:
    assert size_words(number) == words
