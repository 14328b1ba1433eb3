"""What is to be said of a filter or phrase before it is sent."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, tzinfo

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql import Compiled, Problem, check, explain, is_fiql, understand
from cloudstore_tui.state.searches import missing, placeholders_of

_PLACE = re.compile(r" \(at character \d+\)\Z")
"""What an error says for those who see no caret."""


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong, or looks wrong, and where."""

    position: int
    text: str
    fatal: bool
    corrected: str = ""
    """The whole text with it mended, where that is possible."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A text, understood as far as it can be."""

    meaning: Compiled | None = None
    """`None` if it has none."""
    reading: str = ""
    """What it finds, in words."""
    objections: tuple[Objection, ...] = ()

    @property
    def fatal(self) -> Objection | None:
        """Why it cannot be sent."""
        return next((found for found in self.objections if found.fatal), None)

    @property
    def first(self) -> Objection | None:
        """What is to be said: why it cannot be sent, or else what looks wrong first."""
        return self.fatal or next(iter(self.objections), None)


def judge(text: str, zone: tzinfo, now: datetime, tags: Collection[str] = ()) -> Verdict:
    """The verdict on a filter or phrase; an empty one finds everything.

    Args:
        text: what was typed.
        zone: what times without a zone are in.
        now: the present moment, with a zone.
        tags: names of tags that objects are known to have.
    """
    if placeholders := placeholders_of(text):
        return Verdict(objections=(_objection(missing(text, placeholders[0])),))
    try:
        meaning = understand(text, zone, now)
    except FilterError as error:
        return Verdict(objections=(_objection(error),))
    if meaning.node is None:
        return Verdict(meaning, "everything that is available" if meaning.local or text.strip() else "")
    found = check(meaning.node, text, zone, tags) if is_fiql(text) else ()
    return Verdict(meaning, explain(meaning.node, zone), tuple(map(_likely, found)))


def _objection(error: FilterError) -> Objection:
    message = _PLACE.sub("", error.message)
    return Objection(error.position, f"{message[:1].upper()}{message[1:]}. {error.hint}".strip(), fatal=True)


def _likely(problem: Problem) -> Objection:
    return Objection(problem.position, problem.sentence, problem.fatal, problem.corrected or "")
