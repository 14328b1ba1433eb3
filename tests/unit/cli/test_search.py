"""Saving searches under names, as the user of the command line sees it."""

import json
from pathlib import Path

import pytest

from cloudstore_tui.cli import main

pytestmark = pytest.mark.usefixtures("_config")


@pytest.fixture
def _config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text("")
    monkeypatch.setenv("CLOUDSTORE_CONFIG", str(tmp_path / "config.toml"))


def search(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["search", *words])
    return (int(ended.value.code or 0), *capsys.readouterr())


def test_what_is_saved_is_listed_and_can_be_edited_and_forgotten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert search(capsys, "list") == (0, "", f"No search is saved in {tmp_path / 'searches.toml'}.\n")
    saved = search(capsys, "save", "@mine", "agent:?who", "queue:Level 3", "--for", "acme8:uk")
    assert saved == (0, '@mine  agent:?who queue:"Level 3"\n', "")
    file = tmp_path / "searches.toml"
    file.write_text("# mine, all mine\n" + file.read_text())
    assert search(capsys, "list")[1] == '@mine  agent:?who queue:"Level 3"  (acme8:uk)\n'
    assert search(capsys, "remove", "mine") == (0, "removed  @mine\n", "")
    assert "# mine, all mine" in file.read_text()
    assert "agent" not in file.read_text()


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"name": "mine", "find": "a==?b", "placeholders": ["b"], "profile": "", "region": ""}
    assert json.loads(search(capsys, "save", "mine", "a==?b", "--json")[1]) == wanted
    assert json.loads(search(capsys, "list", "--json")[1]) == wanted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("save", "mine", 'agent:"x'), "missing closing quote"),
        (("save", "mine", "a=="), "a value is expected"),
        (("save", "not a name", "a==b"), "cannot name a search"),
        (("remove", "mine"), "no search is saved as 'mine'"),
    ],
)
def test_what_cannot_be_saved_or_forgotten_changes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = search(capsys, *words)
    assert code > 0
    assert out == ""
    assert said in err
    assert not (tmp_path / "searches.toml").exists()
