"""The faults in force: rules, how often each has struck, and what happens to one request."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random

from cloudstore_tui.sandbox.faults.asked import Asked
from cloudstore_tui.sandbox.faults.catalogue import KINDS, MIX
from cloudstore_tui.sandbox.faults.kind import Kind
from cloudstore_tui.sandbox.faults.mix import Mix
from cloudstore_tui.sandbox.faults.reading import rule_of
from cloudstore_tui.sandbox.faults.rule import Rule, Value


@dataclass(slots=True)
class Count:
    """How a rule has fared."""

    matched: int = 0
    """Requests that it was for."""
    struck: int = 0
    """Those that it made go wrong."""


class _Entry:
    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.count = Count()
        self.mix = Mix(rule) if rule.fault == MIX else None


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault for one request."""

    kind: Kind
    values: Mapping[str, Value]
    entry: _Entry


class FaultPlan:
    """Rules in order; the first one that strikes is the fault of a request.

    Raises:
        UsageError: a rule cannot be read.
    """

    def __init__(self, rules: Iterable[str | Mapping[str, object] | Rule] = ()) -> None:
        self._lock = threading.Lock()
        self._started = tuple(rule_of(rule) for rule in rules)
        self._entries: tuple[_Entry, ...] = ()
        self._numbers: Counter[str] = Counter()
        self._struck: Counter[str] = Counter()
        self.reset()

    @property
    def active(self) -> bool:
        """Whether there is any rule; read without the lock, by every request."""
        return bool(self._entries)

    @property
    def rules(self) -> list[tuple[Rule, Count]]:
        """Every rule and how it has fared."""
        with self._lock:
            return [(entry.rule, Count(entry.count.matched, entry.count.struck)) for entry in self._entries]

    @property
    def counts(self) -> dict[str, int]:
        """How many requests each kind of fault has struck."""
        with self._lock:
            return dict(self._struck)

    def add(self, *rules: str | Mapping[str, object] | Rule) -> None:
        """Add rules behind those that are there; all or none of them.

        Raises:
            UsageError: one cannot be read.
        """
        read = tuple(_Entry(rule_of(rule)) for rule in rules)
        with self._lock:
            self._entries += read

    def clear(self) -> None:
        """No rules any more, and all counts at 0."""
        self._set(())

    def reset(self) -> None:
        """Back to the rules of the start, all counts at 0."""
        self._set(self._started)

    def decide(self, asked: Asked) -> list[Strike]:
        """What happens to a request: at most one fault, and those that go together with it.

        The innermost comes first.
        """
        subject = f"{asked.method} {asked.path}" + (f"?{asked.query}" if asked.role != "blob" else "")
        main: Strike | None = None
        underneath: list[Strike] = []
        with self._lock:
            self._numbers[subject] += 1
            for entry in self._entries:
                if main is not None and not _goes_along(entry.rule):
                    continue
                strike = _strike(entry, asked, subject, self._numbers[subject])
                if strike is None:
                    continue
                self._count(strike, 1)
                if strike.kind.underneath:
                    underneath.append(strike)
                else:
                    main = strike
        return underneath if main is None else [*underneath, main]

    def missed(self, strike: Strike) -> None:
        """Take a strike back: the answer was none that the fault could happen to."""
        with self._lock:
            self._count(strike, -1)

    def stored(self, name: str, subjects: Sequence[str]) -> Mapping[str, Value] | None:
        """The parameters of a fault of what is stored, for something with one of these names; `None` without it."""
        if not self._entries:
            return None
        with self._lock:
            for entry in self._entries:
                rule = entry.rule
                if rule.fault == name and any(fnmatchcase(subject, rule.path) for subject in subjects):
                    if Random(f"{rule.seed} {subjects[0]}").random() >= rule.share:
                        continue
                    entry.count.matched += 1
                    entry.count.struck += 1
                    self._struck[name] += 1
                    return {**KINDS[name].defaults, **rule.values}
        return None

    def _set(self, rules: tuple[Rule, ...]) -> None:
        with self._lock:
            self._entries = tuple(_Entry(rule) for rule in rules)
            self._numbers.clear()
            self._struck.clear()

    def _count(self, strike: Strike, by: int) -> None:
        strike.entry.count.struck += by
        self._struck[strike.kind.name] += by


def _goes_along(rule: Rule) -> bool:
    return rule.fault != MIX and KINDS[rule.fault].underneath


def _strike(entry: _Entry, asked: Asked, subject: str, number: int) -> Strike | None:
    """What one rule does to a request."""
    rule, count = entry.rule, entry.count
    kind = KINDS.get(rule.fault)
    if not rule.matches(asked) or (kind is not None and (kind.stored or not kind.fits(asked))):
        return None
    count.matched += 1
    if count.matched <= rule.skip or (rule.times and count.struck >= rule.times):
        return None
    if entry.mix is not None:
        drawn = entry.mix.draw(asked, subject, number)
        return Strike(*drawn, entry) if drawn else None
    if kind is None or Random(f"{rule.seed} {rule.fault} {subject} {number}").random() >= rule.share:
        return None
    return Strike(kind, {**kind.defaults, **rule.values}, entry)
