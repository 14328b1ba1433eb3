"""`profile add` and `profile remove` as processes: by options without a terminal, by questions on one."""

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from cloudstore_tui.sandbox.server import Ready
from tests.support.commands import Cloudstore
from tests.support.environment import own_environment

COMMAND = [sys.executable, "-m", "cloudstore_tui"]
PATIENCE = 30


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def config(home: Path) -> Path:
    return home / "own" / "config.toml"


@pytest.fixture
def environment(home: Path, config: Path) -> dict[str, str]:
    return own_environment(home, CLOUDSTORE_CONFIG=str(config), TERM="xterm", LANG="C.UTF-8")


@pytest.fixture
def run(environment: dict[str, str], home: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    return Cloudstore(capfd, environment, home, "profile")


@pytest.fixture
def service(ready: Ready) -> tuple[str, ...]:
    return ("--provider", "8x8", "--client-id", "acme8-edit", "--api-base", ready.base_url)


@pytest.fixture
def secret(ready: Ready) -> str:
    return (ready.config.parent / "acme8.secret").read_text()


def test_a_script_adds_tests_and_removes_a_profile(
    run: Cloudstore, service: tuple[str, ...], secret: str, config: Path
) -> None:
    config.parent.mkdir()
    config.write_text("# mine\n[settings]\ntransfers = 2\n")
    done = run("add", "acme8", *service, "--region", "uk", "--writable", "--secret-stdin", stdin=secret)
    assert (done.code, done.out) == (0, f"Saved as acme8 in {config}\n")
    assert "ok    token" in done.err
    text = config.read_text()
    assert text.startswith("# mine\n[settings]\ntransfers = 2\n\n[profiles.acme8]\n")
    assert 'regions = ["uk"]' in text
    assert "read_only = false" in text
    assert secret.strip() not in text + done.out + done.err
    assert run("test", "acme8").code == 0
    removed = run("remove", "acme8", "--yes")
    assert removed.code == 0
    assert "Removed the file" in removed.err
    assert config.read_text() == "# mine\n[settings]\ntransfers = 2\n"
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]


def test_alvaria_takes_whole_addresses_and_two_secrets(run: Cloudstore, ready: Ready) -> None:
    secrets = [(ready.config.parent / f"acme.{name}").read_text() for name in ("secret", "api_key")]
    done = run(
        *("add", "acme", "--provider", "alvaria", "--org", "acme", "--client-id", "acme-sandbox-client"),
        *("--scope", "mediastorageapi.exports", "--scope", "mediastorageapi.imports"),
        *("--api-base", ready.base_url, "--token-url", f"{ready.base_url}/tokenservice/oauth2/access_token"),
        "--secret-stdin",
        stdin="".join(secrets),
    )
    assert done.code == 0, done.err
    assert "exports/ can be listed" in done.err


def test_a_wrong_secret_saves_nothing_unless_no_test_is_wanted(
    run: Cloudstore, service: tuple[str, ...], config: Path
) -> None:
    done = run("add", "acme8", *service, "--secret-stdin", stdin="wrong\n")
    assert done.code == 3
    assert "refuses the login" in done.err
    assert not config.exists()
    assert run("add", "acme8", *service, "--secret-stdin", "--no-test", stdin="wrong\n").code == 0
    assert run("test", "acme8").code == 3


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--provider is missing"),
        (("--provider", "8x8"), "NAME is missing"),
        (("x", "--provider", "8x8"), "--client-id is missing"),
        (("x", "--provider", "alvaria"), "--org is missing"),
        (("x", "--provider", "alvaria", "--org", "acme"), "--domain or --api-base is missing"),
        (("x", "--provider", "8x8", "--client-id", "k"), "--secret-stdin, --secret-file or --secret-command"),
        (("x", "--provider", "8x8", "--client-id", "k", "--secret-from", "command"), "--secret-command is missing"),
        (("x", "--provider", "8x8", "--org", "acme"), "has no --org"),
        (("x y", "--provider", "8x8"), "cannot name a profile"),
        (("x", "--provider", "8x8", "--client-id", "k", "--region", "eu", "--secret-from", "env"), "in uk"),
    ],
)
def test_without_a_terminal_nothing_is_asked_and_what_is_missing_is_named(
    run: Cloudstore, arguments: tuple[str, ...], named: str, config: Path
) -> None:
    done = run("add", *arguments)
    assert done.code == 2
    assert named in done.err
    assert not config.exists()


@pytest.mark.parametrize("arguments", [("--secret", "hunter2"), ("--secret=hunter2",), ("--api-key", "hunter2")])
def test_a_secret_as_an_option_is_refused_with_the_reason_and_never_repeated(
    run: Cloudstore, arguments: tuple[str, ...]
) -> None:
    done = run("add", "x", "--provider", "8x8", *arguments)
    assert done.code == 2
    assert "everybody on this machine could read it" in done.err
    assert "--secret-stdin" in done.err
    assert "hunter2" not in done.err + done.out


@pytest.mark.parametrize(
    ("stdin", "named"),
    [("", "0 secrets"), ("\none\n\ntwo\n", "2 secrets, not 1"), ('"quoted"\n', "quotes"), (" s\n", "blank")],
)
def test_a_secret_on_stdin_that_cannot_be_one_is_named(
    run: Cloudstore, service: tuple[str, ...], stdin: str, named: str
) -> None:
    done = run("add", "x", *service, "--secret-stdin", stdin=stdin)
    assert done.code == 2
    assert named in done.err


