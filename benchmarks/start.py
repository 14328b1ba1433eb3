"""How long the browser takes to its first picture, beside the smallest program that Textual allows, in one run.

    python benchmarks/start.py [--rounds N]

The first picture is there when the places are on the screen. Each line is the best of the rounds, which alternate.
"""

import argparse
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from struct import pack
from termios import TIOCSWINSZ

import psutil
import pyte

from cloudstore_tui.sandbox.profiles import write_config

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


def start(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until `acme` stands on the screen, and MiB of memory then."""
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
                return time.monotonic() - begun, psutil.Process(process.pid).memory_info().rss / 2**20
        raise SystemExit("nothing came on the screen:\n" + "\n".join(screen.display))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        os.close(terminal)


def _read_into(stream: pyte.ByteStream, terminal: int) -> bool:
    """Show what came; False once the program has ended."""
    try:
        stream.feed(os.read(terminal, 65536))
    except OSError:
        return False
    return True


def main() -> None:
    """Print a line for each program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        secrets = {"secret": "bench", "api_key": "bench"}
        logins = [("acme", "bench", secrets), ("acme8", "bench", {"secret": "bench"})]
        config = write_config(Path(folder), "http://127.0.0.1:9", logins)
        environment = os.environ | {"CLOUDSTORE_CONFIG": str(config), "HOME": folder, "TERM": "xterm-256color"}
        ways = {
            "minimal": [sys.executable, "-c", MINIMAL],
            "cloudstore": [sys.executable, "-m", "cloudstore_tui"],
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, command in ways.items():
                taken[name].append(start(command, environment))
        floor = min(taken["minimal"])[0]
        for name, rows in taken.items():
            seconds, memory = min(rows)
            sys.stdout.write(f"{name:12}  {seconds:5.2f} s  {seconds / floor:5.2f} x minimal  {memory:5.0f} MiB\n")


if __name__ == "__main__":
    main()
