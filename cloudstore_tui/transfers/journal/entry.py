"""One transfer's page in the journal."""

from cloudstore_tui.transfers.journal.journal import Journal
from cloudstore_tui.transfers.journal.row import JournalRow
from cloudstore_tui.transfers.model import Request


class JournalEntry:
    """What one transfer writes down, and what an earlier run wrote. Without a journal nothing is kept."""

    def __init__(self, journal: Journal | None, number: int, kept: JournalRow | None = None) -> None:
        self.kept = kept
        """What an earlier run left; `None` where there was none."""
        self._journal = journal
        self._number = number

    @property
    def lasts(self) -> bool:
        """Whether anything outlives this program."""
        return self._journal is not None

    def enter(self, request: Request) -> None:
        """Open the page."""
        if self._journal is not None:
            self._journal.add(self._number, request)

    def note(self, **facts: object) -> None:
        """Write facts down, soon. A fact about bytes is told only after they were synced."""
        if self._journal is not None:
            self._journal.note(self._number, **facts)

    def forget_bytes(self) -> None:
        """Write down that no byte is there any more, before another one is written. Blocks."""
        if self._journal is not None:
            self._journal.note(self._number, durable=0, etag="")
            self._journal.settle()

    async def begin(self, part_id: str) -> None:
        """Say which file is to be made; on the disk before anything of the file is. `kept` is known afterwards.

        Raises:
            BusyError: another program makes it.
            StorageError: the journal cannot be written.
        """
        if self._journal is not None:
            left = await self._journal.begin(self._number, part_id)
            if left is not None and (self.kept is None or left.durable > self.kept.durable):
                self.kept = left

    async def settled(self) -> None:
        """Return when everything told is on the disk: before a request that changes something on the server.

        Raises:
            StorageError: the journal cannot be written.
        """
        if self._journal is not None:
            await self._journal.settled()

    def remove(self) -> None:
        """Take the page out."""
        if self._journal is not None:
            self._journal.remove(self._number)
