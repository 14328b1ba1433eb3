"""What a list lacks, in a few words: `us-east only: uk refused`."""

from collections.abc import Collection, Sequence

from cloudstore_tui.core.errors import AccessError, StorageError, UnreadableError
from cloudstore_tui.ui.format import counted


def lacking(failures: Sequence[StorageError], regions: Collection[str] = ()) -> str:
    """What could not be read of a list, and of which regions it is then; empty where nothing is lacking."""
    if not failures:
        return ""
    whole = f"{', '.join(sorted(regions))} only" if any(regions) else "incomplete"
    return f"{whole}: {', '.join(dict.fromkeys(map(_short, failures)))}"


def _short(failure: StorageError) -> str:
    if isinstance(failure, UnreadableError):
        return f"{counted(failure.number, 'record')} unreadable"
    # `uk` of `acme8:uk/`.
    where = failure.subject.partition(":")[2].rstrip("/") or failure.subject or "a part"
    return f"{where} {'refused' if isinstance(failure, AccessError) else 'failed'}"
