"""One table of what the program is held to: ours beside a peer or a floor of the same run; and how cost grows.

    python benchmarks/all.py [--quick] [--write]

Runs the other scripts one after the other, prints what they say, and then the tables of docs/performance.md, into which
`--write` puts them. It takes less than ten minutes also on a slow machine: there are fewer rounds and rows then, and
the points of the curves that take longest are left out. Ratios hold on any machine; the rest is of this one.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
from msgspec import Struct

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
SCRIPTS = {
    "start": ["--rounds", "5", "--seconds", "60"],
    "transfers": ["--size", "128", "--count", "1000", "--rounds", "4", "--seconds", "70"],
    "results": ["--rows", "100000", "--paced", "0", "--table", "0"],
    "terminal": ["--one-mode"],
    "listing": ["--rows", "1000000"],
    "curve": ["--upto", "1000000", "--pull-upto", "10000"],
}
"""What takes least comes first."""
LEFT_OVER = {"listing": 80, "curve": 0}
"""Scripts that do as much as there is time for, and the seconds that they leave to the ones after them."""
QUICK = {
    "start": ["--rounds", "2"],
    "transfers": ["--size", "64", "--count", "200", "--rounds", "1"],
    "results": ["--rows", "5000", "--few", "2000", "--paced", "0", "--table", "0"],
    "listing": ["--rows", "20000"],
    "curve": ["--upto", "10000", "--pull-upto", "1000"],
}
LONGEST = 560
"""Seconds for everything, but for a last few until a script that takes longer is ended."""
GRACE = 10
_CURL = r"^{} .*?\n(?:  .*\n)*?  {}  +([\d.]+) s .*? x curl +([\d.]+) s CPU"
_LARGEST = r"(?s:.*)^{} .* each +([\d.]+) MiB"
_KEY = r"^table: {}, {} rows +([\d.]+) ms CPU"


class Row(Struct, frozen=True):
    """One line of the table."""

    what: str
    goal: str
    script: str
    ours: str
    """A pattern whose groups are the figures."""
    shown: str = "{} ×"
    floor: str = ""
    """A pattern for what the first figure is divided by."""


ROWS = (
    Row("start to the first picture, CPU", "≤ 1.35 × the smallest Textual program", "start",
        r"^cloudstore demo .*CPU.* s +([\d.]+) x"),
    Row("`ls` of a region, CPU", "≤ 2.5 × `import httpx`", "start", r"^cloudstore ls acme8.*CPU.* s +([\d.]+) x"),
    Row("`--help`, CPU", "≤ 1.5 × `import click`", "start", r"^cloudstore --help.*CPU.* s +([\d.]+) x"),
    Row("`ls --help`, CPU", "≤ 1.5 × `import click`", "start", r"^cloudstore ls --help.*CPU.* s +([\d.]+) x"),
    Row("Tab after `find --s`, CPU", "≤ 1.5 × `import click`", "start", r"^completion.*CPU.* s +([\d.]+) x"),
    Row("memory at start", "≤ 60 MiB", "terminal", r"^memory at start +([\d.]+)", "{} MiB"),
    Row("one large object: libcurl client", "≤ 1.1 × curl", "transfers", _CURL.format("one object", "blob client"),
        floor=_CURL.format("one object", "curl")),
    Row("one large object: engine", "≤ 1.2 × curl, sync, md5sum", "transfers", _CURL.format("one object", "engine"),
        floor=_CURL.format("one object", "curl, sync, md5sum")),
    Row("1,000 objects of 200 kB: engine", "≤ 1.2 × curl, sync, md5sum", "transfers",
        _CURL.format(r"\d+ objects", "engine"), "{} ×, {} s CPU", _CURL.format(r"\d+ objects", "curl, sync, md5sum")),
    Row("1,000 objects of 200 kB: `get`", "≤ 2.5 × curl, sync, md5sum", "transfers",
        _CURL.format(r"\d+ objects", "cloudstore get"), "{} ×, {} s CPU",
        _CURL.format(r"\d+ objects", "curl, sync, md5sum")),
    Row("1,000 objects of 200 kB: curl, sync, md5sum", "the floor", "transfers",
        _CURL.format(r"\d+ objects", "curl, sync, md5sum"), "{} s, {} s CPU"),
    Row("search, 100 ms latency: 8 calls at once", "≥ 6.8 × one after another", "results",
        r"^times faster with 8.* ([\d.]+) x"),
    Row("the same of a client that only counts bytes", "the most there is", "results",
        r"^  of a client that only counts .* ([\d.]+) x"),
    Row("search: CPU of a page of 100", "≤ 6 ms", "results", r"^  CPU per page, 8 at once +([\d.]+)", "{} ms"),
    Row("first page with 100 ms latency", "one request + 50 ms", "results", r"^first 100 .* ([\d.]+) ms", "{} ms"),
    Row("memory of a loaded row", "≤ 64 B", "listing", r"memory per row, .* ([\d.]+) B", "{} B"),
    Row("memory of a browser with 1,000,000 rows", "≤ 120 MiB", "listing",
        r"^table: resident memory, (?!1,000 rows).* ([\d.]+) MiB", "{} MiB"),
    Row("cursor key in 1,000,000 rows, CPU", "as in 1,000", "listing", _KEY.format("down", "(?!1,000 rows)[\\d,]+"),
        floor=_KEY.format("down", "1,000")),
    Row("page in 1,000,000 rows, CPU", "as in 1,000", "listing", _KEY.format("page down", "(?!1,000 rows)[\\d,]+"),
        floor=_KEY.format("page down", "1,000")),
    Row("sort of 1,000 rows by name, in the call", "a frame", "listing",
        r"sort 1,000 rows by name +([\d.]+) ms", "{} ms"),
    Row("sort of 1,000,000 rows by name, in a thread", "the list goes on meanwhile", "listing",
        r"sort (?!1,000 rows)[\d,]+ rows by name +([\d.]+) s", "{} s"),
    Row("the same by size", "", "listing", r"sort (?!1,000 rows)[\d,]+ rows by size +([\d.]+) s", "{} s"),
    Row("loop held up by sorting 1,000,000 rows", "≤ 50 ms", "listing",
        r"sort (?!1,000 rows)[\d,]+ rows by name.*\n.*held up at most +([\d.]+)", "{} ms"),
    Row("cursor key, the table alone", "≤ 300 B", "terminal", r"^cursor key, without, median +([\d.]+)", "{} B"),
    Row("cursor key, the table alone, p95", "≤ 15 ms", "terminal",
        r"^cursor key, without, first byte, p95 +([\d.]+)", "{} ms"),
    Row("cursor key, with the detail", "≤ 700 B", "terminal", r"^cursor key, with detail, median +([\d.]+)", "{} B"),
    Row("page", "≤ 4 kB", "terminal", r"^page, with detail, median +([\d.]+)", "{} B"),
    Row("page, p95", "≤ 35 ms", "terminal", r"^page, without, first byte, p95 +([\d.]+)", "{} ms"),
    Row("key held at 30/s", "≤ 11 kB/s", "terminal", r"^key held at 30/s, with detail +([\d.]+)", "{} B/s"),
    Row("key held at 30/s on a line of 16 kB/s, lag", "≤ 0.3 s", "terminal",
        r"last byte after its release +([\d.]+)", "{} s"),
    Row("cursor key beside four downloads at 8 MB/s each, p95", "≤ 40 ms", "terminal",
        r"^cursor key, four downloads.*p95 +([\d.]+)", "{} ms"),
    Row("idle", "0 B/s", "terminal", r"^idle +([\d.]+) B", "{} B/s"),
    Row("idle, CPU", "≤ 0.2 %", "terminal", r"^idle, CPU +([\d.]+)", "{} %"),
    Row("idle with four transfers", "≤ 2 kB/s", "terminal", r"^four transfers.* ([\d.]+) B/s", "{} B/s"),
    Row("memory over start, the longest list of the table below read to its end", "≤ 120 MiB in all", "curve",
        _LARGEST.format("list"), "{} MiB"),
    Row("memory over start, the largest pull of the table below", "≤ 64 MiB", "curve",
        _LARGEST.format("pull"), "{} MiB"),
)  # fmt: skip
CURVE = re.compile(r"^(\w+) +(\d+) objects +([\d.]+) s +([\d.]+) us each +([\d.]+) MiB +(\d+) requests", re.MULTILINE)

LEFT_OUT = re.compile(r"^left out: (.*)$", re.MULTILINE)


def main() -> None:
    """Run all, and print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two minutes, to see that all of it runs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    asked = parser.parse_args()
    scripts = QUICK if asked.quick else SCRIPTS
    begun = time.monotonic()
    said = {name: run(name, arguments, begun + LONGEST) for name, arguments in scripts.items()}
    tables = {
        "machine": f"Measured on {machine()}, in {time.monotonic() - begun:.0f} s.\n",
        "goals": "".join(["| what | goal | ours |\n|---|---|---|\n", *(f"{line(row, said)}\n" for row in ROWS)]),
        "curve": curve(said.get("curve", "")),
    }
    sys.stdout.write("\n" + "\n".join(tables.values()))
    if asked.write:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")


