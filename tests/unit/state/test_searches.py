"""Saved searches, and the placeholders in them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import ConfigError, FilterError, UsageError
from cloudstore_tui.fiql.phrases import understand
from cloudstore_tui.fiql.syntax import comparisons
from cloudstore_tui.state.searches import SavedSearch, SavedSearches, fill, placeholders_of, use

FILE = """\
# what we look for on Mondays
[monday]
find = "type:calls since:?day queue:?queue"
profile = "acme8"
region = "us-east"

[archived] # all of it
find = 'objectState==ARCHIVED'
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "searches.toml"
    path.write_text(FILE)
    return path


def test_a_file_is_read_with_its_placeholder(path: Path) -> None:
    found = SavedSearches(path).read()
    assert found["monday"] == SavedSearch("monday", "type:calls since:?day queue:?queue", "acme8", "us-east")
    assert found["monday"].placeholders == ("day", "queue")
    assert found["archived"].is_for("anything", "anywhere")
    assert not found["monday"].is_for("acme8", "eu-west")


def test_saving_adds_a_table_and_leaves_the_rest_of_the_file_as_it_is(path: Path) -> None:
    SavedSearches(path).save("long", 'dur:>10m agent:"O\'Brien \\" x"')
    assert path.read_text().startswith(FILE)
    assert SavedSearches(path).named("@long").find == 'dur:>10m agent:"O\'Brien \\" x"'
    assert path.stat().st_mode & 0o777 == 0o600


def test_saving_a_known_name_changes_its_filter_and_nothing_else(path: Path) -> None:
    SavedSearches(path).save("monday", "type:calls")
    text = path.read_text()
    assert text == FILE.replace("type:calls since:?day queue:?queue", "type:calls")


def test_the_first_one_makes_the_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "config" / "searches.toml"
    SavedSearches(path).save("one", "a==1")
    assert path.read_text() == '[one]\nfind = "a==1"\n'


@pytest.mark.parametrize(
    "text", ['one = { find = "a==1" }\n', '[one]\n"find" = "a==1"\n', '[one]\nfind = """\na==1"""\n']
)
def test_a_search_can_be_changed_however_it_is_written(path: Path, text: str) -> None:
    path.write_text(text)
    SavedSearches(path).save("one", "b==2")
    assert path.read_text().splitlines()[0] == text.splitlines()[0].replace("a==1", "b==2")
    assert SavedSearches(path).named("one").find == "b==2"


def test_a_change_that_would_say_something_else_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudstore_tui.state.searches.with_table", lambda text, *_: text + "[other]\nfind = 'x'\n")
    with pytest.raises(ConfigError, match="cannot be changed here"):
        SavedSearches(path).save("one", "b==2")
    assert path.read_text() == FILE


def test_comments_and_line_ends_of_a_file_from_windows_stay(path: Path) -> None:
    text = ("\ufeff" + FILE).replace("\n", "\r\n")
    path.write_bytes(text.encode())
    SavedSearches(path).save("archived", "objectState==DELETED")
    assert path.read_bytes().decode() == text.replace("'objectState==ARCHIVED'", '"objectState==DELETED"')


def test_a_link_to_the_file_stays_a_link(tmp_path: Path, path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    SavedSearches(link).save("one", "a==1")
    assert link.is_symlink()
    assert "one" in SavedSearches(path).read()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('x = "a==1"', 1, "x must be a table"),
        ("[x]\nfnd = 'a==1'", 2, "Did you mean find"),
        ("[x]", 1, "find is missing"),
        ("[x]\nfind = 3", 2, "find must be a text in quotes"),
        ("[x]\nfind = '''a\nb'''", 2, "one line"),
        ("['two words']\nfind = 'a==1'", 1, "cannot name a search"),
        ("[x\nfind = 'a==1'", 1, "not valid TOML"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "searches.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as raised:
        SavedSearches(path).read()
    assert raised.value.subject == f"{path}:{line}"


def test_the_error_for_an_unknown_name_lists_the_known_ones(path: Path) -> None:
    with pytest.raises(UsageError, match="Saved: monday, archived"):
        SavedSearches(path).named("@sunday")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("queue:?queue since:?day", ["queue", "day"]),
        ("queueName==?queue;a=in=(?x,?y)", ["queue", "x", "y"]),
        ("dur:>?length -agent:?agent", ["length", "agent"]),
        ("queue:'?no' queue:\"?no\" what?no ?no agent:?", []),
    ],
)
def test_placeholders_stand_where_values_stand(text: str, names: list[str]) -> None:
    placeholders = placeholders_of(text)
    assert [placeholder.name for placeholder in placeholders] == names
    assert all(text[placeholder.start : placeholder.end] == f"?{placeholder.name}" for placeholder in placeholders)


@pytest.mark.parametrize("value", ["Sales UK", "a';b==c", 'x" agent:y', "a,b", "*", "?queue", "\\", "(", "…"])
@pytest.mark.parametrize("text", ["type==summary;queueName==?q", "type:summaries tag.queueName:?q"])
def test_a_value_stays_one_value_whatever_is_in_it(text: str, value: str) -> None:
    filled = understand(fill(text, {"q": value}), UTC, datetime.now(UTC))
    assert filled.node is not None
    found = [(term.selector, term.values) for term in comparisons(filled.node)]
    assert found == [("type", ("summary",)), ("queueName", (value,))]
    assert not filled.local


def test_the_error_for_a_placeholder_without_a_value_has_its_position() -> None:
    with pytest.raises(FilterError, match=r"fill in \?day") as raised:
        fill("queue:?queue since:?day", {"queue": "x"})
    assert raised.value.position == len("queue:?queue since:")


def test_the_error_for_a_value_without_a_placeholder_names_the_placeholders() -> None:
    with pytest.raises(UsageError, match="The placeholders are: queue"):
        fill("queue:?queue", {"queu": "x"})


def test_a_name_with_values_stands_for_the_filled_search(path: Path) -> None:
    searches = SavedSearches(path)
    assert use('@monday queue="Sales UK" day=today', searches) == 'type:calls since:"today" queue:"Sales UK"'
    assert use("@monday queue=Sales", searches) == 'type:calls since:?day queue:"Sales"'
    with pytest.raises(UsageError, match="Sales is not a value"):
        use("@monday Sales", searches)


def test_of_many_that_are_saved_at_the_same_time_none_is_lost(path: Path) -> None:
    names = [f"of-{number}" for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda name: SavedSearches(path).save(name, "a==1"), names))
    assert set(names) <= set(SavedSearches(path).read())
