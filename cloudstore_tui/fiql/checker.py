"""What is likely, or certain, to go wrong with a filter that parses."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from itertools import pairwise

from cloudstore_tui.fiql.expectations import unexpected
from cloudstore_tui.fiql.fields import CONTENT_FIELDS, KNOWN_FIELDS, STATES, TYPE_NAMES, Unit
from cloudstore_tui.fiql.names import nearest
from cloudstore_tui.fiql.printer import spell_out, unparse
from cloudstore_tui.fiql.problem import Problem
from cloudstore_tui.fiql.times import epoch_ms, parse_iso
from cloudstore_tui.fiql.tree import LIST_OPERATORS, Comparison, Node, Or, comparisons, rewrite

_NUMBER = re.compile(r"-?\d{1,18}")
_SECONDS = range(10**8, 10**11)
"""Numbers that are a time of our days in seconds; the same number of milliseconds would be early 1970."""

_ALIKE = 0.8
"""How like a known name a name must be to be taken for a slip of the pen."""

_PARTS = re.compile(
    r"""(?P<quoted>'(?:\\[\s\S]|[^'\\])*'|"(?:\\[\s\S]|[^"\\])*")|(?P<operator>==|!=|=[a-z]+=)|(?P<mark>[();,])|"""
    r"""(?P<blank>[ \t\r\n]+)|(?P<word>[^"'(),;=!~<> \t\r\n]+)"""
)


def check(node: Node, text: str, zone: tzinfo = UTC, tags: Collection[str] = ()) -> tuple[Problem, ...]:
    """The problems of a filter, in the order of their places.

    Args:
        node: the tree of the filter.
        text: the filter as it was written.
        zone: what an ISO time without a zone is taken to be in.
        tags: names of tags that objects are known to have, beside those that everybody knows.
    """
    found = [*_blanks(text), *_mixed(node, text), *_loose_state(node), *unexpected(node, zone)]
    names = sorted({*KNOWN_FIELDS, *tags})
    for term in comparisons(node):
        found += [*_time(term, zone), *_no_list(term, text), *_names(term, names), *_negated_state(term)]
    mended = unparse(rewrite(node, lambda term: _mend(term, zone)))
    return tuple(
        replace(problem, corrected=mended) if problem.fatal and problem.corrected is not None else problem
        for problem in sorted(found, key=lambda problem: problem.position)
    )


def _blanks(text: str) -> Iterator[Problem]:
    for match in _PARTS.finditer(text):
        if match.lastgroup == "blank" and match.start() > 0 and match.end() < len(text):
            hint = "Leave it out; only a value in quotes may hold blanks."
            yield Problem(match.start(), "a blank between the parts of the filter", hint, True, "")
            return
    if text != text.strip(" \t\r\n"):
        yield Problem(0, "blanks around the filter", "Leave them out.", True, "")


def _time(term: Comparison, zone: tzinfo) -> Iterator[Problem]:
    if CONTENT_FIELDS.get(term.selector) is not Unit.EPOCH_MS:
        return
    for value in term.values:
        if not _NUMBER.fullmatch(value):
            known = parse_iso(value, zone) is not None
            hint = "The service takes epoch milliseconds." if known else "Write a date such as 2024-09-01 with --since."
            message = f"{term.selector} takes no date like {value!r}" if known else f"{value!r} is no time"
            yield Problem(term.start, message, hint, True, "" if known else None)
        elif int(value) in _SECONDS:
            hint = f"Write {value}000 if you mean seconds: the service takes milliseconds."
            yield Problem(term.start, f"{value} looks like seconds", hint)


def _no_list(term: Comparison, text: str) -> Iterator[Problem]:
    if term.operator in LIST_OPERATORS and not text[: term.end].endswith(")"):
        hint = f"Write the list in parentheses, also for one value: {unparse(term)}."
        yield Problem(term.start, f"{term.operator} takes a list", hint, True, "")


def _names(term: Comparison, names: list[str]) -> Iterator[Problem]:
    if term.selector not in names and (near := nearest(term.selector, names, _ALIKE)):
        hint = f"Did you mean {near}? An unknown name is taken for a tag, and finds nothing."
        yield Problem(term.start, f"{term.selector} is no field or tag that we know", hint)
    known = {"type": TYPE_NAMES, "objectState": STATES}.get(term.selector, ())
    for value in term.values:
        if known and value not in known and (near := nearest(value, known, _ALIKE)):
            yield Problem(term.start, f"{value} is no {term.selector} that we know", f"Did you mean {near}?")


def _mixed(node: Node, text: str) -> Iterator[Problem]:
    seen: list[set[str]] = [set()]
    for match in _PARTS.finditer(text):
        mark = match.group() if match.lastgroup == "mark" else ""
        if mark == "(":
            seen.append(set())
        elif mark == ")" and len(seen) > 1:
            seen.pop()
        elif mark:
            seen[-1].add(mark)
        if len(seen[-1]) == 2:
            hint = f"`;` binds tighter, so this is read as {spell_out(node)}. Write the parentheses that you mean."
            yield Problem(match.start(), "`,` and `;` without parentheses", hint)
            return


def _negated_state(term: Comparison) -> Iterator[Problem]:
    if term.selector == "objectState" and term.operator in ("!=", "=out="):
        hint = "Naming objectState ends the rule that only AVAILABLE objects are found: all other states come too."
        yield Problem(term.start, "a negated objectState", hint)


def _loose_state(node: Node) -> Iterator[Problem]:
    if not isinstance(node, Or):
        return
    for one, other in pairwise(node.terms):
        if _is_state(one) != _is_state(other):
            state = one if _is_state(one) else other
            hint = "`,` is OR: this finds every object in that state. Write `;` for AND."
            yield Problem(next(comparisons(state)).start, "objectState is only one of several alternatives", hint)
            return


def _is_state(node: Node) -> bool:
    return isinstance(node, Comparison) and node.selector == "objectState"


def _mend(term: Comparison, zone: tzinfo) -> Comparison:
    if CONTENT_FIELDS.get(term.selector) is not Unit.EPOCH_MS:
        return term
    moments = [(value, parse_iso(value, zone)) for value in term.values]
    return replace(term, values=tuple(str(epoch_ms(moment)) if moment else value for value, moment in moments))
