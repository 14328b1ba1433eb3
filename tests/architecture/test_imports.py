"""Commands load only what they need: start-up time is mostly imports."""

import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "httpx", "pycurl", "starlette", "uvicorn", "lark", "keyring")


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
