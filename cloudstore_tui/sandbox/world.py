"""What both services share: the data folder, the clock, and the switches between possible behaviours."""

import base64
import binascii
import difflib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from starlette.requests import Request

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox import DATA_NOW
from cloudstore_tui.sandbox.blobs import Signer
from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.log import RequestLog
from cloudstore_tui.sandbox.profiles import key_of

HEADER = "x-sandbox-switch"
"""Request header that sets switches for one request: `A-14=wrapped, E-3=current`."""

NUMBER = ("*",)
"""The values of a switch that takes any number of at least 0."""

_ALIASES = {"": "blank", '""': "blank", "''": "blank"}


class Switch(msgspec.Struct, frozen=True):
    """One open question and the answers the sandbox can give."""

    id: str
    text: str
    """The question."""
    default: str
    values: tuple[str, ...]
    """All answers, the default among them; a lone `*` stands for any number."""

    def read(self, text: str) -> str:
        """The value that `text` means, be it exact or close enough to be unambiguous.

        Raises:
            UsageError: there is no such value.
        """
        if self.values == NUMBER:
            number = re.match(r"\s*(\d+(?:\.\d+)?)\s*s?\s*$", text)
            if not number:
                raise UsageError("not a number", subject=f"{self.id}={text}", hint=f"For example {self.default}.")
            return number[1]
        if text in self.values:
            return text
        wanted = _ALIASES.get(text, _plain(text))
        exact = [value for value in self.values if _plain(value) == wanted]
        found = exact or [value for value in self.values if wanted and wanted.startswith(_plain(value))]
        if len(found) != 1:
            hint = f"{_nearest(text, self.values)} Known: {', '.join(self.values)}.".strip()
            raise UsageError("no such value", subject=f"{self.id}={text}", hint=hint)
        return found[0]


def choice(id_: str, text: str, *values: str) -> Switch:
    """A switch between these values, the default first."""
    return Switch(id_, text, values[0], values)


def any_number(id_: str, text: str, default: str) -> Switch:
    """A switch that takes any number of at least 0."""
    return Switch(id_, text, default, NUMBER)


class Switches:
    """The values in force."""

    def __init__(self, known: Sequence[Switch], chosen: Mapping[str, str] | None = None) -> None:
        self._known = {switch.id: switch for switch in known}
        self._started = self._read((chosen or {}).items())
        self._chosen = dict(self._started)

    @property
    def known(self) -> tuple[Switch, ...]:
        """Every switch there is."""
        return tuple(self._known.values())

    def set(self, chosen: Mapping[str, str]) -> None:
        """Change some values; all or none.

        Raises:
            UsageError: there is no such switch or value.
        """
        self._chosen |= self._read(chosen.items())

    def reset(self) -> None:
        """Return to the values of the start."""
        self._chosen = dict(self._started)

    def value(self, id_: str, request: Request | None = None) -> str:
        """The value of a switch, which a request may override for itself in `HEADER`.

        Raises:
            UsageError: the request names no such switch or value.
        """
        if request is not None and (header := request.headers.get(HEADER)):
            own = self._read((name.strip(), value.strip()) for name, value in _pairs(header))
            if id_ in own:
                return own[id_]
        return self._chosen.get(id_, self._known[id_].default)

    def _read(self, chosen: Iterable[tuple[str, str]]) -> dict[str, str]:
        return {id_: self._switch(id_).read(value) for id_, value in chosen}

    def _switch(self, id_: str) -> Switch:
        if id_ not in self._known:
            hint = _nearest(id_, self._known) or "`cloudstore sandbox --list-switches` shows all."
            raise UsageError("no such switch", subject=id_, hint=hint)
        return self._known[id_]


def _pairs(header: str) -> Iterable[tuple[str, str]]:
    for pair in header.split(","):
        name, _, value = pair.partition("=")
        yield name, value


def _nearest(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), 1, 0.3)
    return f"Did you mean {near[0]}?" if near else ""


def _plain(text: str) -> str:
    """A value without capitals, spaces and punctuation, which people write in different ways."""
    return re.sub(r"[^a-z0-9:>]", "", text.lower())


def basic_login(header: str) -> tuple[str, str]:
    """Name and password of a header `Authorization: Basic`; both empty if it is not one."""
    kind, _, encoded = header.partition(" ")
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (name, password) if kind.lower() == "basic" else ("", "")


class SandboxClock:
    """The time for tokens, links, restores and jobs, which tests can move."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        """Epoch seconds."""
        return time.time() + self.offset


class World(msgspec.Struct):
    """The state of one running sandbox."""

    data: Path
    """The folder for all data."""
    seed: int
    objects: int
    """Number of recordings to generate in addition to the fixtures."""
    switches: Switches
    data_now: datetime = DATA_NOW
    clock: SandboxClock = msgspec.field(default_factory=SandboxClock)
    faults: FaultPlan = msgspec.field(default_factory=FaultPlan)
    log: RequestLog = msgspec.field(default_factory=RequestLog)
    base_url: str = ""
    """The address of the APIs, once the sandbox has started."""
    blob_url: str = ""
    """The address of the object stores behind Alvaria's links."""

    @property
    def signer(self) -> Signer:
        """Signs and checks links."""
        return Signer(self.key("signing").encode(), self.clock)

    def key(self, use: str) -> str:
        """A secret of this sandbox for one use, the same at every start with the same seed."""
        return key_of(self.seed, use)
