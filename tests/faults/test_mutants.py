"""The gates have teeth: each of them is run against an engine that was broken on purpose."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0


@dataclass(frozen=True)
class Mutant:
    """One safeguard taken out."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    """File below `cloudstore_tui/transfers`, the text that is there, and what is put in its place."""
    gates: tuple[str, ...]
    """Tests that should see it, the likeliest first."""


FAULTS, DISK, POWER, RACES = "test_seeded_faults.py", "test_disk.py", "test_power_loss.py", "test_races.py"

MUTANTS = (
    Mutant(
        "no checksum",
        (("verify.py", "for check in (_by_checksum, _by_store):", "for check in ():"),),
        (FAULTS,),
    ),
    Mutant(
        "no Content-Range check",
        (
            ("fetch.py", "span is None or span.total is None or span.first != start", "span is None"),
            (
                "fetch.py",
                "if span.last != span.total - 1 or reply.length not in (None, span.total - start):",
                "if 0:",
            ),
            ("fetch.py", "if size not in (None, span.total):", "if 0:"),
        ),
        (FAULTS,),
    ),
    Mutant(
        "no If-Match",
        (("fetch.py", 'self.headers["If-Match"] = etag', "pass"),),
        (FAULTS,),
    ),
    Mutant(
        "append on 200",
        (("fetch.py", "            self._store.restart()\n", "            pass\n"),),
        (FAULTS,),
    ),
    Mutant(
        "no length check",
        (
            ("fetch.py", "return store.offset == size and (size > 0 or self._asked)", "return self._asked"),
            ("fetch.py", "elif store.offset < version.size:", "elif 0:"),
            (
                "verify.py",
                "other_size = expected.size is not None and expected.size != digests.size",
                "other_size = False",
            ),
        ),
        (FAULTS,),
    ),
    Mutant(
        "offset before write",
        (
            (
                "part_file.py",
                "        try:\n            while left:\n",
                "        self.offset += len(left)\n        try:\n            while left:\n",
            ),
            ("part_file.py", "                self.offset += written\n", ""),
        ),
        (DISK,),
    ),
    Mutant(
        "fsync dropped",
        (("part_file.py", "self._disk.sync(self._file)", "pass"),),
        (POWER,),
    ),
    Mutant(
        "publish by replace",
        (("part_file.py", "        if overwrite:\n", "        if True:\n"),),
        (RACES,),
    ),
    Mutant(
        "credentials for the store",
        (("../net/blob.py", 'lines = ["Accept:", ', 'lines = ["Authorization: Bearer x", "Accept:", '),),
        (RACES,),
    ),
    Mutant(
        "links in the journal",
        (
            (
                "fetch.py",
                'note = f"{error.message}',
                'note = f"{self.evidence.source and self.evidence.source.url.reveal()} {error.message}',
            ),
        ),
        (FAULTS,),
    ),
)


MEANS_NOTHING = "to mean anything"
"""What a gate says that saw too little: nothing of the mutant."""
DRAWS = 8
"""Times that chance decides anew before a mutant counts as not caught."""


def broken_copy(mutant: Mutant, folder: Path) -> Path:
    """The project with one safeguard less."""
    for name in ("cloudstore_tui", "tests/faults", "tests/support", "tests/conftest.py", "pyproject.toml"):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for name, text, instead in mutant.changes:
        path = folder / "cloudstore_tui" / "transfers" / name
        code = path.read_text(encoding="utf-8")
        assert code.count(text) == 1, f"{mutant.name}: {text!r} is {code.count(text)} times in {name}, not once"
        path.write_text(code.replace(text, instead), encoding="utf-8")
    return folder


def run_gate(gate: str, copy: Path, seed: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", f"tests/faults/{gate}", "-q", "-x", "-n", "0", f"--seed={seed}"]
    command += ["-p", "no:cacheprovider", f"--basetemp={copy / 'work'}"]
    # The copy is found before the installed package, by the gate and by the programs that it starts.
    variables = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=copy, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_that_each_mutant_changes_is_still_there(mutant: Mutant) -> None:
    for name, text, _ in mutant.changes:
        code = (ROOT / "cloudstore_tui" / "transfers" / name).read_text(encoding="utf-8")
        assert code.count(text) == 1, f"{text!r} is {code.count(text)} times in {name}, not once"


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_engine_is_caught(mutant: Mutant, tmp_path: Path, seed: int) -> None:
    # A quick gate draws 60 faults of the 1,000 of a full one: what a few draws miss is not missed by the gate.
    runs = [(gate, seed + draw) for draw in range(DRAWS) for gate in mutant.gates]
    for number, (gate, drawn) in enumerate(runs):
        copy = broken_copy(mutant, tmp_path / str(number))
        done = run_gate(gate, copy, drawn)
        # 1: tests ran and failed; anything else would be a failure of the harness.
        assert done.returncode in (0, 1), done.stdout + done.stderr
        # A machine that has other things to do may not get far enough to show anything.
        if done.returncode == 1 and MEANS_NOTHING not in done.stdout:
            why = [line[2:].strip() for line in done.stdout.splitlines() if line.startswith("E  ")]
            sys.stdout.write(f"{mutant.name}: caught by {gate}: {why[0] if why else ''}\n")
            return
    pytest.fail(f"{mutant.name} was not caught by {', '.join(mutant.gates)}")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("gate", sorted({gate for mutant in MUTANTS for gate in mutant.gates}))
def test_the_gates_let_a_whole_engine_pass(gate: str, tmp_path: Path, seed: int) -> None:
    """What catches everything proves nothing."""
    copy = broken_copy(Mutant("none", (), ()), tmp_path / "copy")
    done = run_gate(gate, copy, seed)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.stdout.write(f"{gate} lets a whole engine pass\n")
