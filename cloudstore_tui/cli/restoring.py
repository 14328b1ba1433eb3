"""The list of restores as commands use it: opened, looked after, printed."""

import shlex
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from cloudstore_tui.cli.output import Output, iso
from cloudstore_tui.cli.session import Session
from cloudstore_tui.config.paths import state_folder, user_path
from cloudstore_tui.restores import FILE, RestorePoller, RestoreRequest, RestoreStatus, RestoreStore, utc_now
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.restore_text import describe


def open_store() -> RestoreStore:
    """The user's list of restores; nothing is made by opening it."""
    return RestoreStore(state_folder() / FILE)


def poller_of(session: Session, profiles: Iterable[str]) -> RestorePoller:
    """Who looks after the requests of some profiles, at the pace that the settings name."""
    names = tuple(dict.fromkeys(profiles))
    settings = session.config.settings
    return RestorePoller(open_store(), session.provider, lambda: names, settings.restore_poll_seconds)


def print_request(output: Output, request: RestoreRequest) -> None:
    """One line of the list."""
    now = utc_now()
    if output.as_json:
        output.record(request_record(request, now))
        return
    size = in_words.size(request.size)
    what = describe(request, output.zone, now)
    output.line(f"{size:>10}  {request.status.value:9}  {request.location.address}  {request.name}  {what}")


def request_record(request: RestoreRequest, now: datetime) -> dict[str, object]:
    """One request with the field names of the JSON contract; what is unknown is absent."""
    record: dict[str, object] = {
        "path": request.location.address,
        "name": request.name,
        "size": request.size,
        "result": "expired" if request.is_over(now) else request.status.value,
        "days": request.days,
        "asked": iso(request.asked),
        "ready": iso(request.ready),
        "expires": iso(request.expires),
        "folder": request.folder,
        "note": request.note,
    }
    return {name: value for name, value in record.items() if value not in ("", None)}


def get_command(requests: Iterable[RestoreRequest], zone: ZoneInfo) -> str:
    """The command that downloads what is ready, and until when that works."""
    ready = [request for request in requests if request.status is RestoreStatus.READY]
    ends = min((request.expires for request in ready if request.expires), default=None)
    until = f" before {in_words.full_time(ends, zone)}" if ends else ""
    folders = {request.folder for request in ready}
    to = f" --to {shlex.quote(folders.pop())}" if len(folders) == 1 and folders != {""} else ""
    return f"Fetch it{until}: cloudstore get {shlex.join(request.location.address for request in ready)}{to}"


def absolute(folder: str) -> str:
    """A folder so that it means the same to a program that runs elsewhere."""
    return str(user_path(folder).absolute()) if folder else ""
