"""Bookmarks in a file that people edit."""

from pathlib import Path

import pytest

from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.bookmarks import Bookmark, Bookmarks

FILE = """\
# where the reports are
[reports]  # every Monday
at = "acme:exports/reporting/"

["calls of 2024"]
place = ["callcenterrecording", "2024"]
at = 'acme8:us-east/'
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "bookmarks.toml"
    path.write_text(FILE)
    return path


def test_a_file_that_somebody_wrote_is_read(path: Path) -> None:
    assert dict(Bookmarks(path).read()) == {
        "reports": Bookmark("reports", "acme:exports/reporting/"),
        "calls of 2024": Bookmark("calls of 2024", "acme8:us-east/", ("callcenterrecording", "2024")),
    }


def test_saving_leaves_the_rest_of_the_file_as_it_is(path: Path) -> None:
    place = Location("acme8", "uk", place=("meeting",))
    Bookmarks(path).save(Bookmark.of('a "name" [x]', place))
    assert path.read_text().startswith(FILE)
    assert Bookmarks(path).read()['a "name" [x]'] == Bookmark('a "name" [x]', "acme8:uk/", ("meeting",))
    assert path.stat().st_mode & 0o777 == 0o600


def test_saving_under_a_known_name_moves_the_bookmark(path: Path) -> None:
    Bookmarks(path).save(Bookmark("calls of 2024", "acme:exports/"))
    assert Bookmarks(path).read()["calls of 2024"] == Bookmark("calls of 2024", "acme:exports/")
    assert "# every Monday" in path.read_text()


def test_removing_and_renaming_keep_the_comments_of_others(path: Path) -> None:
    marks = Bookmarks(path)
    marks.rename("reports", "weekly reports")
    assert '["weekly reports"]  # every Monday' in path.read_text()
    marks.remove("calls of 2024")
    marks.remove("never there")
    assert list(marks.read()) == ["weekly reports"]
    assert path.read_text().startswith("# where the reports are")
    marks.remove("weekly reports")
    assert marks.read() == {}


def test_a_name_that_is_taken_or_impossible_is_refused(path: Path) -> None:
    before = path.read_text()
    with pytest.raises(UsageError, match="of that name already"):
        Bookmarks(path).rename("reports", "calls of 2024")
    for name in ("", " ", "a\nb", "x" * 61):
        with pytest.raises(UsageError, match="cannot name a bookmark"):
            Bookmarks(path).save(Bookmark(name, "acme:"))
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[a]\nat = "no colon"\n', r"bookmarks.toml:2: a path is written PROFILE:REST"),
        ("[a]\n", "at is missing"),
        ('[a]\nat = "x:"\nplaces = []\n', "Did you mean place"),
        ("a = 1\n", "a must be a table"),
        ("[a\n", "not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_named_with_file_and_line(path: Path, text: str, told: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        Bookmarks(path).read()


def test_a_bookmark_on_one_line_can_have_another_name(path: Path) -> None:
    path.write_text('a = { at = "acme:" }\n')
    Bookmarks(path).rename("a", "b")
    assert path.read_text() == 'b = { at = "acme:" }\n'


def test_without_a_file_they_last_as_long_as_the_program() -> None:
    marks = Bookmarks()
    marks.save(Bookmark("a", "acme:"))
    marks.rename("a", "b")
    assert list(marks.read()) == ["b"]
