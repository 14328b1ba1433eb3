"""Who may come in: the API keys of the sandbox's company, and the tokens they get."""

import base64
import binascii
import secrets
import threading
from dataclasses import dataclass
from enum import IntEnum

from cloudstore_tui.sandbox.world import World


class Level(IntEnum):
    """What a key may do; each level may do all that the one before may."""

    READ_ONLY = 1
    """Every GET."""
    DOWNLOAD_ONLY = 2
    """Zip jobs too."""
    EDIT = 3
    """Deleting and restoring too."""


LEVELS = {"read-only": Level.READ_ONLY, "download-only": Level.DOWNLOAD_ONLY, "edit": Level.EDIT}


@dataclass(frozen=True, slots=True)
class Key:
    """One API key."""

    client_id: str
    level: Level = Level.EDIT
    products: tuple[str, ...] = ("storage",)
    expired: bool = False
    """Whether its time is over; it is refused as a wrong one is."""

    def secret(self, world: World) -> str:
        """The secret that belongs to it."""
        return world.key(self.client_id)


KEYS = (
    Key("acme8-edit"),
    Key("acme8-download", Level.DOWNLOAD_ONLY),
    Key("acme8-read", Level.READ_ONLY),
    Key("acme8-bare", Level.READ_ONLY, ("work-analytics",)),
    Key("acme8-expired", expired=True),
)
"""The first is what the sandbox's own configuration uses; the fourth was made without the product `storage`."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a key got for its secret."""

    key: Key
    ends: float
    """Epoch seconds."""


class Tokens:
    """The tokens that were given out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def key_of(self, authorization: str) -> Key | None:
        """The key that a Basic header shows, if its secret is right."""
        kind, _, encoded = authorization.partition(" ")
        try:
            client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        found = next((key for key in KEYS if key.client_id == client_id), None)
        if kind.lower() != "basic" or found is None or found.expired:
            return None
        return found if secrets.compare_digest(found.secret(self._world).encode(), secret.encode()) else None

    def give(self, key: Key, life: float) -> str:
        """A new token for a key."""
        text = secrets.token_urlsafe(21)
        now = self._world.clock()
        with self._lock:
            # Long enough for a late client to be told that its token has expired, and not that there is none such.
            self._tokens = {name: token for name, token in self._tokens.items() if token.ends > now - 3600}
            self._tokens[text] = Token(key, now + life)
        return text

    def find(self, text: str) -> Token | None:
        """What is known of a token, also after its end."""
        return self._tokens.get(text)
