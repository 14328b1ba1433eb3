"""What of a plan is in the folder already: our own files, by what the manifest says of them."""

from enum import StrEnum
from pathlib import PurePosixPath

from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.manifest import ManifestEntry, mtime_of, path_of, tells_of_same
from cloudstore_tui.archive.plan import Outcome, PlanItem, PullPlan
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.transfers.workers import Stop


class LocalMatch(StrEnum):
    """How a file compares with its line of the manifest."""

    SAME = "same"
    """By size and time, or by its digest."""
    TOUCHED = "touched"
    """The bytes are the same, the time is another one."""
    OTHER = "other"
    """Another file, or none."""


def match_file(folder: PullFolder, path: PurePosixPath, line: ManifestEntry, stop: Stop) -> LocalMatch:
    """A file and the line about it; its bytes are read only where its time is not the one of the line.

    One that cannot be read is another one: the transfer says what is wrong with it.
    """
    try:
        found = folder.stat(path)
        if found is None or found.st_size != line.get("size"):
            return LocalMatch.OTHER
        if mtime_of(found) == line.get("mtime"):
            return LocalMatch.SAME
        digest = line.get("sha256")
        return LocalMatch.TOUCHED if digest and folder.sha256(path, stop) == digest else LocalMatch.OTHER
    except StorageError:
        return LocalMatch.OTHER


def match_plan(plan: PullPlan, folder: PullFolder, stop: Stop) -> None:
    """Note every object of which the folder has the present version, be it under an earlier name."""
    for item, line in plan.known_items():
        stop.check()
        path = PurePosixPath(path_of(line))
        is_named = path == item.path or plan.could_be(item, str(path))
        if not (is_named and tells_of_same(line, item.entry)):
            continue
        if match_file(folder, path, line, stop) is not LocalMatch.OTHER:
            plan.note(item, Outcome.HAD, str(line.get("level", "")))


def is_earlier_version(plan: PullPlan, folder: PullFolder, item: PlanItem, stop: Stop) -> bool:
    """Whether the file in an object's place is what an earlier pull put there, untouched since."""
    line = plan.known(item)
    if line is None or path_of(line) != str(item.path):
        return False
    return match_file(folder, item.path, line, stop) is not LocalMatch.OTHER
