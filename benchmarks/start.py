"""How long the program takes to its first picture, and each command to its answer, beside the least that can be.

    python benchmarks/start.py [--rounds N] [--seconds SECONDS]

The floors: the smallest program that Textual allows, `import httpx`, and `import click`. The first picture is there
when the places are on the screen. Each line is the best of the rounds, which alternate between a way and its floor, so
that a busy machine is unfair to none; a round before them is not counted, and leaves compiled modules, as an
installation does.
"""

import argparse
import math
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ
from typing import TypeAlias

import pyte
from msgspec import Struct
from transfers import within

from cloudstore_tui.sandbox.server import Sandbox, SandboxOptions

LONGEST = 30
"""Seconds that one start may take."""
MINIMAL = """
from textual.app import App
from textual.widgets import Static

class Minimal(App):
    def compose(self):
        yield Static("acme")

Minimal().run()
"""


Measure: TypeAlias = Callable[[Sequence[str], Mapping[str, str]], "Cost"]


class Cost(Struct, frozen=True, order=True):
    """What one start took."""

    seconds: float
    cpu: float


def picture(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Until `acme` stands on the screen."""
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    terminal, other = pty.openpty()
    ioctl(other, TIOCSWINSZ, pack("HHHH", 40, 120, 0, 0))
    begun = time.monotonic()
    process = subprocess.Popen(
        command, stdin=other, stdout=other, stderr=other, env=environment, start_new_session=True, close_fds=True
    )
    os.close(other)
    try:
        while time.monotonic() - begun < LONGEST:
            ready, _, _ = select.select([terminal], [], [], 0.1)
            if ready and not _read_into(stream, terminal):
                break
            if any("acme" in line for line in screen.display):
                return Cost(time.monotonic() - begun, _used(process.pid))
        raise SystemExit("nothing came on the screen:\n" + "\n".join(screen.display))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        os.close(terminal)


def _used(pid: int) -> float:
    """Seconds of processor of all threads: by the scheduler, since what is accounted comes in steps of 10 ms."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def _read_into(stream: pyte.ByteStream, terminal: int) -> bool:
    """Show what came; False once the program has ended."""
    try:
        stream.feed(os.read(terminal, 65536))
    except OSError:
        return False
    return True


def answer(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Until a command has ended."""
    begun = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[-2:]} ended with {process.returncode}")
    return Cost(time.monotonic() - begun, usage.ru_utime + usage.ru_stime)


def main() -> None:
    """Print a line for each way, with its floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no round that would end later")
    asked = parser.parse_args()
    python, own = sys.executable, [sys.executable, "-m", "cloudstore_tui"]
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(SandboxOptions(data=Path(folder)))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"CLOUDSTORE_CONFIG": str(sandbox.start().config), "HOME": folder, "TERM": "xterm-256color"}
        typed = {"_CLOUDSTORE_COMPLETE": "bash_complete", "COMP_LINE": "cloudstore find --s", "COMP_WORD": "--s"}
        click = [python, "-c", "import click"]
        rows: Sequence[tuple[str, Measure, list[str], dict[str, str], list[str], str]] = (
            ("cloudstore", picture, own, {}, [python, "-c", MINIMAL], "the smallest Textual program"),
            ("cloudstore demo", picture, [*own, "demo"], {}, [python, "-c", MINIMAL], "the smallest Textual program"),
            ("cloudstore ls acme8:us-east/", answer, [*own, "ls", "acme8:us-east/"], {}, [python, "-c", "import httpx"],
             "import httpx"),
            ("cloudstore --help", answer, [*own, "--help"], {}, click, "import click"),
            ("cloudstore ls --help", answer, [*own, "ls", "--help"], {}, click, "import click"),
            ("completion", answer, own, typed, click, "import click"),
        )  # fmt: skip
        seen: list[list[tuple[Cost, Cost]]] = [[] for _ in rows]
        for number in within(asked.rounds + 1, asked.seconds, least=2):
            for costs, (_, measure, command, more, floor, _) in zip(seen, rows, strict=True):
                both = measure(command, environment | more), measure(floor, environment)
                costs += [both] if number else []
        for costs, (title, *_, floor_title) in zip(seen, rows, strict=True):
            ours, least = (min(side) for side in zip(*costs, strict=True))
            cpu, least_cpu = (min(cost.cpu for cost in side) for side in zip(*costs, strict=True))
            sys.stdout.write(
                f"{title:30} {ours.seconds:5.2f} s  {ours.seconds / least.seconds:5.2f} x   CPU {cpu:5.2f} s"
                f"  {cpu / least_cpu:5.2f} x {floor_title}\n"
            )
            sys.stdout.flush()
        sandbox.stop()


if __name__ == "__main__":
    main()
