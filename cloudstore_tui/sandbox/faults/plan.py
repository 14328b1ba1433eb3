"""The faults in force: parses rules, counts how often each has struck, and decides what happens to a request."""

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
    offset_in,
)
from cloudstore_tui.sandbox.log import TRACE, RequestTrace

# A mix: faults for a share of all requests, which are the same for the same seed in whatever order they come


MIX = "mix"
"""The fault of a rule that draws from all others."""

DEFAULTS: Mapping[str, Value] = {"most": 2, "only": "", "without": ""}
"""Consecutive faults of a path, bounded so that there is progress; names of the only kinds, or of excluded kinds."""


def names_in(rule: Rule, key: str) -> list[str]:
    """The comma-separated names in a parameter."""
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

    def draw(self, request: RequestFacts, subject: str, number: int) -> tuple[FaultKind, dict[str, Value]] | None:
        """The fault of the request of this number for a subject, and its parameters; `None` for no fault."""
        chance = Random(f"{self._rule.seed} {subject} {number}")
        kinds = [kind for kind in self._kinds if self._fits(kind, request) and not self._is_used_up(kind, subject)]
        if not kinds or self._in_a_row[subject] >= self._most or chance.random() >= self._rule.share:
            self._in_a_row.pop(subject, None)
            return None
        kind = chance.choice(kinds)
        self._in_a_row[subject] += 1
        if kind.once_per_object:
            self._struck[subject].add(kind.name)
        place: dict[str, Value] = {"after": f"{chance.randrange(100)}%"} if "after" in kind.defaults else {}
        return kind, {**kind.defaults, **place, **kind.in_mix}

    def _fits(self, kind: FaultKind, request: RequestFacts) -> bool:
        return kind.fits(request) and (kind.mixes(request) or self._all)

    def _is_used_up(self, kind: FaultKind, subject: str) -> bool:
        return kind.once_per_object and kind.name in self._struck.get(subject, ())


# Rules as text and as JSON


EXAMPLE = "reset-after after=65536 where=blob times=3"
_OPTION_DEFAULTS = {
    field.name: field.default for field in msgspec.structs.fields(Rule) if field.name not in ("fault", "values")
}
_UNLIMITED = ("slow", MIX)
"""Faults that strike all requests unless the rule says how many."""


def rule_of(rule_or_text: str | Mapping[str, object] | Rule) -> Rule:
    """A rule from its text or its JSON, or checked once more.

    Raises:
        UsageError: there is no such fault or parameter, or a value is invalid.
    """
    if isinstance(rule_or_text, Rule):
        rule_or_text = rule_json(rule_or_text)
    if isinstance(rule_or_text, str):
        rule_or_text = dict(_parse_words(rule_or_text))
    name = str(rule_or_text.get("fault", ""))
    if name != MIX and name not in KINDS:
        raise UsageError("no such fault", subject=name or "(no name)", hint=_nearest(name, (MIX, *KINDS)))
    defaults: Mapping[str, Value] = DEFAULTS if name == MIX else KINDS[name].defaults
    options: dict[str, Any] = {"times": 0} if name in _UNLIMITED else {}
    values: dict[str, Value] = {}
    for key, value in rule_or_text.items():
        if key in defaults:
            values[key] = _value(name, key, value, defaults[key])
        elif key in _OPTION_DEFAULTS:
            options[key] = _value(name, key, value, _OPTION_DEFAULTS[key])
        elif key != "fault":
            raise UsageError(
                "no such parameter", subject=f"{name} {key}", hint=_nearest(key, (*defaults, *_OPTION_DEFAULTS))
            )
    rule = Rule(name, values=values, **options)
    _check(rule)
    return rule


def rule_json(rule: Rule) -> dict[str, object]:
    """A rule as an object that `rule_of` reads."""
    shown = msgspec.structs.asdict(rule)
    values = shown.pop("values")
    return {**shown, **values}


def describe_faults() -> Iterator[str]:
    """The syntax of a rule, and a line for every kind: name, parameters with defaults, and what it does."""
    yield "A fault is written NAME KEY=VALUE …, for example --fault '" + EXAMPLE + "'. Keys that all have:"
    yield f"  where={'|'.join(PLACES)}  method=GET|PUT|…  path=PATTERN  skip=N  times=N (0: always)  share=0..1  seed=N"
    yield "An offset (after) counts from the start of the body, from its end (-5), or in per cent (50%)."
    yield ""
    for kind in KINDS.values():
        yield f"{_with_defaults(kind.name, kind.defaults):48} {kind.text}"
    yield f"{_with_defaults(MIX, DEFAULTS):48} Faults of all kinds for a share of the requests, at most `most` in a row"


