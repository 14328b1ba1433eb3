"""The command line as its user runs it, without a terminal."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from cloudstore_tui.cli.main import execute
from cloudstore_tui.net.logs import stop_logging

_OF_THE_PLACE = ("LC_", "LANG", "TZ")
"""Variables that say where on earth the tests run."""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON lines that it printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        """The last of them, which tells what came of it all."""
        return self.records[-1]


class Cloudstore:
    """Runs commands in this process, each with an environment and in a folder of the test's.

    A process of its own takes half a second each time and shows no more, except where signals, terminals or the
    start itself are the point.
    """

    def __init__(
        self, capture: pytest.CaptureFixture[str], environment: Mapping[str, str], folder: Path, *words: str
    ) -> None:
        """Run commands that begin with `words`."""
        self._capture = capture
        self._environment = environment
        self._folder = folder
        self._words = words

    def __call__(self, *arguments: str, stdin: str = "", **variables: str) -> Done:
        """Run one command; `variables` are further ones of its environment."""
        before = Path.cwd()
        with tempfile.TemporaryFile("w+", encoding="utf-8") as fed:
            fed.write(stdin)
            fed.seek(0)
            os.chdir(self._folder)
            self._capture.readouterr()
            try:
                own = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_PLACE)}
                environment = own | {**self._environment, **variables}
                # Python's own view alone is exchanged: the process's environment must not change below the threads of
                # the sandbox, whose C libraries (and faketime, on each look at the clock) read it without a lock.
                with mock.patch("os.environ", environment), mock.patch("sys.stdin", fed):
                    code = execute([*self._words, *arguments])
            finally:
                os.chdir(before)
                # A log that was asked for ends with the process otherwise.
                stop_logging()
        shown = self._capture.readouterr()
        return Done(code, shown.out, shown.err)
