"""Local names that follow the keys of a service with folders."""

from cloudstore_tui.archive.template import MOST_SEGMENTS, friendly
from cloudstore_tui.core.entry import StoredObject


class KeyNames:
    """Gives every object the path that it has below the pulled folder."""

    def __init__(self, root: str) -> None:
        self._root = root

    def path(self, entry: StoredObject, _provider: str) -> tuple[str, ...]:
        """Folders and file name of an object, each one harmless segment."""
        key = entry.location.path.removeprefix(self._root)
        parts = [part for part in key.split("/") if part] or [entry.name]
        if len(parts) > MOST_SEGMENTS:
            parts = [*parts[: MOST_SEGMENTS - 1], "/".join(parts[MOST_SEGMENTS - 1 :])]
        return tuple(friendly(part) for part in parts)
