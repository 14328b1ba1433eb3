"""One line on the terminal that says how far a pull is."""

from cloudstore_tui.archive.pull import Pull
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.progress import Progress
from cloudstore_tui.core.text import plain
from cloudstore_tui.transfers.manager import TransferManager
from cloudstore_tui.ui import format as in_words


class PullProgress(Progress):
    """Shows what a pull has found and fetched while inside the block."""

    def __init__(self, pull: Pull, engine: TransferManager, output: Output) -> None:
        super().__init__(engine, output)
        self._pull = pull

    def _summary(self) -> str:
        pull = self._pull
        if not pull.wanted:
            return f"{pull.listed:,} found"
        running = [transfer for transfer in self._engine.snapshot() if not transfer.state.ended]
        speed = in_words.speed(sum(transfer.speed for transfer in running))
        notes = [transfer.note or transfer.state.value for transfer in running]
        parts = [f"{pull.ended:,} of {pull.wanted:,}", in_words.size(pull.size), speed, *notes[:1]]
        return " · ".join(plain(part) for part in parts if part)[:78]
