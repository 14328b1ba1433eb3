"""`reconcile`: whether everything is there of the calls that took place."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cloudstore_tui.archive.listing import QueryListing
from cloudstore_tui.archive.reconcile import CallRow, OpenItem, OpenKind, Reconciliation, read_calls
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.searching import SearchOptions, narrowed
from cloudstore_tui.cli.session import CommandSession, run
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import StorageError, UsageError
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.transfers.workers import Workers


def reconcile_command(folder: Path, *, as_json: bool, timeout: float, **given: object) -> None:
    """Compare a list of calls with what the service has and what is here."""

    async def work(session: CommandSession) -> None:
        reconciling = _Reconciling(session, folder, given)
        await reconciling.run()

    run(work, as_json=as_json, timeout=timeout)


class _Reconciling:
    """One run of the command."""

    def __init__(self, session: CommandSession, folder: Path, given: dict[str, object]) -> None:
        self._session = session
        self._folder = folder
        self._calls = given["calls"]
        self._where = str(given["where"])
        self._expected = [word.strip() for word in str(given["expect"]).split(",") if word.strip()]
        self._columns = str(given["id_column"]), str(given["start_column"])
        self._late = timedelta(seconds=float(str(given["late"])))

    async def run(self) -> None:
        """Join, and tell."""
        workers, output = Workers(1), self._session.output
        assert isinstance(self._calls, Path)
        rows = read_calls(self._calls, output.zone, *self._columns)
        with closing(Reconciliation(self._folder, self._expected, state_folder())) as joined:
            try:
                await workers.run(lambda _stop: self._take_in(joined, rows))
                if self._where:
                    await self._ask(joined, workers)
                await workers.run(joined.add_what_is_here_alone)
                found: Counter[OpenKind] = Counter()
                await workers.run(lambda _stop: _tell_all(output, joined, found))
            finally:
                workers.close()
            self._sum_up(joined, found)

    def _take_in(self, joined: Reconciliation, rows: Iterator[CallRow]) -> None:
        joined.add_calls(rows)
        joined.add_folder()

    async def _ask(self, joined: Reconciliation, workers: Workers) -> None:
        output = self._session.output
        provider, location = self._session.resolve(self._where)
        provider.require(Capability.SEARCH, location)
        if location.path:
            raise UsageError("takes a profile or a region, not an object", subject=f"--at {self._where}")
        span = joined.span
        if span is None:
            return
        since, until = span[0] - timedelta(hours=1), span[1] + self._late
        options = SearchOptions("", "", since.isoformat(), until.isoformat())
        query, _ = narrowed(options.query(location, output), ("state:any",), output)
        listing = QueryListing(provider, query, datetime.now(UTC))
        async for page in listing.pages():
            await workers.run(partial(joined.add_objects, page))
        output.losses(listing.failures)

    def _sum_up(self, joined: Reconciliation, found: "Counter[OpenKind]") -> None:
        output = self._session.output
        numbers = {kind.name.lower(): found[kind] for kind in OpenKind}
        if output.as_json:
            output.record({"event": "report", "calls": joined.calls, "open": found.total(), **numbers})
        else:
            parts = [f"{number:,} {kind.value}" for kind, number in found.items() if number]
            output.line(f"{joined.calls:,} calls: {', '.join(parts) if parts else 'everything is there'}.")
        if joined.unread:
            output.error(
                StorageError(f"the beginning of {joined.unread:,} calls cannot be read", subject=str(self._calls))
            )
        if found.total():
            output.errors.append(StorageError("something is open"))


def _tell_all(output: Output, joined: Reconciliation, found: "Counter[OpenKind]") -> None:
    for item in joined.open_items():
        found[item.kind] += 1
        _tell(output, item)


def _tell(output: Output, item: OpenItem) -> None:
    if output.as_json:
        told = {"event": item.kind.name.lower(), "call": item.call, "path": item.address, "type": item.type}
        output.record({name: value for name, value in told.items() if value})
        return
    what = f"{item.kind.value} {item.type}" if item.kind is OpenKind.LACKING else item.kind.value
    output.line("  ".join(part for part in (f"{what:24}", item.call or "-", item.address) if part))
