"""The options that say which objects are meant, and the query they stand for."""

from dataclasses import dataclass
from datetime import UTC, datetime

import click

from cloudstore_tui.cli.filter import warnings_of
from cloudstore_tui.cli.options import Command
from cloudstore_tui.cli.output import Output
from cloudstore_tui.core.models import Location, Query, Sort
from cloudstore_tui.fiql import compare, conjunction, epoch_ms, parse, parse_time


def query_options(command: Command) -> Command:
    """`--fiql`, `--type`, `--since` and `--until`."""
    options = (
        click.option("--until", default="", help="Created before this time."),
        click.option("--since", default="", help="Created at or after this time: 2024-09-01, yesterday, 7d …"),
        click.option("--type", "type_", default="", help="Only objects of this type, such as callcenterrecording."),
        click.option("--fiql", default="", help="A FIQL filter, sent as written once it parses."),
    )
    for option in options:
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Search:
    """What the options of a search ask for."""

    fiql: str
    type: str
    since: str
    until: str
    sort: str = ""
    descending: bool = False

    def query(self, location: Location, output: Output) -> Query:
        """The query, after everything that can be wrong with it was looked at."""
        if self.fiql:
            for problem in warnings_of(parse(self.fiql), self.fiql, output.zone):
                output.note(f"Note: {problem.text}. {problem.hint}".rstrip())
        text = conjunction(
            self.fiql,
            compare("type", "==", self.type) if self.type else "",
            self._bound("=ge=", self.since, output),
            self._bound("=lt=", self.until, output),
        )
        order = Sort(self.sort or "createdTime", self.descending or not self.sort)
        return Query(location, text, order)

    def _bound(self, operator: str, text: str, output: Output) -> str:
        if not text:
            return ""
        moment = parse_time(text, output.zone, datetime.now(UTC))
        return compare("createdTime", operator, str(epoch_ms(moment)))
