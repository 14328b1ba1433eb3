"""The unit tests have teeth: net, archive, results and fiql are broken on purpose, and each time a test sees it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
TREES = ("cloudstore_tui", "tests/unit", "tests/support", "themes")
FILES = ("tests/conftest.py", "pyproject.toml")


class Mutant(NamedTuple):
    """One line that is changed, and what has to see it."""

    name: str
    module: str
    text: str
    instead: str
    tests: str
    """Files below `tests/unit`."""


MUTANTS = (
    # net
    Mutant(
        "a redirect to another port",
        "net/api.py",
        "same = _origin(goal) == _origin(urlsplit(base))",
        "same = goal.hostname == urlsplit(base).hostname",
        "net/test_api.py",
    ),
    Mutant(
        "a redirect with a login", "net/api.py", 'if not same or "@" in goal.netloc:', "if not same:", "net/test_api.py"
    ),
    Mutant(
        "trailers are headers",
        "net/curl.py",
        "is_its_own = self.asked_at is not None and not self._answered",
        "is_its_own = self.asked_at is not None",
        "transfers/test_blob.py",
    ),
    Mutant(
        "a lost answer to the last byte",
        "net/blob.py",
        "body.offset >= body.size",
        "body.offset > body.size",
        "transfers/test_blob.py",
    ),
    Mutant(
        "unpacked without a bound",
        "net/reply.py",
        "decompress(part, most) if",
        "decompress(part) if",
        "net/test_reply.py",
    ),
    Mutant(
        "a date by our clock",
        "net/retry.py",
        "now = date or datetime.now(UTC)",
        "now = datetime.now(UTC)",
        "net/test_retry.py",
    ),
    Mutant(
        "progress counts for nothing",
        "net/retry.py",
        "            self._since = self._clock.monotonic()\n",
        "            pass\n",
        "net/test_retry.py",
    ),
    Mutant(
        "any wait that is asked for",
        "net/retry.py",
        "return min(max(float(text), MIN_RETRY_AFTER_S), _MAX_SECONDS)",
        "return MIN_RETRY_AFTER_S",
        "net/test_retry.py",
    ),
    Mutant(
        "a proxy by the end of a name",
        "net/transport.py",
        'host.endswith(f".{name}")',
        "host.endswith(name)",
        "net/test_transport.py",
    ),
    Mutant(
        "a token is renewed for all",
        "net/auth.py",
        "        if used is self._headers:\n",
        "        if True:\n",
        "net/test_auth.py",
    ),
    Mutant(
        "a token in vain for good",
        "net/auth.py",
        "if used is self._rejected and not (certain and",
        "if used is self._rejected and not (False and",
        "net/test_auth.py net/test_api.py",
    ),
    Mutant(
        "more calls than allowed",
        "net/rate_limit.py",
        "while self._running >= self.allowed:",
        "while self._running > self.allowed:",
        "net/test_rate_limit.py net/test_api.py",
    ),
    Mutant(
        "sleep by all clocks",
        "net/clock.py",
        "return any(now - then > MAX_DRIFT_S",
        "return all(now - then > MAX_DRIFT_S",
        "net/test_clock.py",
    ),
    # archive
    Mutant(
        "an unsynced manifest",
        "fs/whole_file.py",
        "        disk.sync(file)\n",
        "",
        "archive/test_pull_failures.py",
    ),
    Mutant(
        "a folder that cannot sync",
        "fs/whole_file.py",
        "disk.close(file)\n    disk.sync_folder(folder)",
        "disk.close(file)\n    disk.sync(folder)",
        "archive/test_pull_failures.py",
    ),
    Mutant(
        "what could not be finished stays",
        "fs/whole_file.py",
        "    with suppress(OSError):\n        disk.remove(name, folder)",
        "    pass",
        "fs/test_whole_file.py",
    ),
    Mutant(
        "the rest of an overlong line",
        "archive/manifest.py",
        'while not rest.endswith(b"\\n") and rest:',
        "while False:",
        "archive/test_manifest.py",
    ),
    Mutant(
        "same size or same time",
        "archive/manifest.py",
        "return listed == entry.size and before ==",
        "return listed == entry.size or before ==",
        "archive/test_manifest.py",
    ),
    Mutant(
        "a window without its first moment",
        "archive/listing.py",
        'compare("createdTime", "=ge=", str(start))',
        'compare("createdTime", "=gt=", str(start))',
        "archive/test_listing.py",
    ),
    Mutant(
        "a folder that is gone",
        "archive/listing.py",
        "if not (is_missing and await self._is_known(here)):",
        "if not is_missing:",
        "archive/test_listing.py",
    ),
    Mutant(
        "failures without reset",
        "archive/fetch.py",
        "self._failures = self._failures + 1 if isinstance(error, _SYSTEMIC_ERRORS) else 0",
        "self._failures += isinstance(error, _SYSTEMIC_ERRORS)",
        "archive/test_pull.py",
    ),
    Mutant(
        "a line without a digest",
        "archive/plan.py",
        "LocalMatch.TOUCHED if digest and folder.sha256(path, stop) == digest else",
        "LocalMatch.TOUCHED if not digest or folder.sha256(path, stop) == digest else",
        "archive/test_pull.py",
    ),
    Mutant(
        "one of ours in the plan",
        "archive/plan.py",
        "if folded in RESERVED or self._database.one(",
        "if self._database.one(",
        "archive/test_plan.py",
    ),
    # results
    Mutant(
        "a page of which the last wins",
        "results/database.py",
        "if update or key not in by_key:",
        "if True:",
        "results/test_row_store.py",
    ),
    Mutant(
        "a number twice",
        "results/database.py",
        "            self.last += added\n",
        "            self.last += added - 1\n",
        "results/test_row_store.py",
    ),
    Mutant(
        "a filter beyond its time",
        "results/row_store.py",
        "if view is not None and version == self._version:",
        "if view is not None:",
        "results/test_row_store.py",
    ),
    Mutant(
        "rows that come during a sort",
        "results/row_store.py",
        "self._view = view + arrived",
        "self._view = view",
        "results/test_row_store.py",
    ),
    Mutant(
        "marks of what is gone",
        "results/row_store.py",
        "        self._arrange()\n        self._marked.set(gone, on=False)\n",
        "        self._arrange()\n",
        "results/test_row_store.py",
    ),
    Mutant(
        "marks after clearing",
        "results/row_store.py",
        "        self._seen = None\n        self._marked.clear()\n",
        "        self._seen = None\n",
        "results/test_row_store.py",
    ),
    Mutant(
        "durations as texts",
        "results/codec.py",
        'f"CAST({found} AS REAL)" if column.kind in _NUMBERS else found',
        "found",
        "results/test_row_store.py",
    ),
    Mutant(
        "times as texts",
        "results/codec.py",
        "return f\"julianday(json_extract(body, '$.{column.name}'))\", ()",
        "return f\"json_extract(body, '$.{column.name}')\", ()",
        "results/test_row_store.py",
    ),
    # fiql
    Mutant(
        "all numbers as floats",
        "fiql/evaluator.py",
        "return float(text) if found[1] else int(text)",
        "return float(text)",
        "fiql/test_evaluator.py fiql/test_reading.py",
    ),
    Mutant(
        "of a repeated tag the last",
        "fiql/evaluator.py",
        "in reversed(entry.tags)",
        "in entry.tags",
        "fiql/test_evaluator.py",
    ),
    Mutant(
        "a tag in place of a field",
        "fiql/evaluator.py",
        " if key not in CONTENT_FIELDS}",
        "}",
        "fiql/test_evaluator.py",
    ),
    Mutant(
        "empty fields are values",
        "fiql/evaluator.py",
        'if value is not None and value != ""}',
        "if value is not None}",
        "fiql/test_evaluator.py",
    ),
    Mutant(
        "a month ago on a 31st",
        "fiql/measures.py",
        "day=min(local.day, last_day)",
        "day=local.day",
        "fiql/test_measures.py",
    ),
    Mutant(
        "no time between the ends",
        "fiql/phrases/compiler.py",
        "max(lows) >= min(highs):",
        "max(lows) > min(highs):",
        "fiql/test_phrases.py",
    ),
    Mutant(
        "rounded the other way",
        "fiql/phrases/terms.py",
        "ceil(bound.quantity) if up else floor(bound.quantity)",
        "floor(bound.quantity) if up else ceil(bound.quantity)",
        "fiql/test_phrases.py",
    ),
    Mutant(
        "a conjunction without parentheses",
        "fiql/parser.py",
        'f"({text})" if isinstance(parse(text), Or) else text',
        "text",
        "fiql/test_properties.py",
    ),
    Mutant("an unquoted backslash", "fiql/syntax.py", '.replace("\\\\", "\\\\\\\\")', "", "fiql/test_properties.py"),
    Mutant(
        "=out= is =in=",
        "fiql/syntax.py",
        'if term.operator in ("==", "=in="):',
        'if term.operator in ("==", "=in=", "=out="):',
        "fiql/test_expectations.py",
    ),
    Mutant(
        "places count for equality",
        "fiql/syntax.py",
        "return self.selector, self.operator, self.values",
        "return self.selector, self.operator, (*self.values, str(self.start))",
        "fiql/test_properties.py fiql/test_vectors.py",
    ),
    Mutant("any depth", "fiql/parser.py", "if depth > DEEPEST:", "if False:", "fiql/test_vectors.py"),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_that_each_mutant_changes_is_there_once(mutant: Mutant) -> None:
    code = (ROOT / "cloudstore_tui" / mutant.module).read_text(encoding="utf-8")
    assert code.count(mutant.text) == 1, f"{mutant.text!r} is {code.count(mutant.text)} times in {mutant.module}"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, to be broken and mended."""
    folder = tmp_path_factory.mktemp("copy")
    for name in TREES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(copy: Path, tests: str) -> subprocess.CompletedProcess[str]:
    names = [f"tests/unit/{name}" for name in tests.split()]
    command = [sys.executable, "-m", "pytest", *names, "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    # The copy is found before the installed package.
    variables = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=copy, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_module_is_caught(mutant: Mutant, copy: Path) -> None:
    path = copy / "cloudstore_tui" / mutant.module
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace(mutant.text, mutant.instead), encoding="utf-8")
    try:
        done = run(copy, mutant.tests)
    finally:
        path.write_text(whole, encoding="utf-8")
    # 1: tests ran and failed; anything else would be a failure of the harness.
    assert done.returncode == 1, f"{mutant.name} was not caught by {mutant.tests}: {done.stdout[-2000:]}{done.stderr}"
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    sys.stdout.write(f"{mutant.name}: {failed[0] if failed else done.stdout[-200:]}\n")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted({name for mutant in MUTANTS for name in mutant.tests.split()}))
def test_the_tests_let_whole_modules_pass(name: str, copy: Path) -> None:
    """What catches everything proves nothing."""
    done = run(copy, name)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
