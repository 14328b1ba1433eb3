"""Tab on names that were made to do harm, in real shells: nothing runs, and a completed word means the name."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions
from tests.support.environment import own_environment
from tests.support.forking import forking_command

COMMAND = Path(sys.executable).parent / "cloudstore"
FOLDER = "acme:imports/outreach/nanp/"

NAMES = {
    "a": "a $(touch ran)`touch ran`'\";touch ran;#!!~^*?[a-z]{1,2}\\&|<>=.csv",
    "e": "eé$(touch ran).csv",
    "k": "k,comma;semi  colon:=@%+.csv",
    "l": "lélan.csv",
    "m": "m‹»\u3000\u00a0.csv",
    "o": "o\n$(touch ran).csv",
    "q": "q$'\\n'$(touch ran).csv",
    "v": "v\x9b31m$(touch ran).csv",
}
"""Each begins with a letter of its own, which is all that is typed of it."""
CASES = {
    ("C.UTF-8", ""): ("aeklq", "mov"),
    ("C.UTF-8", '"'): ("kl", "aeq"),
    ("C.UTF-8", "'"): ("k", "a"),
    ("C", ""): ("aq", "el"),
    ("C", '"'): ("k", "e"),
}
"""By locale and by the quote in front of the word: what every shell completes, and what none does."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox that holds them."""
    with Sandbox(SandboxOptions(data=tmp_path_factory.mktemp("sandbox"))) as ready:
        folder = tmp_path_factory.mktemp("files")
        for name in NAMES.values():
            (folder / name).write_text("x")
        environment = own_environment(folder, CLOUDSTORE_CONFIG=str(ready.config))
        command = [str(COMMAND), "put", *NAMES.values(), FOLDER]
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=60)
        yield ready.config


LOADED = (
    "cloudstore_tui.cli.completion",
    "cloudstore_tui.cli.remote_paths",
    "cloudstore_tui.providers.alvaria.provider",
)
"""What an offer of names needs of the program."""


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Where the command is in a locale, for all shells: it begins at once, since nothing here is about its start."""
    made: dict[str, Path] = {}
    with ExitStack() as running:

        def folder(locale: str) -> Path:
            if locale not in made:
                made[locale] = tmp_path_factory.mktemp("bin")
                # As the scripts of the shells start it.
                environment = own_environment(made[locale], LC_ALL=locale, PYTHONCOERCECLOCALE="0")
                running.enter_context(forking_command(made[locale] / "cloudstore", environment, *LOADED))
            return made[locale]

        yield folder


@dataclass(frozen=True)
class Shell:
    """How to start one, and to have `cloudstore WORDS` write its words down instead of running."""

    command: tuple[str, ...]
    begin: tuple[str, ...]
    source: str


SHELLS = {
    "bash": Shell(
        ("bash", "--norc", "--noprofile", "-i"),
        ("cloudstore() { printf '%s\\0' \"$@\" >>words; echo did''it; }",),
        "source <(command cloudstore completion bash)",
    ),
    "zsh": Shell(
        ("zsh", "-f", "-i"),
        (
            "autoload -U compinit; compinit -D; setopt interactive_comments; unsetopt prompt_cr prompt_sp",
            "cloudstore() { printf '%s\\0' \"$@\" >>words; echo did''it; }",
        ),
        "source <(command cloudstore completion zsh)",
    ),
    "fish": Shell(
        ("fish", "--no-config", "-i"),
        ("function cloudstore; printf '%s\\0' $argv >>words; echo did''it; end",),
        "command cloudstore completion fish | source",
    ),
}


class Typist:
    """Somebody at a shell."""

    def __init__(self, shell: Shell, environment: dict[str, str], folder: Path) -> None:
        command, *arguments = shell.command
        self._words = folder / "words"
        self._child = pexpect.spawn(
            command, arguments, cwd=str(folder), env=environment, timeout=30, encoding="utf-8", dimensions=(40, 250)
        )
        for line in (*shell.begin, shell.source, "cloudstore ready"):
            self._child.send(f"{line}\r")
        self._child.expect_exact("didit")
        self._words.unlink()

    def type(self, word: str, quote: str = "") -> str:
        """What the shell makes of a word after Tab; a quote that is still open then is closed behind ` #`."""
        self._child.send(f"cloudstore stat {word}\t #{quote}\r")
        self._child.expect_exact("didit")
        _stat, *words, _end = self._words.read_bytes().split(b"\0")
        self._words.unlink()
        assert len(words) == 1, words
        return os.fsdecode(words[0])

    def close(self) -> None:
        self._child.close(force=True)


Start = Callable[[str, str], Typist]


@pytest.fixture
def start(config: Path, folder_of: Callable[[str], Path], tmp_path: Path) -> Iterator[Start]:
    """Starts a shell in a locale, in an empty folder."""
    (tmp_path / "here").mkdir()
    started: list[Typist] = []

    def begin(name: str, locale: str) -> Typist:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        path = f"{folder_of(locale)}:{os.defpath}"
        environment = own_environment(tmp_path, PATH=path, CLOUDSTORE_CONFIG=str(config), TERM="dumb", LC_ALL=locale)
        started.append(Typist(SHELLS[name], environment, tmp_path / "here"))
        return started[-1]

    yield begin
    for typist in started:
        typist.close()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_completed_word_is_the_name_and_nothing_in_it_runs(
    start: Start, shell: str, locale: str, tmp_path: Path
) -> None:
    typist = start(shell, locale)
    for (where, quote), (completed, left) in CASES.items():
        for letter in completed + left if where == locale else "":
            word = typist.type(f"{quote}{FOLDER}{letter}", quote)
            wanted = FOLDER + NAMES[letter] if letter in completed else f"{FOLDER}{letter}{' #' if quote else ''}"
            assert word == wanted
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_what_was_typed_stays_however_it_is_quoted(start: Start, shell: str, tmp_path: Path) -> None:
    typist = start(shell, "C.UTF-8")
    modest = FOLDER + NAMES["k"]
    assert typist.type(f'acme:"{FOLDER[5:]}k', '"') == modest
    assert typist.type(f'"acme":{FOLDER[5:]}k') == modest
    assert typist.type(f"acme\\:{FOLDER[5:]}k,comma\\;semi\\ ") == modest
    assert typist.type(f"{FOLDER}k,comma\\;semi\\ \\ colon:") == modest
    # What the shell would make something else of is left alone.
    assert typist.type(f"'{FOLDER}k'\"\"$HOME") == f"{FOLDER}k{tmp_path}"
    # Bash closes the quote, the others leave it open for what is in the folder.
    assert typist.type('"acme:imports/out', '"').removesuffix(" #") == "acme:imports/outreach/"
