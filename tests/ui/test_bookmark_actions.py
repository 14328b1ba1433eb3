"""Bookmarking a place, an object, a folder, a search; going there, renaming, removing."""

from pathlib import Path
from typing import Any

from textual.widgets import Input


def field(it: Any, name: str = "#name") -> Input:
    found: Input = it.app.screen.query_one(name, Input)
    return found


async def test_m_bookmarks_the_place_and_the_apostrophe_goes_there(browser: Any, tmp_path: Path) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("m")
        assert field(it).value == "exports"
        await it.press("enter")
        assert it.notices[-1] == f"Bookmarked as exports in {tmp_path / 'bookmarks.toml'}."
        assert 'at = "acme:exports/"' in (tmp_path / "bookmarks.toml").read_text()
        await it.press("backslash", "apostrophe", "enter")
        assert it.rows == ["reporting/", "readme.txt"]
        assert it.focus == "table"


async def test_m_bookmarks_the_object_under_the_cursor_with_one_more_key(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("G", "m", "down")
        assert field(it).value == "readme.txt"
        await it.press("enter", "backslash", "apostrophe", "enter")
        assert it.rows == ["readme.txt"]
        assert folders.calls[-1] == ("stat", "acme:exports/readme.txt")


async def test_a_place_that_only_the_browser_has_is_bookmarked_with_its_names(browser: Any, tmp_path: Path) -> None:
    async with browser() as it:
        it.screen.navigator.go(it.engine.providers["acme8"].locate("us-east/").child("callrecording"))
        await it.settle()
        await it.press("m", "enter")
        assert 'place = ["callrecording"]' in (tmp_path / "bookmarks.toml").read_text()
        await it.press("backspace", "apostrophe", "enter")
        assert "Work recordings" in it.lines[0]


async def test_a_bookmarked_search_is_a_saved_search(browser: Any, tmp_path: Path) -> None:
    async with browser(start="acme8:us-east/") as it:
        it.screen.navigator.search("agent:Kim since:2024")
        await it.settle()
        await it.press("m")
        await it.type("kim")
        await it.press("enter")
        assert not (tmp_path / "bookmarks.toml").exists()
        text = (tmp_path / "searches.toml").read_text()
        assert text == '[kim]\nfind = "agent:Kim since:2024"\nprofile = "acme8"\nregion = "us-east"\n'
        await it.press("backspace", "apostrophe")
        assert "@kim" in it.text
        await it.press("enter")
        assert it.screen.entries.bar.line.value == "agent:Kim since:2024"


async def test_m_in_the_tree_bookmarks_the_place_under_its_cursor(browser: Any, tmp_path: Path) -> None:
    async with browser() as it:
        await it.press("j", "m", "enter")
        assert '[acme8]\nat = "acme8:"' in (tmp_path / "bookmarks.toml").read_text()


async def test_renaming_and_removing_ask_and_come_back_to_the_list(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.toml"
    path.write_text('# mine\n[a]\nat = "acme:exports/"\n\n[b]\nat = "acme:"\n')
    async with browser() as it:
        await it.press("apostrophe", "j", "r")
        await it.type("top")
        await it.press("enter")
        assert '[top]\nat = "acme:"' in path.read_text()
        await it.press("x", "escape")
        assert "[top]" in path.read_text()
        await it.press("x", "y")
        assert path.read_text() == '# mine\n[a]\nat = "acme:exports/"\n'
        await it.press("x", "y")
        await it.press("escape")
        assert path.read_text() == "# mine\n"
        await it.press("apostrophe")
        assert it.notices[-1].startswith("No bookmarks yet.")


async def test_a_name_that_cannot_be_is_said_and_not_lost(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("m")
        field(it).value = "x" * 61
        await it.press("enter")
        assert "cannot name a bookmark" in it.notices[-1]
        assert field(it).value == "x" * 61


async def test_a_bookmark_of_a_profile_that_is_gone_says_so(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "bookmarks.toml").write_text('[a]\nat = "gone:x/"\n')
    async with browser() as it:
        await it.press("apostrophe", "enter")
        assert it.notices[-1] == "gone:x/: there is no profile gone. There are: acme, acme8."


async def test_a_file_that_cannot_be_used_says_where(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "bookmarks.toml").write_text("[a]\n")
    async with browser(start="acme:exports/") as it:
        for key in ("apostrophe", "m"):
            await it.press(key)
            assert "at is missing" in it.notices[-1]
        await it.press("ctrl+g")
        assert field(it, "#address").value == "acme:exports/"
