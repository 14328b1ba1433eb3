"""The hunt for the objects of a call: from value to value, and never without end."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.syntax import comparisons
from cloudstore_tui.providers.eightbyeight.related import MAX_REQUESTS, ROUNDS, filters, related_to
from cloudstore_tui.providers.eightbyeight.search import Searcher

HERE = Location("acme8", "uk")


@dataclass
class Archive:
    """Answers every search with something new."""

    endless: bool
    fails_at: int = 0
    asked: list[str] = field(default_factory=list)

    async def page(self, query: Query, cursor: str | None) -> Page[StoredObject]:
        self.asked.append(query.filter)
        if len(self.asked) == self.fails_at:
            raise NetworkError("no answer")
        name = f"o{len(self.asked)}"
        shared = next((term.selector, term.value) for term in comparisons(parse(query.filter)))
        entry = StoredObject(Location("acme8", "uk", name), name, id=name, tags=(("callId", name), shared))
        return Page((entry,), "more" if self.endless else None, None, ("Mind this.",))


SEED = StoredObject(HERE, "", tags=(("callId", "x"),))


async def related(archive: Archive, entry: StoredObject = SEED, *, everywhere: bool = False) -> Page[StoredObject]:
    return await related_to(cast(Searcher, archive), entry, everywhere=everywhere)


async def test_a_value_that_half_the_archive_has_does_not_fetch_that() -> None:
    archive = Archive(endless=True)
    page = await related(archive)
    assert len(archive.asked) == len(page.items) == MAX_REQUESTS
    assert page.warnings == ("Mind this.",)
    assert [failure.code for failure in page.failures] == [1]
    assert "too many objects share a value" in page.failures[0].message


async def test_a_chain_of_calls_is_followed_to_the_other_leg_and_no_further() -> None:
    archive = Archive(endless=False)
    page = await related(archive)
    assert len(archive.asked) == ROUNDS
    assert page.warnings == ("Mind this.",)


async def test_nothing_is_asked_for_twice() -> None:
    archive = Archive(endless=False)
    await related(archive)
    terms = [term for text in archive.asked for term in text.rpartition(";")[0].strip("()").split(",")]
    assert len(terms) == len(set(terms))


async def test_what_was_found_before_something_failed_is_kept_and_the_gap_reported() -> None:
    page = await related(Archive(endless=False, fails_at=2))
    assert [entry.id for entry in page.items] == ["o1"]
    assert [str(failure) for failure in page.failures] == ["No answer."]
    with pytest.raises(NetworkError):
        await related(Archive(endless=False, fails_at=1))


async def test_of_what_nothing_is_known_nothing_is_asked() -> None:
    archive = Archive(endless=False)
    page = await related(archive, StoredObject(HERE, "x"), everywhere=True)
    assert (archive.asked, page.items) == ([], ())


def test_filters_stay_short_enough_for_an_address_and_lose_no_term() -> None:
    terms = [f"callId=={number}" for number in range(60)]
    texts = list(filters(terms))
    assert all(len(text) < 2_000 for text in texts)
    assert all(parse(text) for text in texts)
    assert [term for term in terms if not any(term in text for text in texts)] == []