def filled(page: str, tables: Mapping[str, str]) -> str:
    """A page with what stands between its marks of each name replaced."""
    for name, text in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{PAGE} has no place for {name}")
        page = f"{before}{begin}{text}{end}{after}"
    return page


def line(row: Row, said: Mapping[str, str]) -> str:
    """One line of the table, with as many rows in its name as there were."""
    rows = re.search(r"^store: memory per row, ([\d,]+) rows", said.get("listing", ""), re.MULTILINE)
    what = row.what.replace("1,000,000", rows[1]) if rows else row.what
    return f"| {what} | {row.goal} | {figure(row, said)} |"


def curve(text: str) -> str:
    """How cost grows: of each way a line for each number of objects."""
    lines = ["| | objects | seconds | each | memory over start | requests |\n|---|---|---|---|---|---|\n"]
    for way, count, seconds, each, memory, requests in sorted(CURVE.findall(text), key=lambda one: one[0]):
        lines.append(f"| {way} | {int(count):,} | {seconds} | {each} µs | {memory} MiB | {int(requests):,} |\n")
    if left_out := LEFT_OUT.findall(text):
        lines.append(f"\nLeft out, for want of time: {'; '.join(left_out)}.\n")
    return "".join(lines)


def run(name: str, arguments: list[str], ends: float) -> str:
    """What a script prints; a part of it where it fails, or is not done in time."""
    left = max(ends - time.monotonic(), GRACE)
    if name in LEFT_OVER:
        arguments = [*arguments, "--seconds", f"{left - LEFT_OVER[name]:.0f}"]
    sys.stdout.write(f"\n{name}\n")
    sys.stdout.flush()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            text, errors = process.communicate(timeout=left + GRACE)
            failure = errors.strip().splitlines()[-1:] if process.returncode else []
        except subprocess.TimeoutExpired:
            # With the servers that it has started.
            os.killpg(process.pid, signal.SIGKILL)
            text, failure = process.communicate()[0], ["there was no time left for it"]
    sys.stdout.write(text + "".join(f"failed: {line}\n" for line in failure))
    return text


def machine() -> str:
    """What the figures are of."""
    return f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Python {sys.version.split()[0]}"


def figure(row: Row, said: Mapping[str, str]) -> str:
    """What a script said, as a ratio where there is a floor."""
    text = said.get(row.script, "")
    ours = re.search(row.ours, text, re.MULTILINE)
    floor = re.search(row.floor, text, re.MULTILINE) if row.floor else None
    if ours is None or (row.floor and floor is None):
        return "not measured"
    first = float(ours[1]) / float(floor[1]) if floor is not None else float(ours[1])
    return row.shown.format(f"{first:.2f}" if first < 100 else f"{first:.0f}", *ours.groups()[1:])


if __name__ == "__main__":
    main()
