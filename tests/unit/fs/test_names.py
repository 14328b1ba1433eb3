"""Local names: harmless everywhere, and as different as the remote ones."""

import random
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudstore_tui.fs.names import LONGEST, distinct_name, is_segment, safe_name

FORBIDDEN = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u200e\u202e\u2024\u2025\uff0e\u2215\uff0f\u29f5\uff3c\ud800-\udfff]',
)
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
WICKED = ["../../.ssh/authorized_keys", "..", ".", "/etc/cron.d/x", "C:\\x", "..%2f..%2fx", "%00", "a\0b", "CON"]
WICKED += ["NUL.tar.gz", "COM¹", "CONIN$", "aux .txt", "x.", "x ", " x", "x...", "." * 301, "-rf", "~root", ".bashrc"]
WICKED += ["x" * 300, "é" * 200, "😀" * 90, "e\u0301" * 99, "\u202egnp.exe", "\ud800", "a\u200d\u030c", "lpt9.mp3"]
WICKED += ["ipbx:acme:callrecording:users:117209:1667-+16695555518_E.mp3", "x" * 176 + "." + "y" * 40, "%" * 200]
WICKED += ["", "/", "con.txt"]


def is_safe(name: str) -> bool:
    stem = name.partition(".")[0].rstrip().upper()
    return (
        is_segment(name)
        and not FORBIDDEN.search(name)
        and len(name.encode()) <= LONGEST
        and name[0] not in ".-~ "
        and name[-1] not in ". "
        and not re.fullmatch(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9¹²³]|CONIN\$|CONOUT\$", stem)
        and unicodedata.normalize("NFC", name) == name
    )


@pytest.mark.parametrize("name", WICKED, ids=ascii)
def test_wicked_names_become_safe(name: str, tmp_path: Path) -> None:
    local = safe_name(name)
    assert is_safe(local)
    (tmp_path / local).write_bytes(b"")
    assert [path.name for path in tmp_path.iterdir()] == [local]


@given(ANYTHING)
@settings(max_examples=1000, deadline=None)
def test_any_name_becomes_safe_and_always_the_same(name: str) -> None:
    assert is_safe(safe_name(name))
    assert safe_name(name) == safe_name(unicodedata.normalize("NFC", name))


@given(ANYTHING, st.text(max_size=40))
@settings(max_examples=500, deadline=None)
def test_a_distinct_name_is_safe_too(name: str, identity: str) -> None:
    assert is_safe(distinct_name(safe_name(name), identity))


def test_five_thousand_random_names_stay_different() -> None:
    rng = random.Random(7)
    alphabet = "abAB.%:/\\~- é\u202e\u2024CON12\u0301"
    names = {"".join(rng.choices(alphabet, k=rng.randint(0, 12))) for _ in range(4000)}
    names |= {"x" * rng.randint(170, 190) + "".join(rng.choices(alphabet, k=6)) for _ in range(1000)}
    composed = {unicodedata.normalize("NFC", name) for name in names}
    assert len(composed) > 4000
    assert len({safe_name(name) for name in composed}) == len(composed)


def test_a_name_that_looks_cut_is_not_the_name_of_a_cut_one() -> None:
    cut = safe_name("x" * 300 + ".mp3")
    assert safe_name(cut) != cut


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("outreach-20240901.tar", "Größe.csv", "日本語.mp3", "a b (1).txt", "+16695555518_E.mp3"):
        assert safe_name(name) == name


def test_known_forms() -> None:
    assert safe_name("a:b") == "a%3Ab"
    assert safe_name("50%") == "50%25"
    assert safe_name("..") == "%2E%2E"
    assert safe_name("con.txt") == "%63on.txt"
    assert safe_name("") == "%"


def test_a_cut_name_keeps_its_extension_and_whole_characters() -> None:
    local = safe_name("é" * 200 + ".mp3")
    assert re.fullmatch(r"é+~[0-9a-f]{8}\.mp3", local)
    assert 175 <= len(local.encode()) <= LONGEST
    assert not re.search(r"%[0-9A-F]?~", safe_name(":" * 100))


def test_a_collision_is_resolved_by_the_id() -> None:
    assert distinct_name("x.tar", "58bc5748-339b-43c2") == "x~58bc5748.tar"
    assert distinct_name("x.tar", "58bc5748-339b-43c2", 13) == "x~58bc5748-339b.tar"
    assert re.fullmatch(r"x~[0-9a-f]{8}\.tar", distinct_name("x.tar", "exports/reporting/x.tar"))
    assert distinct_name("x.tar", "exports/a/x.tar") != distinct_name("x.tar", "exports/b/x.tar")
    assert distinct_name("README", "58bc5748-339b") == "README~58bc5748"
