"""How commands end."""

import click
import pytest

from cloudstore_tui.cli import main as package_main
from cloudstore_tui.cli.main import COMMANDS, CommandLine, cloudstore
from cloudstore_tui.cli.options import Duration


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


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("24H", 86_400), ("7 d", 604_800)]
)
def test_time_spans_have_units(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "1w", "31d", "1e3", "99999999"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="90s, 15m or 24h"):
        Duration().convert(text, None, None)
