"""The commands that download and upload."""

import click

from cloudstore_tui.cli.options import (
    Command,
    Duration,
    Group,
    HelpOption,
    LocalPath,
    Number,
    Percent,
    conflict_option,
    dry_run_option,
    json_option,
    query_options,
    run_options,
    since_options,
    timeout_option,
    yes_option,
)


@click.command("get", cls=Command, does="transfer.get_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "folder", default="", metavar="DIR", help="Folder, or - for stdout. [default: download_dir]")
@click.option("--name", metavar="TEMPLATE", help="Names below that folder, such as {start:%Y/%m/%d}/{agentName}.")
@conflict_option()
@json_option
@timeout_option(transfers=True)
def get_command() -> None:
    """Download objects. A file appears under its name only when it is complete and verified.

    A file that is already there with the right content counts as done. Resume a download that was stopped with
    `cloudstore transfers run`. PATH may be -: then paths, or the lines of `find --json`, are read
    from stdin.

    \b
    Examples:
      cloudstore get acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore get acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --to calls/
      cloudstore get acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --name "{agentName}-{callId}"
      cloudstore get acme:imports/outreach/nanp/number-plan.csv --to - | head
      cloudstore find acme8 type:summary since:yesterday --json | cloudstore get - --to summaries/
    """


@click.command("put", cls=Command, does="transfer.put_command")
@click.argument("files", metavar="FILE... PATH/", nargs=-1, required=True)
@conflict_option("refuse", "skip", "overwrite")
@click.option("--follow", is_flag=True, help="Wait until the service has moved each file to processed/ or errors/.")
@click.option("--within", type=Duration(), metavar="DURATION", help="Wait no longer than this. [default: 15m]")
@yes_option
@dry_run_option
@json_option
@timeout_option(transfers=True)
def put_command() -> None:
    """Upload files to a folder, whose path ends with /. The profile needs read_only = false.

    `cloudstore transfers run` repeats an upload that was stopped, unless it has arrived.

    The service reads some folders, and moves each file that it has read to processed/ or errors/. --follow waits for
    that, and exits with 0 if all were processed, 11 if one went to errors/, and 4 if one was not moved in time.

    \b
    Examples:
      cloudstore put plan.csv acme:imports/outreach/nanp/
      cloudstore put *.csv acme:imports/outreach/exclusions/ --on-conflict overwrite
      cloudstore put ecf-20240901.csv acme:imports/apm/ecf/ --follow --within 30m
    """


@click.command("pull", cls=Command, does="pull.pull_command")
@click.argument("where", metavar="PROFILE[:REGION]|PATH/")
@click.argument("words", nargs=-1)
@query_options
@click.option(
    "--newer-than",
    default="",
    metavar="TIME",
    help="In a folder: only files changed at or after this time: 7d, 2024-09-01 …",
)
@click.option(
    "--expiring",
    type=Duration(),
    metavar="DURATION",
    help="Only objects that expire within this time by the retention policy of the profile: 7d …",
)
@click.option(
    "--to", "folder", type=LocalPath(), required=True, metavar="DIR", help="Folder for the files; created if missing."
)
@click.option(
    "--name",
    "template",
    default="",
    metavar="TEMPLATE",
    help="Template for the names, such as {start:%Y/%m/%d}/{agentName}-{id}.",
)
@click.option(
    "--via",
    type=click.Choice(["auto", "zip", "content"]),
    default="auto",
    help="Download as server-side zips, or one by one. [default: auto, whichever is faster]",
)
@dry_run_option
@click.option(
    "--manifest", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", help="csv: write manifest.csv, too."
)
@click.option("--sidecar", is_flag=True, help="Save all fields and tags of each object beside its file, as NAME.json.")
@conflict_option()
@run_options
@json_option
@timeout_option(transfers=True)
def pull_command() -> None:
    """Download everything that a query finds or a folder holds. Run it again to resume, or for what is new.

    Existing files are skipped. manifest.jsonl in the folder records what each object is, where it is, and how it was
    verified. The exit code is 0 only when nothing is missing. The new version of an object is saved beside the old
    one, or in its place with --on-conflict overwrite.

    Names are made of fields and tags: {name} {id} {type} {region} {agentName} {callId} …, and of times in the time zone
    of the settings: {start:%Y/%m/%d} {created:%H-%M}. A slash makes a folder; an unknown value becomes _.

    \b
    Examples:
      cloudstore pull acme8 --type callcenterrecording --since yesterday --to calls/ --dry-run
      cloudstore pull acme8:us-east agent:"Khang Glynn" on:2024-09 --to khang/ --via zip
      cloudstore pull acme8 --since 7d --to calls/ --name "{start:%Y/%m/%d}/{agentName}-{callId}"
      cloudstore pull acme:exports/reporting/ --newer-than 7d --to reporting/
    """


@click.command("watch", cls=Command, does="watch.watch_command")
@click.argument("where", metavar="PROFILE[:REGION]|PATH/")
@click.argument("words", nargs=-1)
@since_options
@click.option("--to", "folder", type=LocalPath(), required=True, metavar="DIR", help="Folder for the files.")
@click.option("--name", "template", default="", metavar="TEMPLATE", help="Template for the names, as for pull.")
@click.option(
    "--every", type=Duration(), default=300.0, metavar="DURATION", help="Longest pause between rounds. [default: 5m]"
)
@click.option(
    "--look-back",
    type=Duration(),
    default=21_600.0,
    metavar="DURATION",
    help="How late an object may appear. [default: 6h]",
)
@click.option(
    "--expect",
    cls=HelpOption,
    section="Which objects",
    default="",
    metavar="TYPE[,TYPE]",
    help="The types that every call must have, such as callcenterrecording,transcription.",
)
@click.option(
    "--within",
    cls=HelpOption,
    section="Which objects",
    type=Duration(),
    metavar="DURATION",
    help="The deadline for --expect, from the first object of a call. [default: 6h]",
)
@click.option("--sidecar", is_flag=True, help="Save all fields and tags of each object beside its file, as NAME.json.")
@run_options
@json_option
def watch_command() -> None:
    """Download what a query finds, or what is new in a folder, as it appears, until a signal stops it.

    Each round is a pull that looks back to where the last complete one began, even one of an earlier watch, so neither
    an outage nor a restart leaves a gap. Rounds come sooner while something is found, and later while nothing is. A
    round that fails is reported, and the next one makes up for it. systemd is notified. The first signal stops it after
    the current object, a second one at once.

    With --expect a call is complete once an object of each of these types is here. Calls that miss the deadline are
    reported one by one: in the report of that round, and for two days in the metrics and by status.

    \b
    Examples:
      cloudstore watch acme8 type:callcenterrecording --to calls/
      cloudstore watch acme8 --expect callcenterrecording,transcription --within 6h --to calls/
      cloudstore watch acme8:uk --since today --to calls/ --every 15m --metrics /var/lib/node_exporter/calls.prom
      cloudstore watch acme:exports/reporting/ --to reporting/
    """


@click.command("verify", cls=Command, does="archive.verify_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option(
    "--sample", type=Percent(), default=1.0, metavar="PERCENT", help="Read only a part of the files, such as 5%."
)
@click.option("--seed", type=int, default=0, metavar="N", help="Which part: the same number chooses the same files.")
@click.option("--signers", type=LocalPath(), metavar="FILE", help="Who may sign a seal (allowed_signers of SSH).")
@click.option(
    "--authority", type=LocalPath(), metavar="FILE", help="Certificates of the time stamp authorities to trust (PEM)."
)
@run_options
@json_option
def verify_command() -> None:
    """Check that every file is there with the bytes that were downloaded; nothing is sent.

    Exit codes: 0 if all is well; 6 if bytes have changed or a line of the manifest cannot be read; 8 if files are
    missing; 1 for several of these, or if every file is good but the pull could not fetch or list everything. Files
    that the manifest does not know, and older versions of an object, are listed and are no failure. The chain of events
    is checked, too, and the seal, signature and time stamp of a sealed folder.

    \b
    Examples:
      cloudstore verify calls/
      cloudstore verify calls/ --signers auditors --sample 5% --seed 7
    """


@click.command("status", cls=Command, does="status.status_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option(
    "--max-age", type=Duration(), metavar="DURATION", help="Fail if the last complete run is older than this: 26h, 7d …"
)
@json_option
def status_command() -> None:
    """Show the last run of pull or watch, and the last complete one; nothing is sent.

    The exit code is 0 if the last run was complete and is not older than --max-age, else 1. A run that was killed, or
    is still going on, does not count as complete. The exit code is also 1 while a run that could not begin because
    another one was filling the folder has not been made up for, and for two days after a call has missed the deadline
    of a watch (--expect, --within); either is named.

    \b
    Examples:
      cloudstore status calls/
      cloudstore status calls/ --max-age 26h || mail -s "no calls since yesterday" ops </dev/null
    """


@click.command("reconcile", cls=Command, does="archive.reconcile_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option("--calls", type=LocalPath(), required=True, metavar="FILE.csv", help="The list of calls.")
@click.option("--at", "where", default="", metavar="PROFILE[:REGION]", help="Ask the service, too.")
@click.option(
    "--expect", default="", metavar="TYPE[,TYPE]", help="Types that every call must have. [default: a recording]"
)
@click.option("--id-column", default="", metavar="NAME", help="The column with the id. [default: found by its name]")
@click.option(
    "--start-column", default="", metavar="NAME", help="The column with the start. [default: found by its name]"
)
@click.option(
    "--late",
    type=Duration(),
    default=86_400.0,
    metavar="DURATION",
    help="How late after its call an object may appear. [default: 24h]",
)
@json_option
@timeout_option()
def reconcile_command() -> None:
    """Compare a list of calls with the service and with a pulled folder.

    The list is a CSV file with the id and the start of each call, from the telephone system or a CRM. Every discrepancy
    is shown: calls missing at the service, archived, not here, here but changed, or without an expected type, and
    objects that belong to no call. The exit code is 0 only if there is none.

    \b
    Examples:
      cloudstore reconcile archive/ --calls calls.csv --at acme8
      cloudstore reconcile archive/ --calls crm.csv --id-column Ticket --expect callrecording,transcription
    """


@click.command("seal", cls=Command, does="archive.seal_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option(
    "--sign", "key", type=LocalPath(), metavar="KEY", help="Sign with an SSH key, which may be on a hardware token."
)
@click.option("--timestamp", "url", default="", metavar="URL", help="Get a time stamp from an authority (RFC 3161).")
@json_option
@timeout_option()
def seal_command() -> None:
    """Seal a pulled folder as a bag (BagIt, RFC 8493); nothing is sent except for a time stamp.

    The files move into data/ the first time. After that pull continues to fill the folder, verify also checks the seal,
    and sealing again reads only what is new. To check a seal without this program: bagit.py --validate DIR,
    sha256sum -c manifest-sha256.txt in the folder, ssh-keygen -Y verify, openssl ts -verify. A file that differs from
    what was downloaded is not sealed: exit code 6.

    A time stamp proves that the seal existed at that time. The authority receives a digest and nothing else; its host
    must be in timestamp_hosts of the settings.

    \b
    Examples:
      cloudstore seal calls/
      cloudstore seal calls/ --sign ~/.ssh/id_ed25519 --timestamp https://freetsa.org/tsr
    """


@click.group("zip", cls=Group)
def zip_command() -> None:
    """Zip jobs of the 8x8 service: it packs objects of one region into a file of up to 2 GB.

    A job stays on the server, even after it was downloaded, until the service or `zip clear` removes it.

    \b
    Examples:
      cloudstore find acme8:us-east type:summary on:2024-09-01 --json | cloudstore zip get - --to calls/
      cloudstore zip list acme8:us-east
      cloudstore zip get acme8:us-east/0bccb889-….zip --keep-zip
    """


@zip_command.command("start", does="zip.start_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@dry_run_option
@json_option
@timeout_option()
def zip_start_command() -> None:
    """Start a job for objects of one region and exit; `zip get` downloads it when it is done.

    PATH may be -: then paths, or the lines of `find --json`, are read from stdin.

    \b
    Example:
      cloudstore find acme8:us-east type:summary on:2024-09-01 --json | cloudstore zip start -
    """


@zip_command.command("status", does="zip.status_command")
@click.argument("path", metavar="PROFILE:REGION/NAME.zip")
@json_option
@timeout_option()
def zip_status_command() -> None:
    """Show the status of one job, in the service's own words.

    \b
    Example:
      cloudstore zip status acme8:us-east/0bccb889-….zip
    """


@zip_command.command("list", does="zip.list_command")
@click.argument("path", metavar="PROFILE:[REGION]")
@json_option
@timeout_option()
def zip_list_command() -> None:
    """List the jobs on the server, including those of others who use the same key.

    \b
    Example:
      cloudstore zip list acme8
    """


@zip_command.command("get", does="zip.get_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "folder", type=LocalPath(), metavar="DIR", help="Folder for the files. [default: download_dir]")
@click.option("--keep-zip", is_flag=True, help="Keep the zip itself instead of extracting it.")
@conflict_option(asks=False)
@json_option
@timeout_option(transfers=True)
def zip_get_command() -> None:
    """Download a job, or have objects packed and download them; every member is verified on its own.

    PATH is PROFILE:REGION/NAME.zip for a job, or an object. It waits until the server is done. PATH may be -: then
    paths, or the lines of `find --json`, are read from stdin.

    \b
    Example:
      cloudstore find acme8:us-east type:summary on:2024-09-01 --json | cloudstore zip get - --to calls/
    """


@zip_command.command("cancel", does="zip.cancel_command")
@click.argument("path", metavar="PROFILE:REGION/NAME.zip")
@json_option
@timeout_option()
def zip_cancel_command() -> None:
    """Cancel one job, and list the remaining ones.

    \b
    Example:
      cloudstore zip cancel acme8:us-east/0bccb889-….zip
    """


@zip_command.command("clear", does="zip.clear_command")
@click.argument("path", metavar="PROFILE:REGION")
@yes_option
@json_option
@timeout_option()
def zip_clear_command() -> None:
    """Remove all jobs of a region, including those of others who use the same key.

    \b
    Example:
      cloudstore zip clear acme8:us-east
    """


@click.group("transfers", cls=Group)
def transfers_command() -> None:
    """The journal of transfers: those running in any of your programs, and those that were interrupted.

    Transfers that were stopped by Ctrl+C, a crash or the end of the browser are kept here and resume where they
    stopped. Every transfer has a number; its first characters, at least four, are enough.

    \b
    Examples:
      cloudstore transfers list
      cloudstore transfers run
      cloudstore transfers pause 3f9a
    """


@transfers_command.command("list", does="transfers.list_command")
@json_option
def transfers_list_command() -> None:
    """List the running transfers of all your programs, and the interrupted ones.

    Each line shows the number, the state, how much is safely on the disk, and what it is. Transfers that one key or
    command started are grouped below a line with their target and what is left.

    \b
    Examples:
      cloudstore transfers list
      cloudstore transfers list --json
    """


@transfers_command.command("run", does="transfers.run_command")
@click.argument("numbers", metavar="[ID]...", nargs=-1)
@json_option
@timeout_option(transfers=True)
def transfers_run_command() -> None:
    """Resume interrupted transfers, all or those named, and wait until they are done.

    \b
    Examples:
      cloudstore transfers run
      cloudstore transfers run 3f9a 77c0 --timeout 24h
      nohup cloudstore transfers run &
    """


@transfers_command.command("pause", does="transfers.pause_command")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def transfers_pause_command() -> None:
    """Pause transfers in the program that runs them, keeping what has arrived.

    \b
    Example:
      cloudstore transfers pause 3f9a
    """


@transfers_command.command("resume", does="transfers.resume_command")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def transfers_resume_command() -> None:
    """Resume paused transfers in the program that runs them.

    For transfers of a program that has ended, use `cloudstore transfers run`.

    \b
    Example:
      cloudstore transfers resume 3f9a
    """


@transfers_command.command("cancel", does="transfers.cancel_command")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def transfers_cancel_command() -> None:
    """Cancel transfers in any of your programs, and remove their part files.

    \b
    Example:
      cloudstore transfers cancel 3f9a 77c0
    """


@transfers_command.command("prune", does="transfers.prune_command")
@click.option(
    "--older-than",
    type=Duration(),
    default=14 * 86_400.0,
    help="Only those that were not resumed for this long. [default: 14d]",
)
@click.option("--all", "everything", is_flag=True, help="All interrupted transfers, however new.")
@json_option
def transfers_prune_command() -> None:
    """Forget old interrupted transfers, and remove their part files.

    \b
    Examples:
      cloudstore transfers prune
      cloudstore transfers prune --older-than 2d
    """


@transfers_command.command("log", does="transfers.log_command")
@click.option(
    "--limit",
    type=Number(1, 10_000),
    default=100,
    show_default=True,
    metavar="N",
    help="How many of the last events to show.",
)
@json_option
def transfers_log_command() -> None:
    """Show recent events of transfers: waits, pauses and failures, with the reason.

    \b
    Example:
      cloudstore transfers log --limit 20
    """
