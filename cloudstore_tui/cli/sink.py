"""Where the entries go that a command finds."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from types import TracebackType

from cloudstore_tui.core.entry import Entry


class Sink(ABC):
    """Takes entries one by one, inside a block."""

    def __enter__(self) -> "Sink":
        return self

    def __exit__(  # noqa: B027 - most have nothing to finish
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was taken until then is kept, also after an error."""

    async def take(self, listing: AsyncIterator[Entry], limit: int | None) -> bool:
        """Add entries as they come; whether there were more than `limit`."""
        taken = 0
        async for entry in listing:
            if limit is not None and taken >= limit:
                return True
            self.add(entry)
            taken += 1
        return False

    @abstractmethod
    def add(self, entry: Entry) -> None:
        """One more."""
