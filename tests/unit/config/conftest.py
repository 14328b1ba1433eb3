"""A keyring that does what the test wants."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudstore_tui.config import secrets

KEYRING = """
import time

HELD = {}
MODE = "@"


def get_keyring():
    _meet()

    class Backend:
        priority = 0 if MODE == "none" else 5

    return Backend()


def get_password(service, name):
    _meet()
    return None if MODE == "forgets" else HELD.get((service, name))


def set_password(service, name, password):
    _meet()
    HELD[service, name] = password


def delete_password(service, name):
    del HELD[service, name]


def _meet():
    if MODE == "hangs":
        time.sleep(60)
    if MODE == "locked":
        raise RuntimeError("locked: s3cret")
"""


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Install a library of that name: `works`, `hangs`, `locked`, `forgets`, or `none` behind it."""

    def install(mode: str) -> None:
        package = tmp_path / "packages" / "keyring"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(KEYRING.replace("@", mode))
        sys.modules.pop("keyring", None)
        monkeypatch.syspath_prepend(str(package.parent))

    monkeypatch.setattr(secrets, "HUNG_THREADS", [])
    yield install
    sys.modules.pop("keyring", None)
