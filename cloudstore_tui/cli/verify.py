"""`verify`: whether a pulled folder still holds what its manifest says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloudstore_tui.archive.bag import note_verified
from cloudstore_tui.archive.verify import FileFinding, Found, ReadSample, verify_folder
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.reporting import Run, RunOptions, reported
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import PartialError, StorageError
from cloudstore_tui.transfers.workers import Stop, Workers

MAX_CHANGED = 1000
"""Files that are named in the events if they are not as they should be."""


def verify_command(
    folder: Path,
    *,
    sample: float,
    seed: int,
    signers: Path | None,
    authority: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Check that every file is there and has the bytes that were fetched; nothing is sent."""
    options = RunOptions.taken(given)

    async def work(session: CommandSession) -> None:
        async with reported(session, options, "verify", folder, ()) as run:
            await look_through(session, run)

    async def look_through(session: CommandSession, run: Run) -> None:
        workers = Workers(1)
        counts = dict.fromkeys(Found, 0)
        wrong: list[tuple[str, str]] = []

        def look(stop: Stop) -> None:
            part, scratch = ReadSample(sample, seed), state_folder()
            for finding in verify_folder(folder, stop, scratch, sample=part, signers=signers, authority=authority):
                counts[finding.found] += 1
                if finding.error is not None and len(wrong) < MAX_CHANGED:
                    wrong.append((finding.path, finding.text))
                _tell_finding(session.output, finding)

        try:
            await workers.run(look)
            numbers = {found.value.replace(" ", "_"): number for found, number in counts.items()}
            with _noted(session.output):
                await workers.run(lambda _stop: note_verified(folder, numbers, wrong))
        finally:
            workers.close()
        _tell_incomplete(session.output, folder, counts[Found.NOT_FETCHED])
        run.note(numbers, complete=not session.output.errors)
        if as_json:
            session.output.record({"event": "report", **numbers})
        else:
            parts = [f"{number:,} {found.value}" for found, number in counts.items() if number or found is Found.GOOD]
            session.output.line(", ".join(parts))

    run(work, as_json=as_json)


def _tell_incomplete(output: Output, folder: Path, lacking: int) -> None:
    """Say that what is here is not all; where bytes are wrong, that alone decides the exit code."""
    if not lacking:
        return
    entries = "1 entry of its manifest tells" if lacking == 1 else f"{lacking:,} entries of its manifest tell"
    message = f"it is not complete: {entries} of what could not be fetched or listed"
    error = PartialError(message, subject=str(folder), hint="Pull again, and look at what that says.")
    if output.errors:
        output.say(str(error))
    else:
        output.error(error)


@contextmanager
def _noted(output: Output) -> Iterator[None]:
    """Who only looks through a folder need not be able to write to it."""
    try:
        yield
    except StorageError as error:
        output.note(f"{error} So its events do not tell that it was verified.")


def _tell_finding(output: Output, finding: FileFinding) -> None:
    if finding.error is not None:
        output.error(finding.error, finding.path)
    elif finding.found is not Found.GOOD:
        if output.as_json:
            output.record({"event": finding.found.value, "path": finding.path, "text": finding.text})
        output.note(f"{finding.path}: {finding.found.value}: {finding.text}")
