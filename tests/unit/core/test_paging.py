"""Walking a listing: everything once, an end in every case; and how long that will take."""

import pytest

from cloudstore_tui.core.errors import ForbiddenError, NetworkError, UnreadableError
from cloudstore_tui.core.paging import EndlessListingError, EtaEstimator, Page, Pager


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


async def test_what_the_pages_lack_is_reported_with_each_and_added_up() -> None:
    refused, lost = ForbiddenError("not yours", subject="acme8:uk/"), UnreadableError(2, subject="acme8:ca/")
    pages: dict[str | None, Page[int]] = {
        None: Page((1,), "a", failures=(refused, lost)),
        "a": Page((2,), "b", failures=(UnreadableError(1, subject="acme8:us/"),)),
        "b": Page((3,), failures=(refused, UnreadableError(1_200, subject="acme8:ca/"))),
    }
    pager = pager_over(pages)
    assert [len(page.failures) async for page in pager] == [2, 1, 2]
    assert [str(failure).partition(",")[0] for failure in pager.failures] == [
        "acme8:uk/: not yours.",
        "acme8:ca/: 1",
        "acme8:us/: 1 record of the service cannot be read",
    ]
    assert [getattr(failure, "number", 0) for failure in pager.failures] == [0, 1_202, 1]


async def test_what_was_lost_is_known_where_a_service_repeats_itself() -> None:
    again = Page((1,), "a", failures=(UnreadableError(1, subject="acme8:ca/"),))
    pager = pager_over({None: again, "a": again})
    with pytest.raises(EndlessListingError):
        await collect(pager)
    assert [failure.subject for failure in pager.failures] == ["acme8:ca/"]


async def test_rows_that_do_not_meet_the_filter_are_counted_at_the_end() -> None:
    pager = pager_over({None: Page((1, 2), "a", unmatched=2), "a": Page((3,), unmatched=1)})
    warnings = [page.warnings async for page in pager]
    assert warnings[0] == ()
    assert warnings[1][0].startswith("3 of these do not meet the filter to the letter")


# How long it will take


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_forecast_before_anything_is_known() -> None:
    clock = Clock()
    eta = EtaEstimator(clock=clock)
    assert eta.seconds is None
    clock.now += 1
    eta.update(100, None)
    assert eta.seconds is None
    eta.update(0, 50)
    assert eta.seconds == 0.5


def test_without_a_pace_it_goes_by_what_came() -> None:
    clock = Clock()
    eta = EtaEstimator(clock=clock)
    clock.now += 2
    eta.update(100, 1_000)
    assert eta.seconds == 20


def test_a_burst_and_a_pause_say_nothing_of_the_pace() -> None:
    clock = Clock()
    eta = EtaEstimator(60, clock=clock)
    for _page in range(10):
        clock.now += 0.1
        eta.update(100, 5_000)
    assert eta.seconds == 50
    clock.now += 11
    assert eta.seconds == 50


def test_a_service_that_is_slower_than_the_pace_is_what_counts() -> None:
    clock = Clock()
    eta = EtaEstimator(60, clock=clock)
    for _page in range(10):
        clock.now += 4
        eta.update(100, 5_000)
    assert eta.seconds == 200
