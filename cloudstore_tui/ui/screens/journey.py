"""Going from place to place."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cloudstore_tui.core.entry import Folder, identity
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fiql import conjunction
from cloudstore_tui.ui.history import History, Step
from cloudstore_tui.ui.report import report
from cloudstore_tui.ui.screens.listing_flow import ListingFlow
from cloudstore_tui.ui.visit import Visit, search_from, visit_to


class Journey:
    """Opens visits and remembers where the user has been."""

    def __init__(
        self, listing: ListingFlow, providers: Mapping[str, StorageProvider], arrived: Callable[[Visit], None]
    ) -> None:
        """Go with `listing`; `arrived` is called after each step."""
        self._listing = listing
        self._providers = providers
        self._arrived = arrived
        self._history = History()

    @property
    def visit(self) -> Visit | None:
        """Where the user is."""
        return self._listing.reading.visit if self._listing.reading else None

    def go(self, location: Location, at: str = "") -> None:
        """Open a folder, a place or an object, with the cursor on the entry called `at`."""
        self._leave_for(visit_to(self._providers[location.profile], location), at)

    def search(self, text: str) -> None:
        """Search the region where the user is, for a filter or a phrase."""
        if self.visit is None:
            return
        try:
            found = search_from(self.visit.location, text, self._listing.zone)
        except StorageError as error:
            report(self._listing.screen, error)
        else:
            self._leave_for(found, "")

    def narrow(self, filter_: str) -> None:
        """Demand one more thing of what is searched for where the user is."""
        visit = self.visit
        if visit is not None and visit.query is not None:
            query = replace(visit.query, filter=conjunction(visit.query.filter, filter_))
            self._leave_for(replace(visit, query=query, written=True), "")

    def can(self, way: str) -> bool:
        """Whether there is a way `back`, `forward`, `up` or to the `root`."""
        if way in ("back", "forward"):
            return self._history.can_go_back if way == "back" else self._history.can_go_forward
        return self._target(way) is not None

    def travel(self, way: str) -> None:
        """Go that way, if there is one."""
        if not self.can(way):
            return
        target = self._target(way)
        if target is not None:
            left = self.visit.location if self.visit else target
            self.go(target, identity(Folder(left, "")))
        elif self.visit is not None:
            step = self._history.back(self._step()) if way == "back" else self._history.forward(self._step())
            self._open(step.visit, step.at)

    def _target(self, way: str) -> Location | None:
        visit = self.visit
        if visit is None or way in ("back", "forward"):
            return None
        if visit.written:
            return visit.location
        provider = self._providers[visit.location.profile]
        root = provider.locate("")
        return provider.parent(visit.location) if way == "up" else root if root != visit.location else None

    def _leave_for(self, visit: Visit, at: str) -> None:
        if self.visit is not None and self.visit != visit:
            self._history.leave(self._step())
        self._open(visit, at)

    def _step(self) -> Step:
        assert self.visit is not None
        entry = self._listing.entry
        return Step(self.visit, identity(entry) if entry is not None else "")

    def _open(self, visit: Visit, at: str) -> None:
        self._listing.open(visit, at=at)
        self._arrived(visit)
