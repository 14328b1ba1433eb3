"""The zip of a job, built when it is first fetched."""

import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cloudstore_tui.sandbox.eightbyeight.jobs import Job
from cloudstore_tui.sandbox.eightbyeight.record import Record

_BUILDING = threading.Lock()


def zip_of(folder: Path, job: Job, naming: str) -> Path:
    """The file of a job's zip, with members named in one of the ways of switch E-29."""
    path = folder / "zips" / naming / job.name
    with _BUILDING:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            _build(part, job, naming)
            part.replace(path)
    return path


def _build(path: Path, job: Job, naming: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, record in _members(job, naming):
            moment = datetime.fromtimestamp(record.created // 1000, UTC)
            member = zipfile.ZipInfo(name, moment.timetuple()[:6])
            member.file_size = record.size
            with file.open(member, "w") as target:
                for chunk in record.body.read():
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
