"""The theme that was picked in the browser."""

from pathlib import Path

import pytest

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.state.memory import ThemeChoice


def test_a_choice_is_there_in_the_next_run_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "theme.json"
    assert ThemeChoice("cloudstore-dark", path).theme == "cloudstore-dark"
    ThemeChoice("cloudstore-dark", path).keep("nord")
    assert ThemeChoice("cloudstore-dark", path).theme == "nord"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_configuration_that_was_changed_since_counts_more(tmp_path: Path) -> None:
    path = tmp_path / "theme.json"
    ThemeChoice("cloudstore-dark", path).keep("nord")
    assert ThemeChoice("gruvbox", path).theme == "gruvbox"


def test_without_a_file_it_holds_until_the_program_ends() -> None:
    choice = ThemeChoice("ansi")
    choice.keep("nord")
    assert choice.theme == "nord"
    assert ThemeChoice("ansi").theme == "ansi"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"picked": "nord"}', '{"configured": "ansi", "picked": 3}', "\udcff"])
def test_a_file_that_cannot_be_used_means_the_configured_theme(tmp_path: Path, text: str) -> None:
    path = tmp_path / "theme.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    assert ThemeChoice("ansi", path).theme == "ansi"


def test_a_choice_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalDiskError, match=r"theme\.json"):
        ThemeChoice("ansi", tmp_path / "file" / "theme.json").keep("nord")
