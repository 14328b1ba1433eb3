"""Walking a listing: everything once, an end in every case."""

import pytest

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.page import EndlessListingError, Page, Pager


def pager_over(pages: dict[str | None, Page[int]]) -> Pager[int]:
    async def fetch(cursor: str | None) -> Page[int]:
        return pages[cursor]

    return Pager(fetch, lambda item: item)


async def collect(pager: Pager[int]) -> list[int]:
    return [item async for page in pager for item in page.items]


async def test_pages_that_overlap_give_each_item_once() -> None:
    pager = pager_over({None: Page((1, 2, 3), "a"), "a": Page((3, 4), "b"), "b": Page((4, 5))})
    assert await collect(pager) == [1, 2, 3, 4, 5]
    assert pager.ended


async def test_an_empty_page_in_the_middle_does_not_end_the_walk() -> None:
    pager = pager_over({None: Page((1,), "a"), "a": Page((), "b"), "b": Page((2,))})
    assert await collect(pager) == [1, 2]


async def test_a_service_that_repeats_itself_is_given_up_and_what_was_found_stays() -> None:
    pager = pager_over({None: Page((1,), "a"), "a": Page((1,), "b"), "b": Page((1,), "a")})
    found = [await pager.next_page(), await pager.next_page(), await pager.next_page()]
    with pytest.raises(EndlessListingError) as given_up:
        await pager.next_page()
    assert [item for page in found for item in page.items] == [1]
    assert pager.ended
    assert given_up.value.code == 1


async def test_a_page_that_failed_can_be_asked_for_again() -> None:
    answers: list[Page[int] | NetworkError] = [Page((1,), "a"), NetworkError("no answer"), Page((2,))]

    async def fetch(cursor: str | None) -> Page[int]:
        answer = answers.pop(0)
        if isinstance(answer, NetworkError):
            raise answer
        return answer

    pager = Pager(fetch, lambda item: item)
    assert (await pager.next_page()).items == (1,)
    with pytest.raises(NetworkError):
        await pager.next_page()
    assert (await pager.next_page()).items == (2,)
    assert pager.ended
