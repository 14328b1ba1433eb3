"""The configuration file: what is wrong is named with file, line and hint."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from cloudstore_tui.config.document import Keys, with_table
from cloudstore_tui.config.profiles import add_profile, load_config, remove_profile
from cloudstore_tui.core.errors import ConfigError, LocalDiskError
from cloudstore_tui.core.profile import OptionValue
from cloudstore_tui.providers import PROVIDERS

GOOD = """\
[profiles.acme]
provider = "alvaria"
org = "acme"
domain = "via.aspect-cloud.net"
token_host = "myaspect.id.aspect-cloud.net"
client_id = "id"
scopes = ["mediastorageapi.exports"]
secret_file = "acme.secret"

[profiles.acme8]
provider = "8x8"
client_id = "key"
read_only = false
requests_per_minute = 0

[settings]
download_dir = "~/calls"
time_zone = "Europe/London"
transfers = 8

[keys]
"entries.download" = "f5"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_configuration_is_read(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD), PROVIDERS)
    assert list(config.profiles) == ["acme", "acme8"]
    assert config.profile("acme").read_only
    assert not config.profile("acme8").read_only
    assert config.profile("acme8").requests_per_minute == 0
    assert config.profile("acme").texts("scopes") == ("mediastorageapi.exports",)
    assert config.settings.download_dir == Path("~/calls").expanduser()
    assert str(config.settings.time_zone) == "Europe/London"
    assert config.settings.transfers == 8
    assert config.keys == {"entries.download": "f5"}


def test_the_bell_is_silent_and_transfers_stop_with_the_terminal_unless_the_settings_say_so(tmp_path: Path) -> None:
    settings = load_config(write(tmp_path, GOOD), PROVIDERS).settings
    assert (settings.bell, settings.on_hangup) == (False, "stop")
    said = GOOD.replace("transfers = 8", 'bell = true\non_hangup = "continue"')
    settings = load_config(write(tmp_path, said), PROVIDERS).settings
    assert (settings.bell, settings.on_hangup) == (True, "continue")


def test_a_missing_file_is_an_empty_configuration(tmp_path: Path) -> None:
    config = load_config(tmp_path / "none.toml", PROVIDERS)
    assert not config.profiles
    with pytest.raises(ConfigError, match="there is no such file, and so no profile called acme"):
        config.profile("acme")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('org = "acme"', 'orgg = "acme"', 3, "Did you mean org?"),
        ('org = "acme"', "org = 5", 3, "org must be a text in quotes"),
        ("read_only = false", 'read_only = "no"', 13, "read_only must be true or false"),
        ("requests_per_minute = 0", "requests_per_minute = -1", 14, "from 0 to 100000"),
        ('scopes = ["mediastorageapi.exports"]', 'scopes = "x"', 7, "a list of texts"),
        ("transfers = 8", "transfers = 99", 19, "from 1 to 32"),
        ("transfers = 8", "transfers = true", 19, "a whole number"),
        ("transfers = 8", "bell = 1", 19, "bell must be true or false"),
        ("transfers = 8", 'on_hangup = "go on"', 19, "on_hangup must be one of stop, continue"),
        ('time_zone = "Europe/London"', 'time_zone = "Mars/Base"', 18, "unknown time zone"),
        ('provider = "8x8"', 'provider = "9x9"', 11, "Known: alvaria, 8x8"),
        ("[settings]", "[setting]", 16, "Did you mean settings?"),
        ('org = "acme"\n', "", 1, "org is missing"),
        ('"entries.download" = "f5"', '"entries.download" = 5', 22, "must be a key in quotes"),
        ("transfers = 8", "transfers = ", 19, "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as wrong:
        load_config(path, PROVIDERS)
    assert words in str(wrong.value)
    assert wrong.value.subject == f"{path}:{line}"
    assert wrong.value.code == 2


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert len(load_config(path, PROVIDERS).profiles) == 2


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"#" * 1_000_001, b"a = " + b"[" * 5000])
def test_a_file_that_is_no_configuration_gets_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as wrong:
        load_config(path, PROVIDERS)
    assert str(path) in str(wrong.value)


def test_a_secret_comes_from_the_file_beside_the_configuration(tmp_path: Path) -> None:
    secret = tmp_path / "acme.secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    profile = load_config(write(tmp_path, GOOD), PROVIDERS).profile("acme")
    assert profile.secrets("secret").reveal() == "s3cret"


