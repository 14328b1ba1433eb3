"""The faults in force: rules as people write them, how often each has struck, and what happens to one request."""

import difflib
import shlex
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from random import Random
from typing import Any

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.faults.exchange import (
    KINDS,
    PLACES,
    FaultKind,
    FaultyExchange,
    RequestFacts,
    Rule,
    Value,
    facts_of,
    place_in,
)
from cloudstore_tui.sandbox.log import TRACE, RequestTrace

# A mix: a fault for a share of all requests, the same ones for the same seed, whoever comes first


MIX = "mix"
"""The fault of a rule that draws from all others."""

DEFAULTS: Mapping[str, Value] = {"most": 2, "only": "", "without": ""}
"""Parameters: faults in a row for one path, so that there is progress; names of all kinds, or of those left out."""


def names_in(rule: Rule, key: str) -> list[str]:
    """The names that a parameter holds, which have commas between them."""
    return [name for name in str(rule.values.get(key, "")).split(",") if name]


class Mix:
    """What a mix rule has done so far."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._most = int(rule.values.get("most", DEFAULTS["most"]))
        only, without = (names_in(rule, key) for key in ("only", "without"))
        self._kinds = [KINDS[name] for name in only or KINDS if name not in without]
        self._all = bool(only)
        self._in_a_row: Counter[str] = Counter()
        self._struck: defaultdict[str, set[str]] = defaultdict(set)

    def draw(self, asked: RequestFacts, subject: str, number: int) -> tuple[FaultKind, dict[str, Value]] | None:
        """What happens to the request of this number for a subject; `None` for nothing."""
        chance = Random(f"{self._rule.seed} {subject} {number}")
        kinds = [kind for kind in self._kinds if self._fits(kind, asked) and not self._spent(kind, subject)]
        if not kinds or self._in_a_row[subject] >= self._most or chance.random() >= self._rule.share:
            self._in_a_row.pop(subject, None)
            return None
        kind = chance.choice(kinds)
        self._in_a_row[subject] += 1
        if kind.once_per_object:
            self._struck[subject].add(kind.name)
        place: dict[str, Value] = {"after": f"{chance.randrange(100)}%"} if "after" in kind.defaults else {}
        return kind, {**kind.defaults, **place, **kind.in_mix}

    def _fits(self, kind: FaultKind, asked: RequestFacts) -> bool:
        return kind.fits(asked) and (kind.mixes(asked) or self._all)

    def _spent(self, kind: FaultKind, subject: str) -> bool:
        return kind.once_per_object and kind.name in self._struck.get(subject, ())


# Rules as people and programs write them


EXAMPLE = "reset-after after=65536 where=blob times=3"
_MANNER_DEFAULTS = {
    field.name: field.default for field in msgspec.structs.fields(Rule) if field.name not in ("fault", "values")
}
_UNLIMITED = ("slow", MIX)
"""Faults that hold for all requests unless the rule says how often."""


def rule_of(given: str | Mapping[str, object] | Rule) -> Rule:
    """A rule from its text, from its JSON, or as it is.

    Raises:
        UsageError: there is no such fault or parameter, or a value that it cannot have.
    """
    if isinstance(given, Rule):
        given = rule_json(given)
    if isinstance(given, str):
        given = dict(_words(given))
    name = str(given.get("fault", ""))
    if name != MIX and name not in KINDS:
        raise UsageError("no such fault", subject=name or "(no name)", hint=_nearest(name, (MIX, *KINDS)))
    defaults: Mapping[str, Value] = DEFAULTS if name == MIX else KINDS[name].defaults
    manner: dict[str, Any] = {"times": 0} if name in _UNLIMITED else {}
    values: dict[str, Value] = {}
    for key, value in given.items():
        if key in defaults:
            values[key] = _value(name, key, value, defaults[key])
        elif key in _MANNER_DEFAULTS:
            manner[key] = _value(name, key, value, _MANNER_DEFAULTS[key])
        elif key != "fault":
            raise UsageError(
                "no such parameter", subject=f"{name} {key}", hint=_nearest(key, (*defaults, *_MANNER_DEFAULTS))
            )
    rule = Rule(name, values=values, **manner)
    _check(rule)
    return rule


def rule_json(rule: Rule) -> dict[str, object]:
    """A rule as an object that `rule_of` reads."""
    shown = msgspec.structs.asdict(rule)
    values = shown.pop("values")
    return {**shown, **values}


def describe_faults() -> Iterator[str]:
    """How a rule is written, and a line for every kind: its name, its parameters with their defaults, what it does."""
    yield "A fault is written NAME KEY=VALUE …, for example --fault '" + EXAMPLE + "'. Keys that all have:"
    yield f"  where={'|'.join(PLACES)}  method=GET|PUT|…  path=PATTERN  skip=N  times=N (0: always)  share=0..1  seed=N"
    yield "A place (after) counts from the start of the body, from its end (-5), or in per cent (50%)."
    yield ""
    for kind in KINDS.values():
        yield f"{_with_defaults(kind.name, kind.defaults):48} {kind.text}"
    yield f"{_with_defaults(MIX, DEFAULTS):48} of all kinds, on a share of the requests, at most so many in a row"


def _with_defaults(name: str, defaults: Mapping[str, Value]) -> str:
    return " ".join([name, *(f"{key}={value}" for key, value in defaults.items())])


def _words(text: str) -> Iterator[tuple[str, str]]:
    try:
        first, *others = shlex.split(text)
    except ValueError:
        raise UsageError("a fault is written NAME KEY=VALUE …", subject=text or "(nothing)", hint=EXAMPLE) from None
    yield "fault", first
    for word in others:
        key, equals, value = word.partition("=")
        if not equals or key == "fault":
            raise UsageError("a fault is written NAME KEY=VALUE …", subject=word, hint=f"For example {EXAMPLE}.")
        yield key, value


def _value(name: str, key: str, value: object, default: object) -> Value:
    """A value of the type that the default has."""
    try:
        if isinstance(default, int):
            return int(str(value))
        if isinstance(default, float):
            return float(str(value))
    except ValueError:
        raise UsageError("not a number", subject=f"{name} {key}={value}", hint=f"For example {default}.") from None
    return str(value)


def _check(rule: Rule) -> None:
    if rule.where not in PLACES:
        raise UsageError("no such place", subject=f"where={rule.where}", hint=f"Known: {', '.join(PLACES)}.")
    if not 0 <= rule.share <= 1:
        raise UsageError("a share is a number from 0 to 1", subject=f"share={rule.share}")
    if rule.skip < 0 or rule.times < 0:
        raise UsageError("a number of requests is not negative", subject=f"skip={rule.skip} times={rule.times}")
    for name in (*names_in(rule, "only"), *names_in(rule, "without")):
        if name not in KINDS:
            raise UsageError("no such fault", subject=f"{rule.fault} {name}", hint=_nearest(name, KINDS))
    if not 200 <= int(rule.values.get("status", 200)) <= 599:
        raise UsageError("no status of an answer", subject=f"status={rule.values['status']}", hint="For example 503.")
    _check_place(str(rule.values.get("after", "0")))


def _check_place(text: str) -> None:
    try:
        place_in(text, 0)
    except ValueError:
        raise UsageError("no place in a body", subject=f"after={text}", hint="For example 65536, -5 or 50%.") from None


def _nearest(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), 1, 0.3)
    return f"Did you mean {near[0]}?" if near else "`cloudstore sandbox --list-faults` shows all."


# The plan


class Count(msgspec.Struct):
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


class Strike(msgspec.Struct, frozen=True):
    """A fault for one request."""

    kind: FaultKind
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
        """Every rule and its counts."""
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

    def decide(self, asked: RequestFacts) -> list[Strike]:
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


def _strike(entry: _Entry, asked: RequestFacts, subject: str, number: int) -> Strike | None:
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


def faulty(app: ASGIApp, plan: FaultPlan, *, blob_port: bool) -> ASGIApp:
    """An application some of whose requests go wrong."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        struck = app
        if plan.active:
            trace: RequestTrace = scope["state"][TRACE]
            for strike in plan.decide(facts_of(scope, blob_port=blob_port)):
                trace.met(strike.kind.name)
                struck = _struck(struck, plan, strike, blob_port=blob_port)
        await struck(scope, receive, send)

    return answered


def _struck(app: ASGIApp, plan: FaultPlan, strike: Strike, *, blob_port: bool) -> ASGIApp:
    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        asked, call = facts_of(scope, blob_port=blob_port), (scope, receive, send)
        await strike.kind.apply(FaultyExchange(asked, strike.values, app, call, partial(plan.missed, strike)))

    return answered
