"""The environment of the programs that tests start."""

import os
from pathlib import Path


def own_environment(home: Path | None = None, **variables: str) -> dict[str, str]:
    """A clean one: where programs are, a home (else that of the test), what the test adds, and the clock of the tests.

    Below libfaketime a program without it would live years before the sandbox that it talks to.
    """
    clock = [name for name in os.environ if name.startswith("FAKETIME")]
    inherited = ["PATH", "HOME", *clock, *(("LD_PRELOAD", "PYTHONPATH") if clock else ())]
    own = {name: os.environ[name] for name in inherited if name in os.environ}
    return own | ({"HOME": str(home)} if home else {}) | variables
