"""A sandbox that the tests of one module have for themselves: they may delete in it, and move its clock."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest

from cloudstore_tui.sandbox.server import Ready, Sandbox, SandboxOptions

Started = Callable[[pytest.TempPathFactory], Iterator[tuple[Sandbox, Ready]]]


def own_sandbox(objects: int = 0, scope: Literal["module", "function"] = "module") -> Started:
    """The fixture that a module calls `sandbox_server`: all other fixtures of a sandbox are of this one then."""

    @pytest.fixture(scope=scope)
    def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Ready]]:
        sandbox = Sandbox(SandboxOptions(data=tmp_path_factory.mktemp("sandbox"), objects=objects))
        yield sandbox, sandbox.start()
        sandbox.stop()

    return started
