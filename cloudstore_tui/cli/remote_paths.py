"""Completion of remote paths: quick or not at all."""

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
FRESH_S = 60.0
"""Seconds for which a listing is cached."""

MAX_ENTRIES = 1000


def remote_paths(incomplete: str, longest: float) -> list[str]:
    """Addresses that begin with `incomplete`; none if the service refuses or does not answer within `longest` seconds.

    Ends the process if that hangs, since a name look-up cannot be cancelled.
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
    cached = _cache_file(name, above)
    known = _read(cached)
    if known is None:
        known = asyncio.run(_request(name, above))
        cache_listing(cached, known)
    return known


async def _request(name: str, above: str) -> list[str]:
    profile = load_config(config_file(), PROVIDERS).profile(name)
    provider = open_provider(replace(profile, timeouts=Timeouts(connect=2, read=2, give_up=2)))
    try:
        page = await provider.browse(provider.locate(above))
    finally:
        await provider.close()
    return [entry.location.address for entry in page.items[:MAX_ENTRIES]]


def _cache_file(name: str, above: str) -> Path:
    # The same name is another profile in another configuration.
    text = "\0".join((str(config_file().absolute()), name, above))
    return state_folder() / FOLDER / hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _read(path: Path) -> list[str] | None:
    """A cached listing if it is fresh, by the time in it: the clock of a file server may differ from ours."""
    try:
        written, *addresses = path.read_text(encoding="utf-8").split("\n")
        return addresses if 0 <= time.time() - float(written) < FRESH_S else None
    except (OSError, ValueError):
        return None


def cache_listing(path: Path, addresses: Iterable[str]) -> None:
    """Cache a listing, and delete those that are too old."""
    write_whole(path, "\n".join([str(time.time()), *(address for address in addresses if address.isprintable())]))
    for old in path.parent.iterdir():
        if _read(old) is None:
            # Another shell may be doing the same.
            with suppress(OSError):
                old.unlink()
