"""Commands load only what they need: start-up time is mostly imports."""

import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "pycurl", "starlette", "uvicorn", "lark", "keyring")


def loaded_by(*arguments: str) -> set[str]:
    """Which heavy packages a command has imported when it ends."""
    code = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print(*[n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr))\n"
        "from cloudstore_tui.cli import main\n"
        f"main({list(arguments)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("profile", "list")])
def test_a_command_that_sends_nothing_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) == set()


def test_a_command_that_lists_loads_neither_screen_nor_server() -> None:
    assert not loaded_by("ls", "nowhere:") & {"textual", "rich", "pycurl", "starlette", "uvicorn"}


def test_help_and_completion_of_a_command_load_what_it_takes_and_not_what_it_does() -> None:
    code = (
        "import sys\nfrom cloudstore_tui.cli.main import COMMANDS, cloudstore\n"
        "for name in COMMANDS:\n"
        "    with cloudstore.make_context('cloudstore', [name, '--help'], resilient_parsing=True) as context:\n"
        "        assert cloudstore.get_command(context, name).get_help(context)\n"
        "print(*sorted({'asyncio', 'msgspec', 'cloudstore_tui.core', 'cloudstore_tui.config'} & set(sys.modules)))\n"
        # The options of `profile add` are those of the services.
        "cloudstore.get_command(context, 'profile').get_command(context, 'add').get_help(context)\n"
        "late = {'cloudstore_tui.core.' + name for name in ('profile', 'provider', 'links', 'paging')}\n"
        "late |= {'asyncio', 'msgspec', 'cloudstore_tui.config', 'cloudstore_tui.cli.setup'}\n"
        "print(*sorted(late & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


def test_the_first_picture_waits_neither_for_transfers_nor_for_replies() -> None:
    code = (
        "import sys\nimport cloudstore_tui.cli.browser, cloudstore_tui.app\n"
        "late = {'cloudstore_tui.transfers.download', 'cloudstore_tui.net.failures', 'lark', 'pycurl'}\n"
        "print(*sorted(late & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
