"""Pieces of objects, for somebody who lives in another loop than the providers."""

from collections.abc import Callable, Mapping

from cloudstore_tui.core.links import ReadPiece
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.net.transport import Blob
from cloudstore_tui.transfers.fetch import may_be_html
from cloudstore_tui.transfers.peek import Peek
from cloudstore_tui.transfers.provider_proxy import LoopHandle, ProviderProxy


class Peeking:
    """Gives what reads single pieces of an object; they are fetched where the providers live."""

    def __init__(self, handle: LoopHandle, proxies: Mapping[str, ProviderProxy], blob: Callable[[], Blob]) -> None:
        self._handle = handle
        self._proxies = proxies
        self._blob = blob

    def __call__(self, entry: StoredObject) -> ReadPiece:
        """What reads pieces of one object; one link serves for all of them."""
        proxy = self._proxies[entry.location.profile]
        html = may_be_html(entry.name, entry.mime)
        peek = Peek(self._blob, lambda: proxy.real.source(entry.location), html=html)
        return lambda first, count: self._handle.run(lambda: peek.read(first, count))