def test_a_secret_of_the_environment_is_used_and_its_variable_named(
    run: Cloudstore, service: tuple[str, ...], secret: str, config: Path
) -> None:
    done = run("add", "my-8x8", *service, "--secret-from", "env", CLOUDSTORE_MY_8X8_SECRET=secret)
    assert done.code == 0, done.err
    assert "Set CLOUDSTORE_MY_8X8_SECRET" in done.err
    assert [path.name for path in config.parent.iterdir()] == ["config.toml"]
    removed = run("remove", "my-8x8", "--yes")
    assert "CLOUDSTORE_MY_8X8_SECRET" in removed.err


def test_removing_has_to_be_agreed_to(run: Cloudstore, service: tuple[str, ...], config: Path) -> None:
    run("add", "acme8", *service, "--secret-from", "env", "--no-test")
    before = config.read_bytes()
    done = run("remove", "acme8")
    assert done.code == 2
    assert "--yes" in done.err
    assert config.read_bytes() == before
    assert run("remove", "nobody", "--yes").code == 2


@pytest.mark.skipif(os.name != "posix", reason="there are no core dumps elsewhere")
def test_no_process_of_ours_leaves_its_memory_on_the_disk(environment: dict[str, str]) -> None:
    print_limit = "sh -c 'test $(ulimit -c) = 0 && exit 7; exit 8'"
    add = [*COMMAND, "profile", "add", "x", "--provider", "8x8", "--client-id", "k", "--secret-command", print_limit]
    with_dumps = ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh", *add]
    done = subprocess.run(with_dumps, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "ended with code 7" in done.stderr


class Questions:
    """`profile add` on a terminal."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "cloudstore_tui", "profile", *arguments],
            env=environment,
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=(24, 80),
        )
        self.seen = ""

    def answer(self, question: str, text: str) -> None:
        self._child.expect_exact(question)
        self.seen += self._child.before + question
        self._child.sendline(text)

    def end(self) -> int:
        self._child.expect(pexpect.EOF)
        self.seen += self._child.before
        self._child.close()
        return int(self._child.exitstatus if self._child.exitstatus is not None else -1)


def test_a_person_is_asked_for_what_is_needed_and_can_correct_it(
    environment: dict[str, str], ready: Ready, secret: str, config: Path
) -> None:
    asked = Questions(environment, "add")
    asked.answer("Service (alvaria, 8x8)", "8x8")
    asked.answer("Name", "not a name")
    asked.answer("Use letters", "")
    asked.answer("Name", "acme8")
    asked.answer("Client id:", "acme8-edit")
    asked.answer("Regions (Enter for none)", "eu")
    asked.answer("in uk", "")
    asked.answer("Change them?", "y")
    asked.answer("API address", "http://api.8x8.com")
    asked.answer("Write https://", ready.base_url)
    asked.answer("Token address", "")
    asked.answer("Read-only?", "")
    asked.answer("Keep them in", "file")
    asked.answer("Secret:", "wr0ng")
    asked.answer("Change an answer, keep it as it is, or stop?", "change")
    asked.answer("Which one", "secret")
    asked.answer("Secret:", "wr0ng")
    asked.answer("Change an answer, keep it as it is, or stop?", "change")
    asked.answer("Which one", "store")
    asked.answer("Keep them in", "file")
    asked.answer("Secret:", secret.strip())
    assert asked.end() == 0, asked.seen
    assert "refuses the login" in asked.seen
    assert "made for Call Recordings & Storage" in asked.seen
    assert "wr0ng" not in asked.seen
    assert secret.strip() not in asked.seen
    assert (config.parent / "acme8.secret").read_text() == secret
    assert "[profiles.acme8]" in config.read_text()


def test_a_person_can_give_up_or_keep_what_failed(environment: dict[str, str], ready: Ready, config: Path) -> None:
    options = ("add", "x", "--provider", "8x8", "--client-id", "k", "--region", "uk", "--api-base", ready.base_url)
    for answer, code in (("stop", 1), ("keep", 0)):
        asked = Questions(environment, *options, "--token-url", f"{ready.base_url}/oauth/v2/token", "--writable")
        asked.answer("Keep them in", "file")
        asked.answer("Secret:", "wrong")
        asked.answer("or stop?", answer)
        assert asked.end() == code, asked.seen
        assert config.exists() is (answer == "keep")


def test_a_secret_is_not_read_from_a_terminal_that_shows_it(environment: dict[str, str]) -> None:
    asked = Questions(environment, "add", "x", "--provider", "8x8", "--client-id", "k", "--secret-stdin")
    assert asked.end() == 2
    assert "a terminal shows what is typed" in asked.seen.replace("\r\n", " ")


def test_a_secret_that_another_profile_or_its_owner_keeps_is_not_removed_with_a_profile(
    run: Cloudstore, home: Path, config: Path
) -> None:
    options = ("--provider", "8x8", "--client-id", "key", "--no-test")
    assert run("add", "one", *options, "--secret-stdin", stdin="s3cret-of-two").code == 0
    shared, mine = config.parent / "one.secret", config.parent / "mine.secret"
    assert run("add", "two", *options, "--secret-file", str(shared)).code == 0
    mine.write_text("s3cret-of-mine")
    assert run("add", "mine", *options, "--secret-file", str(mine)).code == 0
    for name, file in (("one", shared), ("mine", mine)):
        removed = run("remove", name, "--yes")
        assert (removed.code, removed.err) == (0, f"Kept: the file {file}\n")
        assert file.exists()
