"""What every file must and must not hold."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFTOVERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b|\.\./sha" r"red|index" r"-url")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / line for line in listed.stdout.decode().splitlines()]
    return [path for path in paths if path.is_file()]


def test_no_file_holds_a_leftover() -> None:
    texts = [path for path in tracked_files() if path.suffix in {".py", ".md", ".toml", ".tcss", ".lark", ""}]
    assert texts
    found = [str(path) for path in texts if LEFTOVERS.search(path.read_text(encoding="utf-8", errors="ignore"))]
    assert not found


def test_no_lock_file_is_tracked() -> None:
    assert not [path.name for path in tracked_files() if path.name in {"uv.lock", "poetry.lock", "pdm.lock"}]


def test_exceptions_from_the_linters_are_few_and_say_why() -> None:
    marks = []
    for path in (ROOT / "cloudstore_tui").rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if mark := re.search(r"#\s*(noqa|type: ignore)(?P<code>[:\[][^#-]*)?(?P<why> - \S.*|\s+#\s+\S.*)?$", line):
                assert mark["code"], f"{path}:{number} names no code"
                assert mark["why"], f"{path}:{number} says no reason"
                marks.append(f"{path}:{number}")
    assert len(marks) <= 36, marks
