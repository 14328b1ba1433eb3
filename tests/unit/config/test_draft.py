"""A profile in the making: answers, the test before saving, and what is left behind."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from cloudstore_tui.config.draft import ProfileDraft, asked, check_name, complaint, read_answer, typed_texts
from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.config.secrets import SecretStore, read_keyring, remove_secrets, sources_of, write_keyring
from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.profile import Secret, Timeouts
from cloudstore_tui.core.spec import Option
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Ready

SPECS = {spec.name: spec for spec in PROVIDERS}
Install = Callable[[str], None]


def option(spec: str, name: str) -> Option:
    return next(option for option in SPECS[spec].options if option.name == name)


def secret_of(ready: Ready, name: str) -> Secret:
    return Secret((ready.config.parent / name).read_text().strip())


def written(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.fixture
def draft(ready: Ready) -> ProfileDraft:
    texts = {"client_id": "acme8-edit", "api_base": ready.base_url}
    return ProfileDraft(SPECS["8x8"], "mine", texts, secrets={"secret": secret_of(ready, "acme8.secret")})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "config.toml"


@pytest.mark.parametrize(
    ("spec", "name", "text", "value"),
    [
        ("8x8", "client_id", " key \n", {"client_id": "key"}),
        ("8x8", "regions", "us-east, uk us-east", {"regions": ("us-east", "uk")}),
        ("8x8", "regions", "", {}),
        ("8x8", "api_base", "https://api.8x8.com", {}),
        ("alvaria", "domain", "apc.alvaria.cloud", {"domain": "apc.alvaria.cloud"}),
        ("alvaria", "domain", "https://acme.example.com", {"api_base": "https://acme.example.com"}),
        ("alvaria", "token_host", "https://t.example.com/x", {"token_url": "https://t.example.com/x"}),
    ],
)
def test_an_answer_becomes_the_key_that_it_stands_for(spec: str, name: str, text: str, value: dict[str, str]) -> None:
    assert read_answer(option(spec, name), text) == value


@pytest.mark.parametrize(
    ("spec", "name", "text", "wrong"),
    [
        ("8x8", "client_id", "", "Is missing"),
        ("8x8", "client_id", '"key"', "quotes"),
        ("8x8", "client_id", "a key", "blank"),
        ("8x8", "client_id", "a\x1bkey", "control character"),
        ("8x8", "regions", "eu", "in uk"),
        ("8x8", "regions", "us_east", "not a region"),
        ("8x8", "api_base", "http://api.8x8.com", "Write https://"),
        ("8x8", "api_base", "https://api.8x8.com/storage", "has a path"),
        ("alvaria", "org", "acme.via", "not an organisation"),
        ("alvaria", "domain", "", "Is missing"),
        ("alvaria", "domain", "acme via", "blank"),
        ("alvaria", "scopes", "exports", "Write mediastorageapi.exports"),
        ("alvaria", "api_version", "v4", "Choose v3 or v2"),
    ],
)
def test_an_answer_that_cannot_be_is_named_with_the_cure(spec: str, name: str, text: str, wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_answer(option(spec, name), text)
    assert wrong in complaint(caught.value)


@pytest.mark.parametrize("name", ["", "with blank", "ümlaut", "a" * 33, "taken", "-x"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name, {"taken"})


def test_whole_addresses_answer_the_question_for_the_host() -> None:
    assert typed_texts(SPECS["alvaria"], {"token_url": "https://t", "org": "acme"}) == {
        "token_host": "https://t",
        "org": "acme",
    }


def test_everything_that_is_asked_is_explained() -> None:
    for spec in PROVIDERS:
        assert spec.guide
        assert [secret.name for secret in spec.secrets if not (secret.label and secret.where)] == []
        assert [option.name for option in asked(spec) if not option.where] == []
        named = {option.name for option in spec.options}
        needed = {option.name for option in spec.options if option.required}
        assert needed <= {option.name for option in asked(spec, rare=False)}
        assert {option.url_option for option in spec.options if option.url_option} <= named


async def test_a_good_profile_passes_and_is_found_again_by_its_file(draft: ProfileDraft, path: Path) -> None:
    checks = await draft.check(path.parent)
    assert [check.error for check in checks] == [None] * len(checks)
    saved = draft.save(path, PROVIDERS)
    assert saved.secrets("secret") == draft.secrets["secret"]
    assert (path.parent / "mine.secret").stat().st_mode & 0o777 == 0o600
    assert draft.secrets["secret"].reveal() not in written(path)
    assert load_config(path, PROVIDERS).profile("mine").texts("regions") == ()


async def test_a_wrong_secret_fails_the_test_and_nothing_is_written(draft: ProfileDraft, path: Path) -> None:
    draft.secrets = {"secret": Secret("wrong")}
    checks = await draft.check(path.parent)
    assert checks[-1].error is not None
    assert "refuses the login" in checks[-1].text
    assert not written(path)


async def test_an_address_that_opens_nothing_is_one_of_the_checks(
    draft: ProfileDraft, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.config.draft.TEST_TIMEOUTS", Timeouts(give_up=1))
    texts = {"org": "acme", "domain": "127.0.0.1:99999", "token_host": "h", "client_id": "c", "scopes": "s"}
    checks = await replace(draft, spec=SPECS["alvaria"], texts=texts).check(path.parent)
    assert checks[-1].error is not None


async def test_a_secret_of_the_environment_is_still_there_after_the_test(
    draft: ProfileDraft, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDSTORE_MINE_SECRET", draft.secrets.pop("secret").reveal())
    draft.store = SecretStore.ENVIRONMENT
    checks = await draft.check(path.parent)
    assert checks[-1].error is None
    saved = draft.save(path, PROVIDERS)
    assert saved.secrets("secret")
    assert "CLOUDSTORE_MINE_SECRET" not in os.environ
    assert sorted(found.name for found in path.parent.iterdir()) == ["config.toml"]


async def test_a_command_is_run_for_the_test_and_kept_as_it_is(draft: ProfileDraft, path: Path, ready: Ready) -> None:
    draft.secrets = {}
    draft.commands = {"secret": f"cat {ready.config.parent / 'acme8.secret'}"}
    draft.store = SecretStore.COMMAND
    assert (await draft.check(path.parent))[-1].error is None
    saved = draft.save(path, PROVIDERS)
    assert saved.text("secret_command") == draft.commands["secret"]


def test_a_secret_is_kept_in_the_keyring_and_goes_with_the_profile(
    draft: ProfileDraft, path: Path, keyring: Install
) -> None:
    keyring("works")
    draft.store = SecretStore.KEYRING
    saved = draft.save(path, PROVIDERS)
    assert saved.secrets("secret") == draft.secrets["secret"]
    assert sorted(found.name for found in path.parent.iterdir()) == ["config.toml"]
    assert remove_secrets("mine", {}, path.parent, ["secret"]) == ["Removed the client secret from the keyring"]
    assert remove_secrets("mine", {}, path.parent, ["secret"]) == []


def test_a_secret_of_another_configuration_in_the_keyring_is_not_written_over(
    draft: ProfileDraft, path: Path, keyring: Install
) -> None:
    keyring("works")
    write_keyring("cloudstore:mine", "secret", Secret("the only copy"))
    draft.store = SecretStore.KEYRING
    with pytest.raises(ConfigError, match="holds another client secret") as caught:
        draft.save(path, PROVIDERS)
    assert "the only copy" not in str(caught.value)
    assert read_keyring("cloudstore:mine", "secret") == "the only copy"
    assert not path.exists()
    write_keyring("cloudstore:mine", "secret", draft.secrets["secret"])
    assert draft.save(path, PROVIDERS).secrets("secret") == draft.secrets["secret"]


def test_a_keyring_that_does_not_keep_it_leaves_no_profile(draft: ProfileDraft, path: Path, keyring: Install) -> None:
    keyring("locked")
    draft.store = SecretStore.KEYRING
    with pytest.raises(ConfigError, match="keyring"):
        draft.save(path, PROVIDERS)
    assert not path.exists()


def test_a_profile_that_cannot_be_written_leaves_no_secret(draft: ProfileDraft, path: Path) -> None:
    path.parent.mkdir()
    path.write_text('[profiles.mine]\nprovider = "8x8"\nclient_id = "x"\n')
    with pytest.raises(ConfigError, match="already"):
        draft.save(path, PROVIDERS)
    assert [found.name for found in path.parent.iterdir()] == ["config.toml"]


def test_a_secret_file_that_is_there_is_not_written_over(draft: ProfileDraft, path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "mine.secret").write_text("the only copy")
    saved = draft.save(path, PROVIDERS)
    assert (path.parent / "mine.secret").read_text() == "the only copy"
    assert saved.text("secret_file") == "mine.secret-2"


def test_only_files_that_were_stored_for_the_profile_go_with_it(
    draft: ProfileDraft, path: Path, tmp_path: Path
) -> None:
    saved = draft.save(path, PROVIDERS)
    sources = sources_of(saved, SPECS["8x8"].secrets)
    assert remove_secrets("mine", sources, path.parent, ["secret"]) == [
        f"Removed the file {path.parent / 'mine.secret'}"
    ]
    own = tmp_path / "mine.secret"
    own.write_text("theirs")
    assert remove_secrets("mine", {"secret_file": str(own)}, path.parent, ["secret"]) == [f"Kept: the file {own}"]
    assert own.exists()
    assert "pass show x" in remove_secrets("mine", {"secret_command": "pass show x"}, path.parent, ["secret"])[0]
