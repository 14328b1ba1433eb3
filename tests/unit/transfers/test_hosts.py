"""A host that is down is tried by one transfer, and by all again once it answers."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import MissingError, NetworkError, ReplyError, StorageError, UnavailableError
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.net.failures import HostError
from cloudstore_tui.net.hosts import MAX_CONNECT_FAILURES, MAX_PROBE_PAUSE_S, MAX_TOKENS, HostPermit, Hosts
from cloudstore_tui.net.reply import BlobReply
from cloudstore_tui.net.retry import PROGRESS_BYTES, RetryBudget
from cloudstore_tui.net.transport import NoSink
from cloudstore_tui.transfers.model import DownloadRequest, State
from tests.support.waiting import PATIENCE

URL = Secret("https://store.example/a?sig=x")
OTHER = Secret("https://other.example/a?sig=x")
NO_CONNECTION = HostError("store.example cannot be reached", connected=False)
LOST = HostError("the connection was lost", connected=True)
LATE = HostError("store.example does not answer", connected=True, timed_out=True)
BUSY = UnavailableError("the store answers 503")


class Wanting:
    """A sink that wants the body."""

    def accept(self, _reply: BlobReply) -> bool:
        return True

    def write(self, data: memoryview) -> None:
        assert data


class Steps:
    """Several transfers on one set of hosts, with what their waiting said."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.hosts = Hosts()
        self.notes: list[str] = []
        self.entered: list[str] = []

    def visit(self) -> HostPermit:
        return HostPermit(self.hosts, self.clock, self.notes.append)

    def patience(self, give_up: float = 1e9) -> RetryBudget:
        return RetryBudget(self.clock, give_up)

    async def one(self, error: Exception | None, url: Secret = URL, *, progress: bool = False) -> int:
        """One request that ends so; how often it was held up before."""
        held = 0
        try:
            with self.visit() as going:
                while await going.enter(url, self.patience()):
                    held += 1
                going.watch(NoSink())
                if progress:
                    going.progressed()
                if error is not None:
                    raise error
        except StorageError:
            pass
        return held

    async def bring_down(self) -> None:
        for _ in range(MAX_CONNECT_FAILURES):
            await self.one(NO_CONNECTION)


@pytest.fixture
def steps(clock: Any) -> Steps:
    return Steps(clock)


async def test_a_host_that_answers_holds_nobody_up(steps: Steps) -> None:
    for error in [None, LOST, MissingError("gone")] * 20:
        assert await steps.one(error) == 0
    assert steps.notes == []


async def test_ten_connections_that_fail_bring_a_host_down_and_no_other(steps: Steps) -> None:
    for _ in range(MAX_CONNECT_FAILURES):
        assert await steps.one(NO_CONNECTION) == 0
    assert await steps.one(NO_CONNECTION, url=OTHER) == 0
    assert await steps.one(NO_CONNECTION) == 1
    assert steps.clock.pauses[-1] == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize("between", [None, LOST, MissingError("gone"), BUSY])
async def test_only_failures_in_a_row_count(steps: Steps, between: Exception | None) -> None:
    for _ in range(3):
        for _ in range(MAX_CONNECT_FAILURES - 1):
            assert await steps.one(NO_CONNECTION) == 0
        await steps.one(between)
    assert steps.notes == []


async def test_what_failed_before_the_host_was_asked_says_nothing_of_it(steps: Steps) -> None:
    for _ in range(MAX_CONNECT_FAILURES - 1):
        await steps.one(NO_CONNECTION)
    with steps.visit() as visit:
        await visit.enter(URL, steps.patience())
    assert await steps.one(NO_CONNECTION) == 0
    assert await steps.one(None) == 1


async def test_tries_come_less_and_less_often_up_to_a_minute(steps: Steps) -> None:
    await steps.bring_down()
    for _ in range(6):
        await steps.one(NO_CONNECTION)
    assert [round(pause) for pause in steps.clock.pauses] == [5, 10, 20, 40, 60, 60]
    assert MAX_PROBE_PAUSE_S == 60


async def test_one_tries_and_the_others_go_on_with_its_first_byte(steps: Steps) -> None:
    await steps.bring_down()
    prober = steps.visit()
    with prober:
        assert await prober.enter(URL, steps.patience())
        waiting = [asyncio.create_task(steps.one(None)) for _ in range(3)]
        await asyncio.sleep(0)
        assert steps.notes.count("waiting for store.example; one transfer tries it") == 3
        assert not await prober.enter(URL, steps.patience())
        sink = prober.watch(Wanting())
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        await asyncio.to_thread(sink.accept, BlobReply(200, {}, b""))
        sink.write(memoryview(b"x"))
        assert await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE) == [1, 1, 1]
    assert await steps.one(None) == 0


async def test_when_a_try_fails_another_one_tries(steps: Steps) -> None:
    await steps.bring_down()
    first = steps.visit()
    with first:
        await first.enter(URL, steps.patience())
        second = asyncio.create_task(steps.one(None))
        await asyncio.sleep(0)
        assert not second.done()
    assert await asyncio.wait_for(second, PATIENCE) == 1
    assert len(steps.clock.pauses) == 2


async def test_one_that_is_cancelled_while_it_tries_leaves_the_trying_to_others(steps: Steps) -> None:
    await steps.bring_down()
    started = asyncio.Event()

    async def hang() -> None:
        with steps.visit() as visit:
            await visit.enter(URL, steps.patience())
            started.set()
            await asyncio.sleep(100)

    first = asyncio.create_task(hang())
    await started.wait()
    second = asyncio.create_task(steps.one(None))
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.wait_for(second, PATIENCE) == 1


