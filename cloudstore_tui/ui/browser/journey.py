"""Going from place to place."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Folder, Location, identity
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fiql import with_condition
from cloudstore_tui.ui.browser.history import History, Step
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.memory import Memory
from cloudstore_tui.ui.browser.visit import Visit, search_from, visit_to
from cloudstore_tui.ui.report import report


class Journey:
    """Opens visits and remembers where the user has been."""

    def __init__(
        self, listing: ListingFlow, providers: Mapping[str, StorageProvider], arrived: Callable[[Visit], None]
    ) -> None:
        """Go with `listing`; `arrived` is called after each step."""
        self.listing = listing
        """What is gone with."""
        self.providers = providers
        """By profile."""
        self._arrived = arrived
        self._history = History()

    @property
    def visit(self) -> Visit | None:
        """Where the user is."""
        return self.listing.reading.visit if self.listing.reading else None

    def go(self, location: Location, at: str = "") -> None:
        """Open a folder, a place or an object, with the cursor on the entry called `at`."""
        self._leave_for(visit_to(self.providers[location.profile], location), at)

    def begin(self, location: Location) -> None:
        """Open a place that was remembered, or the top of its profile if it is none any more."""
        try:
            self.go(location)
        except StorageError as error:
            report(self.listing.screen, error)
            self.go(self.providers[location.profile].locate(""))

    def search(self, text: str, inside: Location | None = None) -> None:
        """Search for a filter or a phrase inside a place: that where the user is, if no other is named."""
        location = inside or (self.visit.location if self.visit is not None else None)
        if location is not None:
            self._leave_for(search_from(self.providers[location.profile], location, text, self.listing.zone), "")

    def open(self, visit: Visit) -> None:
        """Open a visit that somebody else made."""
        self._leave_for(visit, "")

    def narrow(self, condition: str) -> None:
        """Demand one more thing of what is searched for where the user is, in the place of what says the same."""
        if self.visit is not None:
            self.search(with_condition(self.visit.typed, condition, self.listing.zone, datetime.now(UTC)))

    def remember(self, memory: Memory) -> None:
        """Have the place remembered that a service has told something of."""
        reading = self.listing.reading
        if reading is None or reading.error:
            return
        visit, screen = reading.visit, self.listing.screen
        find = (visit.typed or (visit.query.filter if visit.query else "")) if visit.written else ""
        if (visit.written and find) or (not visit.written and reading.provider.is_folder(visit.location)):
            screen.run_worker(memory.remember(visit.location, find=find), group="remembering")

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
            there, return_ = self._history.back, self._history.forward
            if way == "forward":
                there, return_ = return_, there
            step = there(self._step())
            try:
                self._open(step)
            except StorageError:
                return_(step)
                raise

    def _target(self, way: str) -> Location | None:
        visit = self.visit
        if visit is None or way in ("back", "forward"):
            return None
        if visit.written:
            return visit.location
        provider = self.providers[visit.location.profile]
        root = provider.locate("")
        return provider.parent(visit.location) if way == "up" else root if root != visit.location else None

    def _leave_for(self, visit: Visit, at: str) -> None:
        here = self._step() if self.visit is not None and self.visit != visit else None
        self._open(Step(visit, at))
        if here is not None:
            self._history.leave(here)

    def _step(self) -> Step:
        reading, entry = self.listing.reading, self.listing.entry
        assert reading is not None
        at = identity(entry) if entry is not None else ""
        return Step(reading.visit, at, reading.fetched, self.listing.pane.table.scroll_offset.y)

    def _open(self, step: Step) -> None:
        self.listing.open(step.visit, at=step.at, until=step.until, top=step.top)
        self._arrived(step.visit)
