"""The columns that the user chose."""

from pathlib import Path

import pytest

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.state.memory import Layouts, ShownColumn

SOME = (ShownColumn("created", 16), ShownColumn("agentName", 20))


def test_a_choice_is_there_in_the_next_run_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "columns.json"
    Layouts(path).keep("created,name", SOME)
    assert Layouts(path).of("created,name") == SOME
    assert Layouts(path).of("other") == ()
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_browsers_do_not_lose_each_others_choices(tmp_path: Path) -> None:
    path = tmp_path / "columns.json"
    one, two = Layouts(path), Layouts(path)
    one.keep("a", SOME)
    two.keep("b", SOME[:1])
    assert (Layouts(path).of("a"), Layouts(path).of("b")) == (SOME, SOME[:1])
    two.keep("a", ())
    assert Layouts(path).of("a") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"a": 1}',
        '{"a": [{"name": "x"}]}',
        '{"a": [{"name": "", "width": 5}]}',
        '{"a": [{"name": "x", "width": -5}]}',
        '{"a": []}',
        "\udcff",
    ],
)
def test_a_file_that_cannot_be_used_means_the_usual_columns(tmp_path: Path, text: str) -> None:
    path = tmp_path / "columns.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    layouts = Layouts(path)
    assert layouts.of("a") == ()
    layouts.keep("a", SOME)
    assert Layouts(path).of("a") == SOME


def test_a_choice_that_cannot_be_written_down_holds_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    layouts = Layouts(tmp_path / "file" / "columns.json")
    with pytest.raises(LocalDiskError):
        layouts.keep("a", SOME)
    assert layouts.of("a") == SOME