def test_a_secret_that_others_can_read_is_refused_with_the_command_to_run(tmp_path: Path) -> None:
    secret = tmp_path / "acme.secret"
    secret.write_text("s3cret")
    secret.chmod(0o644)
    profile = load_config(write(tmp_path, GOOD), PROVIDERS).profile("acme")
    with pytest.raises(ConfigError, match="chmod 600"):
        profile.secrets("secret")


def test_the_environment_comes_first_and_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSTORE_ACME_SECRET", "from-env")
    profile = load_config(write(tmp_path, GOOD), PROVIDERS).profile("acme")
    assert profile.secrets("secret").reveal() == "from-env"
    assert "CLOUDSTORE_ACME_SECRET" not in os.environ
    assert profile.secrets("secret").reveal() == "from-env"


def test_a_secret_from_a_command_is_read_once(tmp_path: Path) -> None:
    counter = tmp_path / "runs"
    text = GOOD.replace('secret_file = "acme.secret"', f"secret_command = \"sh -c 'echo x >> {counter}; echo told'\"")
    profile = load_config(write(tmp_path, text), PROVIDERS).profile("acme")
    assert profile.secrets("secret").reveal() == "told"
    assert profile.secrets("secret").reveal() == "told"
    assert counter.read_text() == "x\n"


@pytest.mark.parametrize("command", ["false", "no-such-program-here", "echo"])
def test_a_command_that_gives_no_secret_is_an_error(tmp_path: Path, command: str) -> None:
    text = GOOD.replace('secret_file = "acme.secret"', f'secret_command = "{command}"')
    profile = load_config(write(tmp_path, text), PROVIDERS).profile("acme")
    with pytest.raises(ConfigError):
        profile.secrets("secret")


def test_a_secret_with_a_line_break_in_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSTORE_ACME_SECRET", "two\nlines")
    profile = load_config(write(tmp_path, GOOD), PROVIDERS).profile("acme")
    with pytest.raises(ConfigError, match="line break"):
        profile.secrets("secret")
    assert "lines" not in repr(profile)


def test_a_missing_secret_names_every_place_to_put_it(tmp_path: Path) -> None:
    text = GOOD.replace('secret_file = "acme.secret"\n', "")
    profile = load_config(write(tmp_path, text), PROVIDERS).profile("acme")
    with pytest.raises(ConfigError, match="CLOUDSTORE_ACME_SECRET, or secret_file or secret_command"):
        profile.secrets("secret")


def with_policy(folder: Path, policy: str) -> Path:
    return write(folder, GOOD.replace("requests_per_minute = 0", f"requests_per_minute = 0\nretention = {policy}"))


def test_a_policy_says_how_long_objects_are_kept(tmp_path: Path) -> None:
    path = with_policy(tmp_path, '{ hot = "90d", cold = "5y", summary = { hot = "2w" } }')
    policy = load_config(path, PROVIDERS).profile("acme8").retention
    assert policy is not None
    assert (policy.kept_for("callrecording"), policy.kept_for("summary")) == (timedelta(90 + 5 * 365), timedelta(14))
    of_types = load_config(with_policy(tmp_path, '{ summary = { hot = "0d" } }'), PROVIDERS).profile("acme8").retention
    assert of_types is not None
    assert (of_types.kept_for("callrecording"), of_types.kept_for("summary")) == (None, timedelta())
    assert load_config(write(tmp_path, GOOD), PROVIDERS).profile("acme8").retention is None


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ('"90d"', "retention must be a table"),
        ("{}", "retention must be a table"),
        ("{ hot = 90 }", "retention.hot must be a time"),
        ('{ hot = "90 minutes" }', "retention.hot must be a time"),
        ('{ hto = "90d" }', "unknown key retention.hto"),
        ('{ cold = "5y" }', "retention lacks hot"),
        ('{ hot = "1d", summary = { cold = "5y" } }', "retention.summary lacks hot"),
        ('{ hot = "1d", summary = { hot = "1d", note = { hot = "1d" } } }', "unknown key retention.summary.note"),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, policy: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(with_policy(tmp_path, policy), PROVIDERS)
    assert message in str(raised.value)
    assert "config.toml:15" in str(raised.value)


# Profiles that the program writes


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


def test_a_folder_in_the_place_of_the_file_is_an_error(path: Path) -> None:
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
