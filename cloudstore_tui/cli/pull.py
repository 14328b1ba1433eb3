"""`pull`: a whole result in a folder."""

from dataclasses import replace
from typing import Any

import click
from msgspec import structs

from cloudstore_tui.archive.strategy import Via
from cloudstore_tui.cli.options import json_option, timeout_option
from cloudstore_tui.cli.pulling import Wanted, task_of
from cloudstore_tui.cli.search import query_options
from cloudstore_tui.cli.session import Session, run
from cloudstore_tui.transfers.model import OnConflict

_WAYS = tuple(way.value for way in OnConflict)


@click.command("pull", short_help="Fetch a whole result into a folder, resumable, with a manifest.")
@click.argument("where", metavar="PROFILE[:REGION]|PATH/")
@click.argument("words", nargs=-1)
@query_options
@click.option(
    "--newer-than", default="", help="Of a folder: only files changed at or after this time: 7d, 2024-09-01 …"
)
@click.option("--to", "folder", required=True, help="Folder for the files; made if it is missing.")
@click.option(
    "--name", "template", default="", help="Template for the names, such as {start:%Y/%m/%d}/{agentName}-{id}."
)
@click.option("--via", type=click.Choice([way.value for way in Via]), default="auto", help="How the bytes come.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; nothing is fetched or written.")
@click.option(
    "--manifest", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", help="csv: manifest.csv, too."
)
@click.option("--sidecar", is_flag=True, help="Write everything known of each object beside its file, as NAME.json.")
@click.option(
    "--on-conflict",
    type=click.Choice(_WAYS),
    help="What to do if another file is in the way. [default: ask, or refuse where nobody can be asked]",
)
@json_option
@timeout_option(transfers=True)
def pull_command(*, as_json: bool, timeout: float, **given: Any) -> None:
    """Fetch everything a query finds, or everything in a folder. Run it again to go on, or to fetch what is new.

    What is there already, complete, is not fetched again. manifest.jsonl in the folder tells of every object what it
    is, where it is and how it was verified. It ends with 0 only when nothing is missing.

    Names are made of fields and tags: {name} {id} {type} {region} {agentName} {callId} …, and of times in the zone of
    the settings: {start:%Y/%m/%d} {created:%H-%M}. A slash makes a folder; what is not known becomes _.

    \b
    Examples:
      cloudstore pull acme8 --type callcenterrecording --since yesterday --to calls/ --dry-run
      cloudstore pull acme8:us-east agent:"Khang Glynn" on:2024-09 --to khang/ --via zip
      cloudstore pull acme8 --since 7d --to calls/ --name "{start:%Y/%m/%d}/{agentName}-{callId}"
      cloudstore pull acme:exports/reporting/ --newer-than 7d --to reporting/
    """
    wanted = Wanted(**given)

    async def work(session: Session) -> None:
        task = task_of(session, wanted)
        if wanted.dry_run:
            await task.preview()
        elif not await task.run(last=wanted.on_conflict is not None or not session.output.asks):
            answer = session.output.choose("What about it", _WAYS[1:], _WAYS[1])
            task = replace(task, options=structs.replace(task.options, on_conflict=OnConflict(answer)))
            await task.run(last=True)

    run(work, as_json=as_json, timeout=timeout)
