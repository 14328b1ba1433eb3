"""The zip of a job, built when it is first fetched."""

import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cloudstore_tui.sandbox.eightbyeight.jobs import Job
from cloudstore_tui.sandbox.eightbyeight.record import Record
from cloudstore_tui.sandbox.faults.stored import damaged_pieces

_BUILDING = threading.Lock()


def zip_of(folder: Path, job: Job, naming: str, damaged: Callable[[Record], bool]) -> Path:
    """The file of a job's zip, with members named in one of the ways of switch E-29."""
    path = folder / "zips" / naming / job.name
    with _BUILDING:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            _build(part, _members(job, naming), damaged)
            part.replace(path)
    return path


def _build(path: Path, members: Iterator[tuple[str, Record]], damaged: Callable[[Record], bool]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, record in members:
            moment = datetime.fromtimestamp(record.created // 1000, UTC)
            member = zipfile.ZipInfo(name, moment.timetuple()[:6])
            member.file_size = record.size
            with file.open(member, "w") as target:
                pieces = record.body.read()
                for chunk in damaged_pieces(pieces, record.size) if damaged(record) else pieces:
                    target.write(chunk)
            # The service repeats names, about which the library would warn.
            file.NameToInfo.clear()


def _members(job: Job, naming: str) -> Iterator[tuple[str, Record]]:
    seen: Counter[str] = Counter()
    for record in job.records:
        name = record.name.replace(":", ".") if naming == "dots" else record.name
        earlier, seen[name] = seen[name], seen[name] + 1
        if naming == "numbered" and earlier:
            stem, dot, ending = name.rpartition(".")
            name = f"{stem}({earlier}){dot}{ending}" if dot else f"{name}({earlier})"
        yield name, record