def _with_defaults(name: str, defaults: Mapping[str, Value]) -> str:
    return " ".join([name, *(f"{key}={value}" for key, value in defaults.items())])


def _parse_words(text: str) -> Iterator[tuple[str, str]]:
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
    """A value, converted to the type of the default."""
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
    _check_offset(str(rule.values.get("after", "0")))


def _check_offset(text: str) -> None:
    try:
        offset_in(text, 0)
    except ValueError:
        raise UsageError("no place in a body", subject=f"after={text}", hint="For example 65536, -5 or 50%.") from None


def _nearest(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), 1, 0.3)
    return f"Did you mean {near[0]}?" if near else "`cloudstore sandbox --list-faults` shows all."


# The plan


class Count(msgspec.Struct):
    """What a rule has done so far."""

    matched: int = 0
    """Requests that it was for."""
    struck: int = 0
    """Requests that it broke."""


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
    """Rules in order of precedence: the first one that strikes a request is its fault.

    Raises:
        UsageError: a rule is invalid.
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
        """Whether there is any rule. Read by every request, without the lock."""
        return bool(self._entries)

    @property
    def rules(self) -> list[tuple[Rule, Count]]:
        """Every rule and its counts."""
        with self._lock:
            return [(entry.rule, Count(entry.count.matched, entry.count.struck)) for entry in self._entries]

    @property
    def counts(self) -> dict[str, int]:
        """The number of requests that each kind of fault has struck."""
        with self._lock:
            return dict(self._struck)

    def add(self, *rules: str | Mapping[str, object] | Rule) -> None:
        """Append rules; all or none.

        Raises:
            UsageError: one is invalid.
        """
        read = tuple(_Entry(rule_of(rule)) for rule in rules)
        with self._lock:
            self._entries += read

    def clear(self) -> None:
        """Remove all rules, and set all counts to 0."""
        self._set(())

    def reset(self) -> None:
        """Return to the rules of the start, with all counts at 0."""
        self._set(self._started)

    def decide(self, request: RequestFacts) -> list[Strike]:
        """The faults of a request, innermost first: those that combine, and at most one other."""
        subject = f"{request.method} {request.path}" + (f"?{request.query}" if request.role != "blob" else "")
        main: Strike | None = None
        combines: list[Strike] = []
        with self._lock:
            self._numbers[subject] += 1
            for entry in self._entries:
                if main is not None and not _combines(entry.rule):
                    continue
                strike = _strike(entry, request, subject, self._numbers[subject])
                if strike is None:
                    continue
                self._count(strike, 1)
                if strike.kind.combines:
                    combines.append(strike)
                else:
                    main = strike
        return combines if main is None else [*combines, main]

    def missed(self, strike: Strike) -> None:
        """Take a strike back, because the fault did not apply to the answer."""
        with self._lock:
            self._count(strike, -1)

    def stored(self, name: str, subjects: Sequence[str]) -> Mapping[str, Value] | None:
        """The parameters of a fault in what is stored under one of these names; `None` if there is none."""
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


def _combines(rule: Rule) -> bool:
    return rule.fault != MIX and KINDS[rule.fault].combines


def _strike(entry: _Entry, request: RequestFacts, subject: str, number: int) -> Strike | None:
    """The fault that one rule has for a request, if any."""
    rule, count = entry.rule, entry.count
    kind = KINDS.get(rule.fault)
    if not rule.matches(request) or (kind is not None and (kind.stored or not kind.fits(request))):
        return None
    count.matched += 1
    if count.matched <= rule.skip or (rule.times and count.struck >= rule.times):
        return None
    if entry.mix is not None:
        drawn = entry.mix.draw(request, subject, number)
        return Strike(*drawn, entry) if drawn else None
    if kind is None or Random(f"{rule.seed} {rule.fault} {subject} {number}").random() >= rule.share:
        return None
    return Strike(kind, {**kind.defaults, **rule.values}, entry)


def faulty(app: ASGIApp, plan: FaultPlan, *, blob_port: bool) -> ASGIApp:
    """An application in which some requests meet faults."""

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
        request, call = facts_of(scope, blob_port=blob_port), (scope, receive, send)
        await strike.kind.apply(FaultyExchange(request, strike.values, app, call, partial(plan.missed, strike)))

    return answered
