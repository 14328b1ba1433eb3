"""What both services share: where the data is, what time it is, and which of the possible answers are given."""

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
"""The values of a switch that takes any number from 0 on."""

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
        """The answer meant by `text`: written exactly, or close enough to be unmistakable.

        Raises:
            UsageError: there is no such answer.
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


class Switches:
    """The answers in force."""

    def __init__(self, known: Sequence[Switch], chosen: Mapping[str, str] | None = None) -> None:
        self._known = {switch.id: switch for switch in known}
        self._started = self._read((chosen or {}).items())
        self._chosen = dict(self._started)

    @property
    def known(self) -> tuple[Switch, ...]:
        """Every switch there is."""
        return tuple(self._known.values())

    def set(self, chosen: Mapping[str, str]) -> None:
        """Change some answers; all or none of them.

        Raises:
            UsageError: there is no such switch or answer.
        """
        self._chosen |= self._read(chosen.items())

    def reset(self) -> None:
        """Back to the answers of the start."""
        self._chosen = dict(self._started)

    def value(self, id_: str, request: Request | None = None) -> str:
        """The answer to one question, for one request if it brings its own.

        Raises:
            UsageError: the request names a switch or an answer that is not there.
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
    """A value without what people write in different ways: capitals, blanks, signs."""
    return re.sub(r"[^a-z0-9:>]", "", text.lower())


class SandboxClock:
    """The time at which requests are answered, which tests can move: of tokens, links, restores and jobs."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        """Epoch seconds."""
        return time.time() + self.offset


class World(msgspec.Struct):
    """The state of one running sandbox."""

    data: Path
    """Folder of everything that is kept."""
    seed: int
    objects: int
    """Recordings to make besides the fixtures."""
    switches: Switches
    data_now: datetime = DATA_NOW
    clock: SandboxClock = msgspec.field(default_factory=SandboxClock)
    faults: FaultPlan = msgspec.field(default_factory=FaultPlan)
    log: RequestLog = msgspec.field(default_factory=RequestLog)
    base_url: str = ""
    """Where the APIs listen; known once the sandbox has started."""
    blob_url: str = ""
    """Where the stores of Alvaria's links listen."""

    @property
    def signer(self) -> Signer:
        """Signs and checks links."""
        return Signer(self.key("signing").encode(), self.clock)

    def key(self, use: str) -> str:
        """A secret of this sandbox for one use, the same at every start with the same seed."""
        return key_of(self.seed, use)
