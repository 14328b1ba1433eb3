"""Pieces of objects, for somebody who lives in another loop than the providers."""

from collections.abc import Callable, Mapping

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.piece import ReadPiece
from cloudstore_tui.net.blob_ports import Blob
from cloudstore_tui.transfers.fetch import may_be_html
from cloudstore_tui.transfers.peek import Peek
from cloudstore_tui.transfers.stand_in import Stage, StandIn


class Peeking:
    """Gives what reads single pieces of an object; they are fetched where the providers live."""

    def __init__(self, stage: Stage, stand_ins: Mapping[str, StandIn], blob: Callable[[], Blob]) -> None:
        self._stage = stage
        self._stand_ins = stand_ins
        self._blob = blob

    def __call__(self, entry: StoredObject) -> ReadPiece:
        """What reads pieces of one object; one link serves for all of them."""
        stand_in = self._stand_ins[entry.location.profile]
        html = may_be_html(entry.name, entry.mime)
        peek = Peek(self._blob, lambda: stand_in.real.source(entry.location), html=html)
        return lambda first, count: self._stage.run(lambda: peek.read(first, count))
