"""The configuration changed by the program: whole or not at all."""

from pathlib import Path

import pytest

from cloudstore_tui.config.document import Keys, with_table
from cloudstore_tui.config.profiles import add_profile, load_config, remove_profile
from cloudstore_tui.core.errors import ConfigError, LocalDiskError
from cloudstore_tui.core.profile import OptionValue
from cloudstore_tui.providers import PROVIDERS

VALUES: dict[str, OptionValue] = {"provider": "8x8", "client_id": "key", "regions": ("uk",)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "config.toml"


def test_the_first_profile_makes_a_file_that_only_its_owner_reads(path: Path) -> None:
    profile = add_profile(path, "acme8", VALUES, PROVIDERS)
    assert profile.texts("regions") == ("uk",)
    assert profile.read_only
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_somebody_wrote_stays(path: Path) -> None:
    path.parent.mkdir()
    mine = "# my notes\r\n[settings]\r\ntransfers = 8\r\n"
    path.write_bytes(mine.encode())
    add_profile(path, "acme8", VALUES, PROVIDERS)
    assert path.read_bytes().startswith(mine.encode())
    remove_profile(path, "acme8")
    assert path.read_bytes() == mine.encode()


def test_a_name_that_is_taken_changes_nothing(path: Path) -> None:
    add_profile(path, "acme8", VALUES, PROVIDERS)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="already"):
        add_profile(path, "acme8", VALUES, PROVIDERS)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        '[profiles]\nold = { provider = "8x8", client_id = "x" }\n',
        'profiles.old.provider = "8x8"\nprofiles.old.client_id = "x"\n',
        '[settings]\n[profiles.old]\nprovider = "8x8"\nclient_id = """\n[keys]\n"""\n',
    ],
)
def test_a_profile_is_taken_out_however_it_is_written(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    remove_profile(path, "old")
    assert "old" not in path.read_text()
    assert load_config(path, PROVIDERS).profiles == {}


def test_a_change_that_would_say_something_else_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_profile(path, "old", VALUES, PROVIDERS)
    before = path.read_text()
    monkeypatch.setattr("cloudstore_tui.config.profiles.without_table", lambda text, _keys: text + "[keys]\n")
    with pytest.raises(ConfigError, match="of their own"):
        remove_profile(path, "old")
    assert path.read_text() == before


@pytest.mark.parametrize("other", ["acme_8", "ACME-8"])
def test_a_name_whose_variables_are_those_of_another_profile_is_refused(path: Path, other: str) -> None:
    add_profile(path, "acme-8", VALUES, PROVIDERS)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="CLOUDSTORE_ACME_8_SECRET"):
        add_profile(path, other, VALUES, PROVIDERS)
    assert path.read_bytes() == before
    path.write_text(before.decode() + before.decode().replace("acme-8", other))
    with pytest.raises(ConfigError, match="CLOUDSTORE_ACME_8_SECRET"):
        load_config(path, PROVIDERS)


def test_a_file_that_is_no_toml_is_not_touched(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[profiles\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        add_profile(path, "acme8", VALUES, PROVIDERS)
    assert path.read_text() == "[profiles\n"


def test_a_folder_in_the_place_of_the_file_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LocalDiskError, match="cannot be read"):
        add_profile(path, "acme8", VALUES, PROVIDERS)


def test_a_link_to_the_configuration_stays_a_link(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("# kept elsewhere\n")
    path.parent.mkdir()
    path.symlink_to(real)
    add_profile(path, "acme8", VALUES, PROVIDERS)
    assert path.is_symlink()
    assert real.read_text().startswith("# kept elsewhere\n\n[profiles.acme8]")


def test_what_something_else_wrote_meanwhile_is_not_written_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    path.write_text("")

    def late(text: str, keys: Keys, values: dict[str, OptionValue]) -> str:
        path.write_text("# newer\n")
        return with_table(text, keys, values)

    monkeypatch.setattr("cloudstore_tui.config.profiles.with_table", late)
    with pytest.raises(ConfigError, match="changed by something else"):
        add_profile(path, "acme8", VALUES, PROVIDERS)
    assert path.read_text() == "# newer\n"
