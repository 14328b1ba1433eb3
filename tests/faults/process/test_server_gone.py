"""The server goes in the middle of a download: what arrived is kept, and the rest comes when it is back."""

import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import PATIENCE, PROMPTLY

RATE = 2_500_000
ENOUGH = 1_500_000


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def serve(machine: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Starts a sandbox in a process of its own, always at the same place and with the same data."""
    port = free_port()
    folder = tmp_path_factory.mktemp("server")

    def start(*faults: str) -> Any:
        arguments = [part for fault in faults for part in ("--fault", fault)]
        data = ("--data", str(folder), "--port", str(port))
        server = machine.start("sandbox", *data, *arguments)
        ready = json.loads(server.process.stdout.readline())
        machine.config = Path(ready["config"])
        return server

    return start


@pytest.mark.parametrize("way", ["killed", pytest.param("stopped", marks=pytest.mark.long)])
def test_a_server_that_goes_is_given_up_after_the_wait_and_the_rest_comes_later(
    machine: Any, large: Any, serve: Callable[..., Any], way: str
) -> None:
    server = serve(f"slow rate={RATE} where=blob")
    get = machine.start("get", large.address, "--timeout", "5s")
    machine.arrived(ENOUGH)
    server.tell(signal.SIGKILL if way == "killed" else signal.SIGTERM)
    server.process.wait(PATIENCE)
    ended = get.end()
    assert ended.code == 4, ended.err
    assert re.search(rf"{large.address}: .+\.", ended.err)
    assert len(ended.err.splitlines()) == 1
    (row,) = machine.rows()
    (part,) = machine.parts()
    assert 0 < row["durable"] <= part.stat().st_size
    assert (row["state"], row["code"]) == ("failed", 4)
    (listed,) = machine.listed()
    assert listed["state"] == "failed"
    assert listed["reason"]
    serve()
    again = machine.run("transfers", "run", "--json")
    assert again.code == 0, again.err
    assert (machine.folder / large.name).stat().st_size == large.size
    machine.nothing_left()


@pytest.mark.parametrize(
    ("command", "left"),
    [
        (("get", "acme8:us-east/0f61827e-8d09-4ac7-a13d-0bb9affb404e"), []),
        pytest.param(("ls", "acme:exports/"), [], marks=pytest.mark.long),
        # What was to be sent is known, and can be gone on with.
        pytest.param(("put", __file__, "acme:imports/outreach/nanp/"), [("failed", 4)], marks=pytest.mark.long),
    ],
)
def test_a_server_that_was_never_there_is_said_with_its_name(
    machine: Any, serve: Callable[..., Any], command: tuple[str, ...], left: list[tuple[str, int]]
) -> None:
    server = serve()
    server.tell(signal.SIGKILL)
    server.process.wait(PATIENCE)
    ended = machine.run(*command, "--timeout", "2s")
    assert ended.code == 4, ended.err
    assert "127.0.0.1" in ended.err
    assert ended.seconds < 2 * PROMPTLY
    assert len(ended.err.splitlines()) == 1
    assert [(row["state"], row["code"]) for row in machine.rows()] == left
