"""`seal`: a pulled folder as a bag that others can check without this program."""

from pathlib import Path

from cloudstore_tui.archive.bag import Sealed, Stamping, seal
from cloudstore_tui.archive.timestamp import stamp_request
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.net.ping import check_timestamp, fetch_timestamp, host_of
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.ui import format as in_words


def seal_command(folder: Path, *, key: Path | None, url: str, as_json: bool, timeout: float) -> None:
    """Seal what is there, as BagIt (RFC 8493) has it; nothing is sent but what a time stamp takes."""

    async def work(session: CommandSession) -> None:
        if url:
            check_timestamp(url, session.config.settings.timestamp_hosts, f"--timestamp {host_of(url)}")
            stamp_request(b"?")
        workers = Workers(1)
        try:
            sealed = await workers.run(lambda stop: seal(folder, stop, state_folder(), key))
            _tell(session.output, sealed)
            if url:
                await stamp(session, workers)
        finally:
            workers.close()

    async def stamp(session: CommandSession, workers: Workers) -> None:
        subject = f"--timestamp {host_of(url)}"
        try:
            stamping = await workers.run(lambda _stop: Stamping(folder))
            answer = await fetch_timestamp(url, stamping.query, session.timeouts, subject)
            moment = await workers.run(lambda _stop: stamping.keep(answer, subject))
        except StorageError as error:
            raise error.with_(
                hint="It is sealed, without a time stamp. Seal it again: only what is new is read."
            ) from None
        if as_json:
            session.output.record({"event": "stamped", "at": moment.isoformat(), "by": host_of(url)})
        else:
            session.output.line(f"{host_of(url)} has stamped it: {moment:%Y-%m-%d %H:%M:%S} UTC.")

    run(work, as_json=as_json, timeout=timeout)


def _tell(output: Output, sealed: Sealed) -> None:
    if output.as_json:
        output.record(_record(sealed))
        return
    read = f", {sealed.read:,} of them read" if sealed.read else ""
    noun = "file" if sealed.files == 1 else "files"
    output.line(f"Sealed {sealed.files:,} {noun}, {in_words.size(sealed.bytes)}{read}.")
    if sealed.missing:
        output.line(f"Missing in it: {sealed.missing:,} that could not be fetched.")
    output.line(f"The last event is {sealed.head}.")


def _record(sealed: Sealed) -> dict[str, object]:
    return {"event": "sealed", **{name: getattr(sealed, name) for name in sealed.__struct_fields__}}
