"""The keys of every list of transfers, and what it asks for."""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from cloudstore_tui.transfers.model import State, TransferSnapshot


class TransferKeys(Widget):
    """What can be done with the transfer under the cursor. Asks by messages, and only for what its state allows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", tooltip="Pause or resume", id="transfers.pause"),
        Binding("x", "cancel", "Cancel", tooltip="Stop this transfer and forget what arrived", id="transfers.cancel"),
        Binding("r", "retry", "Retry", tooltip="Try this transfer again", id="transfers.retry"),
        Binding("c", "clear", "Clear", tooltip="Take all that ended off the list", id="transfers.clear"),
        Binding("enter", "open", "Details", tooltip="Show everything about this transfer", id="transfers.open"),
    ]

    @dataclass
    class Paused(Message):
        """The user wants a transfer to rest."""

        id: int

    @dataclass
    class Resumed(Message):
        """The user wants a transfer to go on."""

        id: int

    @dataclass
    class Cancelled(Message):
        """The user wants a transfer stopped."""

        id: int

    @dataclass
    class Retried(Message):
        """The user wants a transfer tried again."""

        id: int

    class Cleared(Message):
        """The user wants all that ended off the list."""

    @dataclass
    class Opened(Message):
        """The user wants to read everything about a transfer."""

        transfer: TransferSnapshot

    @property
    def transfer(self) -> TransferSnapshot | None:
        """The one under the cursor."""
        raise NotImplementedError

    @property
    def subject(self) -> TransferSnapshot | None:
        """The one under the cursor, if it can be given orders."""
        return self.transfer

    def action_pause(self) -> None:
        """Ask for a rest of the transfer under the cursor, or for its end."""
        if self.subject is None:
            return
        if self.subject.state is State.PAUSED:
            self.post_message(self.Resumed(self.subject.id))
        elif not self.subject.state.ended:
            self.post_message(self.Paused(self.subject.id))

    def action_cancel(self) -> None:
        """Ask for a stop of the transfer under the cursor."""
        if self.subject is not None and not self.subject.state.ended:
            self.post_message(self.Cancelled(self.subject.id))

    def action_retry(self) -> None:
        """Ask for another try of the transfer under the cursor; one that rests goes on."""
        if self.subject is None:
            return
        if self.subject.state in (State.FAILED, State.CANCELLED):
            self.post_message(self.Retried(self.subject.id))
        elif self.subject.state is State.PAUSED:
            self.post_message(self.Resumed(self.subject.id))

    def action_clear(self) -> None:
        """Ask for a list without what ended."""
        self.post_message(self.Cleared())

    def action_open(self) -> None:
        """Ask for a page about the transfer under the cursor."""
        if self.transfer is not None:
            self.post_message(self.Opened(self.transfer))
