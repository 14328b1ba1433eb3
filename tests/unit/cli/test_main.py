"""How commands end."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path

import click
import pytest

from cloudstore_tui.archive.strategy import Via
from cloudstore_tui.cli import export
from cloudstore_tui.cli import main as package_main
from cloudstore_tui.cli.completion import SHELLS
from cloudstore_tui.cli.look import NEWEST
from cloudstore_tui.cli.main import COMMANDS, CommandLine, cloudstore, execute
from cloudstore_tui.cli.options import Duration
from cloudstore_tui.config.secrets import SecretStore
from cloudstore_tui.preview.model import HEAD, MAX_HEAD
from cloudstore_tui.sandbox import DATA_NOW
from cloudstore_tui.transfers.journal.store import OLDEST
from cloudstore_tui.transfers.model import OnConflict


def test_an_error_of_our_own_is_one_line_without_values_and_ends_with_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def explode(self: CommandLine, ctx: click.Context) -> None:
        token = "canary-token"
        raise KeyError(token)

    monkeypatch.setattr(CommandLine, "invoke", explode)
    with pytest.raises(SystemExit) as ended:
        package_main(["themes"])
    assert ended.value.code == 70
    shown = capsys.readouterr().err
    assert "KeyError in test_main.py" in shown or "KeyError in main.py" in shown
    assert "canary" not in shown


def test_every_command_of_the_list_is_there_and_has_a_short_help() -> None:
    context = click.Context(cloudstore)
    for name in COMMANDS:
        command = cloudstore.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(60)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("24H", 86_400), ("7 d", 604_800)])
def test_time_spans_have_units(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-1", "soon", "1w", "31d", "1e3", "99999999s"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="90s, 15m or 24h"):
        Duration().convert(text, None, None)


def test_a_time_span_without_a_unit_is_refused_with_what_to_write() -> None:
    assert execute(["status", ".", "--max-age", "26"]) == 2
    with pytest.raises(click.UsageError, match="'26' has no unit: write 26s, 26m, 26h or 26d"):
        Duration().convert("26", None, None)


def test_options_of_every_command_may_stand_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLOUDSTORE_CONFIG", str(tmp_path / "none.toml"))
    (tmp_path / "config.toml").write_text('[profiles.one]\nprovider = "8x8"\nclient_id = "x"\n')
    config = str(tmp_path / "config.toml")
    for arguments in (
        ["--config", config, "ls"],
        ["ls", "--config", config],
        ["ls", f"--config={config}", "-q"],
        ["profile", "-q", "list", "--config", config],
    ):
        assert execute(arguments) == 0
        assert capsys.readouterr().out.split()[:2] == ["one", "8x8"]


def test_quiet_leaves_results_and_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("")
    monkeypatch.setenv("CLOUDSTORE_CONFIG", str(tmp_path / "config.toml"))
    assert execute(["fiql", "compile", "agent:~khang"]) == 0
    assert "Note:" in capsys.readouterr().err
    assert execute(["fiql", "compile", "agent:~khang", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert execute(["-q", "fiql", "compile", 'agent:"x']) == 2
    assert "missing closing quote" in capsys.readouterr().err
    assert execute(["ls", "-q", "nowhere"]) == 2
    assert "no profile called nowhere" in capsys.readouterr().err


def commands(
    group: click.Group, context: click.Context, *above: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, context, *above, name)
        yield (*above, name), getattr(command, "own", command)


def option(name: str, *words: str) -> click.Option:
    found = next(command for known, command in commands(cloudstore, click.Context(cloudstore)) if known == words)
    return next(one for one in found.params if isinstance(one, click.Option) and one.name == name)


def test_what_options_offer_is_what_the_program_knows() -> None:
    def choices(name: str, *words: str) -> list[str]:
        kind = option(name, *words).type
        assert isinstance(kind, click.Choice)
        return list(kind.choices)

    assert choices("on_conflict", "get") == list(OnConflict)
    assert set(choices("on_conflict", "put")) < set(OnConflict)
    assert choices("via", "pull") == list(Via)
    assert choices("form", "find") == list(export.Format)
    assert choices("secret_from", "profile", "add") == list(SecretStore)
    assert (option("wanted", "preview").default, option("older_than", "transfers", "prune").default) == (HEAD, OLDEST)
    assert getattr(option("wanted", "preview").type, "max", 0) == MAX_HEAD
    assert option("now", "demo").default == f"{DATA_NOW:%Y-%m-%dT%H:%MZ}"
    assert f" {NEWEST}." in str(option("everything", "ls").help)
    shells = cloudstore.get_command(click.Context(cloudstore), "completion")
    assert shells is not None
    assert list(getattr(shells.params[0].type, "choices", ())) == list(SHELLS)


def test_what_a_command_does_takes_what_it_declares() -> None:
    for _, command in commands(cloudstore, click.Context(cloudstore)):
        if does := getattr(command, "does", ""):
            module, name = does.split(".")
            function = getattr(import_module(f"cloudstore_tui.cli.{module}"), name)
            given = {one.name for one in command.params if one.name and one.expose_value}
            if "session" in signature(function).parameters:
                # What runs it makes a session of these.
                given = (given - {"as_json", "timeout"}) | {"session"}
            signature(function).bind(**dict.fromkeys(given))


PLAIN = click.types.StringParamType | click.types.IntParamType
"""Types whose names say nothing."""


def test_every_command_has_an_example_and_says_what_its_options_take() -> None:
    for words, command in commands(cloudstore, click.Context(cloudstore)):
        assert f"cloudstore {' '.join(words)}" in (command.help or ""), words
        for option in command.params:
            if isinstance(option, click.Option) and not option.is_flag and not option.hidden:
                assert option.metavar or not isinstance(option.type, PLAIN), (words, option.opts)


# The process


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(closed: str, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    command = f'"{sys.executable}" -m cloudstore_tui profile list {closed}; echo $? >"{seen}"'
    environment = {"HOME": str(tmp_path), "CLOUDSTORE_CONFIG": str(tmp_path / "none.toml")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert seen.read_text() == "0\n"


def test_what_reads_a_closed_stdin_finds_nothing_there(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m cloudstore_tui restore - <&-'
    environment = {"HOME": str(tmp_path), "CLOUDSTORE_CONFIG": str(tmp_path / "none.toml")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("stdin holds no paths")
