"""`stat`: everything known of one object."""

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.core.models import Entry, Folder, StoredObject
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.records import entry_record
from cloudstore_tui.ui import format as in_words


def stat_command(path: str, *, as_json: bool, timeout: float) -> None:
    """Show every field and tag of one object."""

    async def work(session: CommandSession) -> None:
        provider, location = session.resolve(path)
        _print_stat(await provider.stat(location), provider, session.output)

    run(work, as_json=as_json, timeout=timeout)


def _print_stat(entry: Entry, provider: StorageProvider, output: Output) -> None:
    record = entry_record(entry, provider.profile.provider)
    if output.as_json:
        tags = list(entry.tags) if isinstance(entry, StoredObject) else []
        listed = {"tag_list": [{"key": key, "value": value} for key, value in tags]} if tags else {}
        output.record(record | listed)
        return
    for name, value in _facts(entry, record, output):
        output.line(f"{name:16}  {value}")


def _facts(entry: Entry, record: dict[str, object], output: Output) -> list[tuple[str, object]]:
    facts = [(name, value) for name, value in record.items() if name not in {"tags", "size_exact", "size"}]
    if isinstance(entry, Folder):
        return facts
    times = {name: in_words.full_time(getattr(entry, name), output.zone) for name in ("created", "modified", "updated")}
    facts = [(name, times.get(name, value)) for name, value in facts]
    size = in_words.exact_size(entry.size, exact=entry.size_exact)
    return [*facts, ("size", size), *((f"tag {key}", value) for key, value in entry.tags)]
