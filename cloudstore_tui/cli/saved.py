"""Saved searches on the command line: `@yesterday queue="Sales UK"`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cloudstore_tui.cli.save import saved_searches
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.fiql import phrase_of
from cloudstore_tui.state.searches import SIGN, fill

_GIVEN = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=(?!=|[A-Za-z]+=)([\s\S]*)")
"""A value for a placeholder; what looks like FIQL is none."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the words of a command line ask for."""

    texts: tuple[str, ...]
    """Filters and phrases that must all hold."""
    region: str = ""
    """Where to look if nobody says."""


def wish_of(words: Sequence[str], profile: str) -> Wish:
    """What words ask for: a phrase or a filter, or first `@name` with values for its placeholders and then either.

    Raises:
        UsageError: there is no such search, or it is for another profile, or a value is for no placeholder of it.
        FilterError: a placeholder has no value.
        ConfigError: the file of the searches cannot be used.
    """
    if not words or not words[0].startswith(SIGN):
        return Wish((phrase_of(words),))
    search = saved_searches().named(words[0])
    if not search.is_for(profile):
        hint = f"It is for {search.profile}; without a profile in the file it is for all."
        raise UsageError(f"is not for {profile}", subject=words[0], hint=hint)
    given = {match[1]: match[2] for word in words[1:] if (match := _GIVEN.fullmatch(word))}
    rest = [word for word in words[1:] if not _GIVEN.fullmatch(word)]
    return Wish((fill(search.find, given), phrase_of(rest)), search.region)
