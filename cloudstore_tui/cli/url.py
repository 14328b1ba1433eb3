"""`url`: a signed link."""

import shlex

from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.core.links import LinkForm
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.records import iso
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.ui import format as in_words


def url_command(path: str, *, native: bool, curl: bool, as_json: bool, timeout: float) -> None:
    """Print a link that lets anybody who holds it fetch the object until it ends."""

    async def work(session: CommandSession) -> None:
        provider, location = session.resolve(path)
        link = await provider.link(location, LinkForm.NATIVE if native else None)
        url = link.url.reveal()
        if as_json:
            session.output.record({"url": url, "expires": iso(link.expires), "form": link.form.value})
        elif curl:
            session.output.line(shlex.join(["curl", "--fail", "--globoff", "--output", _local_name(location), url]))
        else:
            session.output.line(url)
        if link.note:
            session.output.note(link.note)
        ends = in_words.full_time(link.expires, session.output.zone)
        session.output.note(f"Expires {ends}. Anyone with this link can download the file.")

    run(work, as_json=as_json, timeout=timeout)


def _local_name(location: Location) -> str:
    """A name in the current folder, whatever the object is called."""
    return safe_name(location.path.rsplit("/", 1)[-1] or "download")
