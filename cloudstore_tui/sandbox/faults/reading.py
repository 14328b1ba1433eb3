"""Rules as people and programs write them."""

import difflib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.sandbox.faults import mix
from cloudstore_tui.sandbox.faults.asked import PLACES
from cloudstore_tui.sandbox.faults.catalogue import KINDS, MIX
from cloudstore_tui.sandbox.faults.place import place_in
from cloudstore_tui.sandbox.faults.rule import Rule, Value

EXAMPLE = "reset-after after=65536 where=blob times=3"
_MANNER = {field.name: field.default for field in fields(Rule) if field.name not in ("fault", "values")}
_ALWAYS = ("slow", MIX)
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
    defaults: Mapping[str, Value] = mix.DEFAULTS if name == MIX else KINDS[name].defaults
    manner: dict[str, Any] = {"times": 0} if name in _ALWAYS else {}
    values: dict[str, Value] = {}
    for key, value in given.items():
        if key in defaults:
            values[key] = _value(name, key, value, defaults[key])
        elif key in _MANNER:
            manner[key] = _value(name, key, value, _MANNER[key])
        elif key != "fault":
            raise UsageError("no such parameter", subject=f"{name} {key}", hint=_nearest(key, (*defaults, *_MANNER)))
    rule = Rule(name, values=values, **manner)
    _check(rule)
    return rule


def rule_json(rule: Rule) -> dict[str, object]:
    """A rule as an object that `rule_of` reads."""
    shown = asdict(rule)
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
    yield f"{_with_defaults(MIX, mix.DEFAULTS):48} of all kinds, on a share of the requests, at most so many in a row"


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
    for name in (*mix.names_in(rule, "only"), *mix.names_in(rule, "without")):
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