async def test_who_has_no_patience_left_does_not_wait(steps: Steps) -> None:
    await steps.bring_down()
    with pytest.raises(NetworkError, match="cannot be reached"), steps.visit() as visit:
        await visit.enter(URL, steps.patience(4))
    assert steps.clock.pauses == []


async def test_who_loses_patience_while_others_try_stops_waiting(steps: Steps) -> None:
    await steps.bring_down()
    hasty, patient, enough = steps.patience(12), steps.patience(), asyncio.Event()

    async def wait(patience: RetryBudget) -> None:
        with steps.visit() as visit:
            await visit.enter(URL, patience)
            await enough.wait()

    waiting = []
    for patience in (patient, patient, hasty):
        waiting.append(asyncio.create_task(wait(patience)))
        await asyncio.sleep(0)
    steps.clock.passed += 60
    waiting[0].cancel()
    with pytest.raises(NetworkError, match="cannot be reached"):
        await asyncio.wait_for(waiting[2], PATIENCE)
    enough.set()
    await asyncio.wait_for(waiting[1], PATIENCE)


@pytest.mark.parametrize(
    ("error", "most"), [(BUSY, MAX_TOKENS // 5), (LOST, MAX_TOKENS // 5), (LATE, MAX_TOKENS // 10)]
)
async def test_retries_are_paid_for_until_nothing_is_left(steps: Steps, error: Exception, most: int) -> None:
    for _ in range(most + 1):
        assert await steps.one(error) == 0
    assert await steps.one(error) == 1
    assert await steps.one(None) == 1
    assert await steps.one(None) == 0


async def test_successes_pay_for_retries(steps: Steps) -> None:
    for _ in range(200):
        assert await steps.one(BUSY) == 0
        for _ in range(5):
            await steps.one(None)
    assert steps.notes == []


async def test_a_connection_that_is_lost_after_progress_costs_nothing(steps: Steps) -> None:
    for _ in range(300):
        assert await steps.one(LOST, progress=True) == 0
    assert steps.notes == []


async def test_transfers_of_a_host_that_is_down_wait_together_and_go_on_together(
    fresh_engine: Any, server: Any, provider: Any, clock: Any, content: bytes, folder: Any, answer: Any
) -> None:
    for number in range(4):
        server.put(f"/{number}", content + bytes(number) + bytes(PROGRESS_BYTES))
    address, server_url = server.url, "http://127.0.0.1:1"
    tried = 0
    sign = provider.source

    async def source(location: Location, known: Any) -> Any:
        nonlocal tried
        tried += 1
        server.url = address if clock.passed > 400 else server_url
        found = await sign(location, known)
        server.url = address
        return found

    provider.source = source
    running = fresh_engine(timeouts={"give_up": float("inf")})
    notes: set[str] = set()
    numbers = [running.submit(DownloadRequest(Location("tiny", path=f"{number}"), folder)) for number in range(4)]
    waits = asyncio.gather(*(running.wait(number) for number in numbers))
    while not waits.done():
        notes |= {transfer.note for transfer in running.snapshot()}
        await asyncio.sleep(0)
    assert [transfer.state for transfer in await waits] == [State.DONE] * 4
    assert "waiting for 127.0.0.1; one transfer tries it" in notes
    assert 10 < tried < 80
    await running.close()


async def test_downloads_from_a_dead_host_fail_in_time_each_about_its_own_object(
    fresh_engine: Any, server: Any, provider: Any, clock: Any, folder: Any
) -> None:
    for number in range(4):
        server.put(f"/{number}", b"content")
    sign = provider.source

    async def source(location: Location, known: Any) -> Any:
        found = await sign(location, known)
        return replace(found, url=Secret("http://127.0.0.1:1/x"))

    provider.source = source
    running, began = fresh_engine(timeouts={"give_up": 900}), clock.monotonic()
    numbers = [running.submit(DownloadRequest(Location("tiny", path=f"{number}"), folder)) for number in range(4)]
    ended = [await running.wait(number) for number in numbers]
    assert [transfer.state for transfer in ended] == [State.FAILED] * 4
    assert [transfer.error.subject for transfer in ended] == [f"tiny:{number}" for number in range(4)]
    assert len({id(transfer.error) for transfer in ended}) == 4
    assert clock.monotonic() - began < 4 * 900
    await running.close()


@pytest.mark.parametrize("kind", ["a web page for each object", "a web page for each link"])
async def test_a_web_page_in_place_of_every_answer_is_final_after_a_minute(
    fresh_engine: Any, server: Any, provider: Any, clock: Any, folder: Any, answer: Any, kind: str
) -> None:
    server.put("/x", b"content")
    if kind == "a web page for each object":
        page = answer(status=200, body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"})
        server.answer(*[page] * 500)
    else:
        provider.source_errors.extend([ReplyError("the answer is not the API's but an HTML page")] * 500)
    running, began = fresh_engine(timeouts={"give_up": 900}), clock.monotonic()
    ended = await running.wait(running.submit(DownloadRequest(Location("tiny", path="x"), folder)))
    assert ended.state is State.FAILED
    assert 60 <= clock.monotonic() - began < 200
    assert ended.error.code == 4
    await running.close()
