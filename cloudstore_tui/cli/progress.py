"""One line on the terminal that says how far the transfers are."""

import asyncio
import shutil
import sys
from contextlib import suppress
from functools import partial
from types import TracebackType

from cloudstore_tui.cli.output import Output
from cloudstore_tui.core.text import plain
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.ui import format as in_words

INTERVAL = 0.25
"""Seconds between two looks; each writes only if the text changed."""


class Progress:
    """Shows the state of an engine on stderr while inside the block; nothing where stderr is no terminal."""

    def __init__(self, engine: TransferManager, output: Output) -> None:
        self._engine = engine
        self._output = output
        self._shown = ""
        self._wanted = sys.stderr.isatty() and not output.as_json and not output.quiet
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        if self._wanted:
            self._output.clear_line = partial(self._write, "")
            self._task = asyncio.ensure_future(self._repeat())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            self._output.clear_line()
            self._output.clear_line = lambda: None

    async def _repeat(self) -> None:
        while True:
            self._write(self._summary())
            await asyncio.sleep(INTERVAL)

    def _summary(self) -> str:
        transfers = self._engine.snapshot()
        ended = sum(transfer.state.ended for transfer in transfers)
        speed = sum(transfer.speed for transfer in transfers)
        done = sum(transfer.done for transfer in transfers)
        running = [transfer.request.location.path for transfer in transfers if not transfer.state.ended]
        parts = [f"{ended} of {len(transfers)}", in_words.size(done), in_words.speed(speed), *running[:1]]
        return " · ".join(plain(part) for part in parts if part)[: shutil.get_terminal_size().columns - 2]

    def _write(self, text: str) -> None:
        if text != self._shown:
            # A terminal that was closed has no line for it; the transfers go on until something ends them.
            with suppress(OSError):
                sys.stderr.write(f"\r\x1b[K{text}" if text else "\r\x1b[K")
                sys.stderr.flush()
            self._shown = text
