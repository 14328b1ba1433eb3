"""`seal`: a pulled folder as a bag that others can check without this program."""

from pathlib import Path

from cloudstore_tui.archive.bag import Sealed, seal
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.transfers.workers import Workers
from cloudstore_tui.ui import format as in_words


def seal_command(folder: Path, *, key: Path | None, as_json: bool) -> None:
    """Seal what is there, as BagIt (RFC 8493) has it; nothing is sent."""

    async def work(session: CommandSession) -> None:
        workers = Workers(1)
        try:
            sealed = await workers.run(lambda stop: seal(folder, stop, state_folder(), key))
        finally:
            workers.close()
        if as_json:
            session.output.record(_record(sealed))
            return
        read = f", {sealed.read:,} of them read" if sealed.read else ""
        noun = "file" if sealed.files == 1 else "files"
        session.output.line(f"Sealed {sealed.files:,} {noun}, {in_words.size(sealed.bytes)}{read}.")
        if sealed.missing:
            session.output.line(f"Missing in it: {sealed.missing:,} that could not be fetched.")
        session.output.line(f"The last event is {sealed.head}.")

    run(work, as_json=as_json)


def _record(sealed: Sealed) -> dict[str, object]:
    return {"event": "sealed", **{name: getattr(sealed, name) for name in sealed.__struct_fields__}}
