"""What the commands take that fetch and send."""

import click

from cloudstore_tui.cli.options import (
    Command,
    Duration,
    Group,
    HelpOption,
    LocalPath,
    Percent,
    conflict_option,
    dry_run_option,
    json_option,
    query_options,
    run_options,
    timeout_option,
    yes_option,
)


@click.command("get", cls=Command, does="transfer.get_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "folder", default="", metavar="DIR", help="Folder, or - for stdout. [default: download_dir]")
@click.option("--name", metavar="TEMPLATE", help="Paths below that folder, such as {start:%Y/%m/%d}/{agentName}.")
@conflict_option()
@json_option
@timeout_option(transfers=True)
def get_command() -> None:
    """Download objects. A file appears under its name only when it is complete and verified.

    A file that is already there with the right content counts as done. A download that is stopped goes on with
    `cloudstore transfers run`, where it stopped.

    \b
    Examples:
      cloudstore get acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore get acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --to calls/
      cloudstore get acme8:us-east/58bc5748-… --name "{start:%Y/%m/%d}/{agentName}-{callId}"
      cloudstore get acme:imports/outreach/nanp/plan.csv --to - | head
    """


@click.command("put", cls=Command, does="transfer.put_command")
@click.argument("files", metavar="FILE... PATH/", nargs=-1, required=True)
@conflict_option("refuse", "skip", "overwrite")
@click.option("--follow", is_flag=True, help="Wait until the service has moved each file to processed/ or errors/.")
@click.option("--within", type=Duration(), metavar="DURATION", help="How long to wait for that at most. [default: 15m]")
@yes_option
@dry_run_option
@json_option
@timeout_option(transfers=True)
def put_command() -> None:
    """Upload files into a folder that ends with /. The profile needs read_only = false.

    An upload that is stopped begins again with `cloudstore transfers run`, after a look whether it arrived.

    The service reads some folders and moves what it has read to processed/ or errors/ in them. --follow waits for that,
    and ends with 0 if all was processed, 11 if something went to errors/, and 4 if something was not moved in time.

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
    help="Of a folder: only files changed at or after this time: 7d, 2024-09-01 …",
)
@click.option(
    "--expiring",
    type=Duration(),
    metavar="DURATION",
    help="Only what has less time left by the policy of the profile (retention): 7d …",
)
@click.option("--to", "folder", required=True, metavar="DIR", help="Folder for the files; made if it is missing.")
@click.option(
    "--name",
    "template",
    default="",
    metavar="TEMPLATE",
    help="Template for the names, such as {start:%Y/%m/%d}/{agentName}-{id}.",
)
@click.option("--via", type=click.Choice(["auto", "zip", "content"]), default="auto", help="How the bytes come.")
@dry_run_option
@click.option(
    "--manifest", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", help="csv: manifest.csv, too."
)
@click.option("--sidecar", is_flag=True, help="Write everything known of each object beside its file, as NAME.json.")
@conflict_option()
@run_options
@json_option
@timeout_option(transfers=True)
def pull_command() -> None:
    """Fetch everything a query finds, or everything in a folder. Run it again to go on, or to fetch what is new.

    What is there already, complete, is not fetched again. manifest.jsonl in the folder tells of every object what it
    is, where it is and how it was verified. It ends with 0 only when nothing is missing. An object that was replaced
    at the service is fetched beside the file of the old one, or in its place with --on-conflict overwrite.

    Names are made of fields and tags: {name} {id} {type} {region} {agentName} {callId} …, and of times in the zone of
    the settings: {start:%Y/%m/%d} {created:%H-%M}. A slash makes a folder; what is not known becomes _.

    \b
    Examples:
      cloudstore pull acme8 --type callcenterrecording --since yesterday --to calls/ --dry-run
      cloudstore pull acme8:us-east agent:"Khang Glynn" on:2024-09 --to khang/ --via zip
      cloudstore pull acme8 --since 7d --to calls/ --name "{start:%Y/%m/%d}/{agentName}-{callId}"
      cloudstore pull acme:exports/reporting/ --newer-than 7d --to reporting/
    """


@click.command("watch", cls=Command, does="pull.watch_command")
@click.argument("where", metavar="PROFILE[:REGION]|PATH/")
@click.argument("words", nargs=-1)
@query_options
@click.option("--to", "folder", type=LocalPath(), required=True, metavar="DIR", help="Folder for the files.")
@click.option("--name", "template", default="", metavar="TEMPLATE", help="Template for the names, as for pull.")
@click.option("--every", type=Duration(), default=300.0, metavar="DURATION", help="Longest pause. [default: 5m]")
@click.option(
    "--look-back", type=Duration(), default=21_600.0, metavar="DURATION", help="How late objects come. [default: 6h]"
)
@click.option(
    "--expect",
    cls=HelpOption,
    section="Which objects",
    default="",
    metavar="TYPE[,TYPE]",
    help="What every call is to have, such as callcenterrecording,transcription.",
)
@click.option(
    "--within",
    cls=HelpOption,
    section="Which objects",
    type=Duration(),
    metavar="DURATION",
    help="How long after its first object a call may lack that. [default: 6h]",
)
@click.option("--sidecar", is_flag=True, help="Write everything known of each object beside its file, as NAME.json.")
@run_options
def watch_command() -> None:
    """Fetch what a query finds, or what is new in a folder, as it comes, until a signal ends it.

    Each round is a pull, and looks back from where the last complete one began, also that of an earlier watch of the
    same query into the folder, so neither an outage nor a restart leaves a gap. It comes sooner while something is
    found, and later while nothing is. A round that fails is told, and the next one makes up for it. systemd is told
    when it is ready, and that it lives. The first signal ends it after the object in hand, a second one at once.

    With --expect a call is complete once it has an object of each of these types here. What has not come within the
    deadline is told, call by call: in the report of the round that notices it, and for two days in the metrics and by
    status.

    \b
    Examples:
      cloudstore watch acme8 type:callcenterrecording --to calls/
      cloudstore watch acme8 --expect callcenterrecording,transcription --within 6h --to calls/
      cloudstore watch acme8:uk --since today --to calls/ --every 15m --metrics /var/lib/node_exporter/calls.prom
      cloudstore watch acme:exports/reporting/ --to reporting/
    """


@click.command("verify", cls=Command, does="archive.verify_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option("--sample", type=Percent(), default=1.0, metavar="5%", help="Read only a part of the files.")
@click.option("--seed", type=int, default=0, metavar="N", help="Which part: another one for another number.")
@click.option(
    "--signers", type=LocalPath(), metavar="FILE", help="Keys of those who may sign a seal (allowed_signers of SSH)."
)
@click.option(
    "--authority", type=LocalPath(), metavar="FILE", help="Certificates of who may give a seal its time stamp (PEM)."
)
@run_options
@json_option
def verify_command() -> None:
    """Check that every file is there and has the bytes that were fetched; nothing is sent.

    It ends with 0 if all is well, 6 if bytes have changed or a line of the manifest cannot be read, 8 if files are
    missing, and 1 for several of these, or if all is good that is here and the pull could not fetch or list everything.
    Files that the manifest does not know are named, and so are older versions of an object; both are no fault. The
    chain of events is checked, too, and of a folder that was sealed its seal, signature and time stamp.

    \b
    Examples:
      cloudstore verify calls/
      cloudstore verify calls/ --signers auditors --sample 5% --seed 7
    """


@click.command("status", cls=Command, does="status.status_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option("--max-age", type=Duration(), metavar="DURATION", help="How old the last complete run may be: 26h, 7d …")
@json_option
def status_command() -> None:
    """Tell of the last run of pull or watch, and of the last one that left nothing missing; nothing is sent.

    It ends with 0 if the last run was complete, and not longer ago than --max-age; else with 1. A run that was killed
    is none, and one that is under way counts as little as none. It also ends with 1 for two days after a call has
    missed the deadline that a watch was given with --expect and --within, and names the call.

    \b
    Examples:
      cloudstore status calls/
      cloudstore status calls/ --max-age 26h || mail -s "no calls since yesterday" ops </dev/null
    """


@click.command("reconcile", cls=Command, does="archive.reconcile_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option("--calls", type=LocalPath(), required=True, metavar="FILE.csv", help="The calls that took place.")
@click.option("--at", "where", default="", metavar="PROFILE[:REGION]", help="Ask the service, too.")
@click.option("--expect", default="", metavar="TYPE,TYPE", help="Types that every call has. [default: a recording]")
@click.option("--id-column", default="", metavar="NAME", help="The column with the id. [default: by its name]")
@click.option("--start-column", default="", metavar="NAME", help="The column with the beginning, likewise.")
@click.option(
    "--late", type=Duration(), default=86_400.0, metavar="DURATION", help="How late objects come. [default: 24h]"
)
@json_option
@timeout_option()
def reconcile_command() -> None:
    """Compare a list of calls with what the service has and what is here.

    The list is a CSV file with an id and a beginning for each call, from the telephone system or a CRM. Told is what
    is missing at the service, archived, not here, here but changed, without a type that is expected, and what belongs
    to no call. It ends with 0 only when nothing is open.

    \b
    Examples:
      cloudstore reconcile archive/ --calls calls.csv --at acme8
      cloudstore reconcile archive/ --calls crm.csv --id-column Ticket --expect callrecording,transcription
    """


@click.command("seal", cls=Command, does="archive.seal_command")
@click.argument("folder", type=LocalPath(), metavar="DIR")
@click.option(
    "--sign", "key", type=LocalPath(), metavar="KEY", help="Sign it with an SSH key, also one that a device holds."
)
@click.option(
    "--timestamp", "url", default="", metavar="URL", help="Let an authority (RFC 3161) stamp it with the time."
)
@json_option
@timeout_option()
def seal_command() -> None:
    """Seal what is there, as BagIt (RFC 8493) has it; nothing is sent but what a time stamp takes.

    The files move into data/ the first time. Then pull goes on to fill the folder, verify checks the seal, too, and
    sealing again reads only what is new. Without this program it is checked with bagit.py --validate DIR, with
    sha256sum -c manifest-sha256.txt in it, with ssh-keygen -Y verify and openssl ts -verify. A file that is not the
    one that was fetched is not sealed: 6.

    A time stamp proves since when the seal has been what it is. The authority gets a digest and nothing else; its host
    has to be in timestamp_hosts of the settings.

    \b
    Examples:
      cloudstore seal calls/
      cloudstore seal calls/ --sign ~/.ssh/id_ed25519 --timestamp https://freetsa.org/tsr
    """


@click.group("zip", cls=Group)
def zip_command() -> None:
    """Zip jobs of the 8x8 service: it packs objects of one region into a file of up to 2 GB.

    A job stays on the server after it was fetched, until the service or `zip clear` removes it.

    \b
    Examples:
      cloudstore zip get acme8:us-east/58bc5748-… acme8:us-east/78af0e18-… --to calls/
      cloudstore zip list acme8:us-east
      cloudstore zip get acme8:us-east/0bccb889-….zip --keep-zip
    """


@zip_command.command("start", does="zip.start_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@dry_run_option
@json_option
@timeout_option()
def zip_start_command() -> None:
    """Start one job for objects of one region, and end; `zip get` fetches it when it is done.

    \b
    Example:
      cloudstore zip start acme8:us-east/58bc5748-… acme8:us-east/78af0e18-…
    """


@zip_command.command("status", does="zip.status_command")
@click.argument("path", metavar="PROFILE:REGION/NAME.zip")
@json_option
@timeout_option()
def zip_status_command() -> None:
    """Show how far one job is, in the service's own word.

    \b
    Example:
      cloudstore zip status acme8:us-east/0bccb889-….zip
    """


@zip_command.command("list", does="zip.list_command")
@click.argument("path", metavar="PROFILE:[REGION]")
@json_option
@timeout_option()
def zip_list_command() -> None:
    """List the jobs that the server holds, also those of others with the same key.

    \b
    Example:
      cloudstore zip list acme8
    """


@zip_command.command("get", does="zip.get_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "folder", default="", metavar="DIR", help="Folder for the files. [default: download_dir]")
@click.option("--keep-zip", is_flag=True, help="Keep the zip itself instead of opening it.")
@conflict_option(asks=False)
@json_option
@timeout_option(transfers=True)
def zip_get_command() -> None:
    """Fetch a job of the server, or pack objects and fetch them; every member is verified on its own.

    PATH is PROFILE:REGION/NAME.zip for a job, or the objects themselves. Waits until the server is done.

    \b
    Example:
      cloudstore zip get acme8:us-east/58bc5748-… acme8:us-east/78af0e18-… --to calls/
    """


@zip_command.command("cancel", does="zip.cancel_command")
@click.argument("path", metavar="PROFILE:REGION/NAME.zip")
@json_option
@timeout_option()
def zip_cancel_command() -> None:
    """Stop one job; show the jobs that are left.

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
    """Empty the whole queue of a region, also of jobs that others with the same key have started.

    \b
    Example:
      cloudstore zip clear acme8:us-east
    """


@click.group("transfers", cls=Group)
def transfers_command() -> None:
    """The journal of transfers: what runs in any program of yours, and what was interrupted.

    What was stopped, by Ctrl-C, a crash or the end of the browser, is kept here, and goes on where it stopped.
    Every transfer has a number; its first characters are enough, four at least.

    \b
    Examples:
      cloudstore transfers list
      cloudstore transfers run
      cloudstore transfers pause 3f9a
    """


@transfers_command.command("list", does="transfers.list_command")
@json_option
def transfers_list_command() -> None:
    """List the transfers of all your programs that run, and those that were interrupted.

    Each line has the number, the state, how much of it is safely on the disk, and what it is. What one key or command
    asked for stands together, below a line with its target and how much is left.

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
    """Go on with interrupted transfers, all of them or those named, until they are done.

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
    """Let transfers rest in the program that makes them, until they are resumed; what arrived is kept.

    \b
    Example:
      cloudstore transfers pause 3f9a
    """


@transfers_command.command("resume", does="transfers.resume_command")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def transfers_resume_command() -> None:
    """Go on with transfers that were paused, in the program that makes them.

    What no program makes any more goes on with `cloudstore transfers run`.

    \b
    Example:
      cloudstore transfers resume 3f9a
    """


@transfers_command.command("cancel", does="transfers.cancel_command")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True)
@json_option
def transfers_cancel_command() -> None:
    """Stop transfers, in whatever program they run, and remove what arrived of them.

    \b
    Example:
      cloudstore transfers cancel 3f9a 77c0
    """


@transfers_command.command("prune", does="transfers.prune_command")
@click.option(
    "--older-than",
    type=Duration(),
    default=14 * 86_400.0,
    help="Only what nobody went on with for this long. [default: 14d]",
)
@click.option("--all", "everything", is_flag=True, help="Everything that was interrupted, however new.")
@json_option
def transfers_prune_command() -> None:
    """Forget interrupted transfers that nobody went on with, and remove their part files.

    \b
    Examples:
      cloudstore transfers prune
      cloudstore transfers prune --older-than 2d
    """


@transfers_command.command("log", does="transfers.log_command")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The last so many.")
@json_option
def transfers_log_command() -> None:
    """Show what happened to transfers lately: waits, pauses and failures, with the reason.

    \b
    Example:
      cloudstore transfers log --limit 20
    """
