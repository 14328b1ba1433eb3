"""What became of the objects of a list, as far as this program knows: no service is asked for it."""

from collections.abc import Callable, Iterable

from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui.transfer_batches import GOES_ON, locations_of
from cloudstore_tui.ui.widgets.virtual_table import RowSign, sign_of_state

_ARRIVED = frozenset({State.DONE, State.SKIPPED})


class RowStates:
    """Gives each row its sign: what comes counts more than what is here, and both more than the service's state."""

    def __init__(self, transfer_of: Callable[[Location], TransferSnapshot | None]) -> None:
        self._transfer_of = transfer_of
        """Finds the last transfer that brings an object."""
        self._here: set[Location] = set()
        """What was fetched, also by transfers that are off the list since."""
        self._restoring: frozenset[Location] = frozenset()

    def note_ended(self, transfers: Iterable[TransferSnapshot]) -> None:
        """Remember what was fetched."""
        for transfer in transfers:
            if transfer.state in _ARRIVED:
                self._here.update(locations_of(transfer.request))

    def note_restores(self, locations: frozenset[Location]) -> None:
        """Take what is being restored."""
        self._restoring = locations

    def sign_of(self, entry: Entry) -> RowSign | None:
        """The sign of one row."""
        if not isinstance(entry, StoredObject):
            return None
        transfer = self._transfer_of(entry.location)
        if transfer is not None and transfer.state in GOES_ON:
            return RowSign.COMING
        if entry.location in self._here or (transfer is not None and transfer.state in _ARRIVED):
            return RowSign.HERE
        return RowSign.RESTORING if entry.location in self._restoring else sign_of_state(entry)
