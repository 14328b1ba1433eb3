"""What begins with some letters in a remote folder, for the shell: quick or not at all."""

import asyncio
import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from cloudstore_tui.config.paths import config_file, state_folder
from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import split_address
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.fs.whole_file import write_whole
from cloudstore_tui.providers import PROVIDERS, open_provider

FOLDER = "completion"
"""Its name in the state folder."""
FRESH = 60.0
"""Seconds for which a listing is remembered."""

MAX_ENTRIES = 1000


def remote_paths(incomplete: str, longest: float) -> list[str]:
    """Addresses that begin so; none where the service does not answer in time, or refuses.

    Ends the process if that hangs: a look-up of a name cannot be stopped.
    """
    watchdog = threading.Timer(longest, os._exit, (0,))
    watchdog.daemon = True
    watchdog.start()
    try:
        return [address for address in _listing(incomplete) if address.startswith(incomplete)]
    except StorageError:
        return []
    finally:
        sys.stdout.flush()
        watchdog.cancel()


def _listing(incomplete: str) -> list[str]:
    name, rest = split_address(incomplete)
    above = rest[: rest.rfind("/") + 1]
    kept = _kept_at(name, above)
    known = _read(kept)
    if known is None:
        known = asyncio.run(_asked(name, above))
        keep(kept, known)
    return known


async def _asked(name: str, above: str) -> list[str]:
    profile = load_config(config_file(), PROVIDERS).profile(name)
    provider = open_provider(replace(profile, timeouts=Timeouts(connect=2, read=2, give_up=2)))
    try:
        page = await provider.browse(provider.locate(above))
    finally:
        await provider.close()
    return [entry.location.address for entry in page.items[:MAX_ENTRIES]]


def _kept_at(name: str, above: str) -> Path:
    # Of another configuration the same name is another profile.
    text = "\0".join((str(config_file().absolute()), name, above))
    return state_folder() / FOLDER / hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _read(path: Path) -> list[str] | None:
    """What was kept, if it is still fresh by the clock of this machine: that of a file server may differ."""
    try:
        written, *addresses = path.read_text(encoding="utf-8").split("\n")
        return addresses if 0 <= time.time() - float(written) < FRESH else None
    except (OSError, ValueError):
        return None


def keep(path: Path, addresses: Iterable[str]) -> None:
    """Remember a listing, and forget those that are too old."""
    write_whole(path, "\n".join([str(time.time()), *(address for address in addresses if address.isprintable())]))
    for old in path.parent.iterdir():
        if _read(old) is None:
            # Another shell may be doing the same.
            with suppress(OSError):
                old.unlink()
