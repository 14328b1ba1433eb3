"""A sandbox in a process of its own, so that it takes no time from the browser it serves."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from cloudstore_tui.core.errors import StorageError

PATIENCE = 10.0
"""Seconds the sandbox may take to end when asked."""


class SandboxProcess:
    """Starts a sandbox on entering and gives its configuration file; ends it on leaving.

    The sandbox also ends by itself when this process dies: it waits on a pipe that only we hold.
    """

    def __init__(self, *, seed: int, objects: int, now: datetime | None = None, faults: Sequence[str] = ()) -> None:
        self._command = [
            *(sys.executable, "-m", "cloudstore_tui", "sandbox", "--with-parent"),
            *("--seed", str(seed), "--objects", str(objects)),
            *(("--now", now.isoformat()) if now else ()),
            *(part for fault in faults for part in ("--fault", fault)),
        ]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Path:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait(PATIENCE)
            raise StorageError("the sandbox did not start", hint="Run `cloudstore sandbox` to see why.")
        return Path(json.loads(line)["config"])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
