"""`verify`: whether a pulled folder still holds what its manifest says."""

from pathlib import Path
from typing import Any

import click

from cloudstore_tui.archive.verify import FileFinding, Found, verify_folder
from cloudstore_tui.cli.options import Command, LocalPath, json_option
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.reporting import Run, RunOptions, reported, run_options
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.transfers.workers import Stop, Workers


@click.command("verify", cls=Command)
@click.argument("folder", type=LocalPath(), metavar="DIR")
@run_options
@json_option
def verify_command(folder: Path, *, as_json: bool, **given: Any) -> None:
    """Check that every file is there and has the bytes that were fetched; nothing is sent.

    It ends with 0 if all is well, 6 if bytes have changed or a line of the manifest cannot be read, 8 if files are
    missing, else 1. Files that the manifest does not know are named, and so are older versions of an object; both are
    no fault.

    \b
    Example:
      cloudstore verify calls/
    """
    options = RunOptions.taken(given)

    async def work(session: CommandSession) -> None:
        async with reported(session, options, "verify", folder, ()) as run:
            await look_through(session, run)

    async def look_through(session: CommandSession, run: Run) -> None:
        workers = Workers(1)
        counts = dict.fromkeys(Found, 0)

        def look(stop: Stop) -> None:
            for finding in verify_folder(folder, stop, state_folder()):
                counts[finding.found] += 1
                _tell_finding(session.output, finding)

        try:
            await workers.run(look)
        finally:
            workers.close()
        numbers = {found.value.replace(" ", "_"): number for found, number in counts.items()}
        run.note(numbers, complete=not session.output.errors)
        if as_json:
            session.output.record({"event": "report", **numbers})
        else:
            parts = [f"{number:,} {found.value}" for found, number in counts.items() if number or found is Found.GOOD]
            session.output.line(", ".join(parts))

    run(work, as_json=as_json)


def _tell_finding(output: Output, finding: FileFinding) -> None:
    if finding.error is not None:
        output.error(finding.error, finding.path)
    elif finding.found is not Found.GOOD:
        if output.as_json:
            output.record({"event": finding.found.value, "path": finding.path, "text": finding.text})
        output.note(f"{finding.path}: {finding.found.value}: {finding.text}")
