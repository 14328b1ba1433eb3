"""Filling the tree: children of places with a request each, counts where they are cheap, what is saved and recent."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Folder, Location
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.listing import ListingState
from cloudstore_tui.ui.browser.places_tree import Place, PlacesTree
from cloudstore_tui.ui.browser.targets import NavigationTarget
from cloudstore_tui.ui.format import service_name, visit_title
from cloudstore_tui.ui.object_actions import MAX_PACE_UNASKED
from cloudstore_tui.ui.report import sentence

GROUP, COUNTING = "places", "counting"
MAX_TYPES = 6
"""Types of a region that are shown at first."""
MAX_SAVED, MAX_RECENT = 8, 5
MAX_REUSED = 1_000
"""Rows of a listing whose folders are taken into the tree."""
COUNT_PAUSE_S, PACE_PAUSE_S = 0.3, 5.0
"""Seconds between two counts, and between two looks at a pace that is used up: what the user asks for comes first."""
MIN_PACE = 30
"""Requests a minute, if they are limited, from which on some are spent on counts."""
UNKNOWN = "·"
SHORTCUTS_S = 0.2
"""Seconds after which a place that was gone to is among the recent ones."""


class PlacesController:
    """Fills the tree. An answer belongs to the load it was asked for; a later load or a closed place drops it."""

    def __init__(
        self,
        screen: Screen[None],
        tree: PlacesTree,
        providers: Mapping[str, StorageProvider],
        browser_state: BrowserState,
        counted: Callable[[], None],
    ) -> None:
        """Fill `tree`; `counted` is called whenever it is known how many objects are somewhere."""
        self._screen = screen
        self._tree = tree
        self._providers = providers
        self._browser_state = browser_state
        self._counted = counted
        self._loading: set[Place] = set()
        self._here: Location | None = None
        tree.note_of = self._note_of

    def show_profiles(self) -> None:
        """Show one place for each profile; those that are shown stay as they are, open or closed."""
        known = {root.location: root for root in self._tree.roots}
        roots = []
        for name, provider in self._providers.items():
            root = known.get(top := provider.locate("")) or Place(top, name)
            root.note = service_name(provider.profile)
            roots.append(root)
        self._tree.show(roots)
        self.show_shortcuts()

    def show_shortcuts(self) -> None:
        """Show what is saved and where the user was; another program may have changed it meanwhile."""
        self._tree.show_shortcuts((("SAVED", self._saved()), ("RECENT", self._recent())))

    # Where the user is

    def follow(self, location: Location) -> None:
        """Open the tree down to where the user is, without a request where the way is known."""
        self._here = location
        provider = self._providers[location.profile]
        place = next((root for root in self._tree.roots if root.location == provider.locate("")), None)
        for below in _way_to(provider, location):
            if place is None:
                return
            self._fill_from_memory(place)
            place.is_open = True
            if place.fold_after and below not in [one.location for one in place.children[: place.fold_after]]:
                place.unfold()
            if place.location.region and not place.location.place:
                self._load_types(place)
            name = below.place[-1] if below.place else below.path.rstrip("/").rpartition("/")[2] or below.region
            place = place.adopt(Folder(below, name))
        if place is not None and location.region and not location.place and not location.path:
            place.is_open = True
            self._load_types(place)
        elif place is not None and place.parent is None and place.children:
            place.is_open = True
        self._tree.places_changed()
        self._tree.reveal(location)

    def _load_types(self, region: Place) -> None:
        """Have the types of a region shown where the user is in it; they are remembered, and so asked for once."""
        if not self._fill_from_memory(region) and region.needs_load and self._tree.display:
            self.load(region)

    def learn(self, state: ListingState) -> None:
        """Take what a listing has told of its place: how much is there, and which folders."""
        where, facts = state.target.location, self._browser_state.facts
        if state.target.written or state.error:
            return
        is_new = False
        if state.target.query is not None:
            is_whole = state.pager.ended and not state.lacking
            total = state.store.loaded if is_whole else state.pager.total
            is_new = total is not None and facts.learn(where, objects=total)
        elif state.pager.ended and state.fetched <= MAX_REUSED:
            folders = [one for one in state.store.window(0, MAX_REUSED) if isinstance(one, Folder)]
            place = self._place_at(where)
            if place is not None and place.needs_load:
                self._fill(place, Page(tuple(folders)))
                place.is_open = place.is_open or place.parent is None
                self._tree.places_changed()
        if is_new:
            self._keep_facts()
        # Where the user is now is being written down.
        self._screen.set_timer(SHORTCUTS_S, self.show_shortcuts)

    def total(self, target: NavigationTarget) -> int | None:
        """How many objects there are in a place of a service that does not tell with its rows; `None` of searches."""
        facts = self._browser_state.facts
        is_known = not target.written and target.query is not None and facts.is_counted(target.location)
        return facts.objects(target.location) if is_known else None

    def _place_at(self, location: Location) -> Place | None:
        return next((found for root in self._tree.roots if (found := root.find(location)) is not None), None)

    # Reading

    def load(self, place: Place, *, again: bool = False) -> None:
        """Read the next page of children, or the first one again."""
        if not again and self._fill_from_memory(place):
            place.is_open = True
            self._tree.places_changed()
            return
        if again:
            self._browser_state.facts.doubt(place.location)
        token = place.start_load(again=again)
        self._loading.add(place)
        self._tree.places_changed()
        self._screen.run_worker(self._load(place, token), group=f"{GROUP} {id(place)}", exclusive=True)

    def stop(self) -> bool:
        """Give up everything that is being read; whether something was."""
        stopped = [place.stop_load() for place in self._loading]
        for place in self._loading:
            self._screen.workers.cancel_group(self._screen, f"{GROUP} {id(place)}")
        self._loading.clear()
        if any(stopped):
            self._tree.places_changed()
        return any(stopped)

    async def _load(self, place: Place, token: object) -> None:
        provider = self._providers[place.location.profile]
        try:
            page = await provider.folders(place.location, place.cursor)
        except StorageError as error:
            if place.loading is token:
                place.fail(sentence(error))
        else:
            if place.loading is token:
                self._fill(place, page)
                place.error = " ".join(map(sentence, page.failures))
        finally:
            if place.loading is None:
                self._loading.discard(place)
        self._tree.places_changed()

    def _fill(self, place: Place, page: Page[Folder]) -> None:
        place.fill(page)
        if _is_remembered(place.location):
            names = [child.location.place[-1] if child.location.place else child.name for child in place.children]
            if self._browser_state.facts.learn(place.location, folders=[name.rstrip("/") for name in names]):
                self._keep_facts()
        self._divide(place)

    def _fill_from_memory(self, place: Place) -> bool:
        """Show the children that were there the last time; whether there were any. Reading again asks the service."""
        names = self._browser_state.facts.folders(place.location) if place.needs_load else ()
        if names:
            place.fill(Page(tuple(self._remembered(place.location, names))))
            self._divide(place)
        return bool(names)

    def _remembered(self, where: Location, names: Sequence[str]) -> Iterator[Folder]:
        provider = self._providers[where.profile]
        for name in names:
            yield Folder(where.child(name) if where.region else provider.locate(f"{where.path}{name}/"), name)

    def _divide(self, place: Place) -> None:
        """Show of a region everything, then the types that people mostly look for."""
        provider, where = self._providers[place.location.profile], place.location
        if where.region and not where.place and provider.query(where) is not None:
            if place.everything is None:
                place.everything = Place(where, "Everything", parent=place, expandable=False)
                place.fold_after = MAX_TYPES
            self._start_count(place)

    # Counts

    def _start_count(self, region: Place) -> None:
        self._screen.run_worker(self._count(region), group=f"{COUNTING} {id(region)}", exclusive=True)

    def _note_of(self, place: Place) -> str:
        if place.note or place.parent is None:
            return place.note
        is_counted = place.location.region and (place.location.place or place.name == "Everything")
        if not is_counted or len(place.location.place) > 1:
            return ""
        known = self._browser_state.facts.objects(place.location)
        return words.count(known) if known is not None else UNKNOWN

    async def _count(self, region: Place) -> None:
        """Ask how many objects there are of what is shown of a region and was never counted, one after the other."""
        provider = self._providers[region.location.profile]
        pace = provider.profile.requests_per_minute
        if Capability.COUNT not in provider.capabilities or 0 < pace < MIN_PACE:
            return
        shown = [region.everything, *region.children[: region.fold_after or None]]
        for place in shown[: MAX_TYPES + 1]:
            query = provider.query(place.location) if place is not None else None
            if place is None or query is None or self._browser_state.facts.is_counted(place.location):
                continue
            await asyncio.sleep(COUNT_PAUSE_S)
            if provider.session.pace_used > MAX_PACE_UNASKED:
                # A count of many objects takes a dozen requests.
                self._screen.set_timer(PACE_PAUSE_S, partial(self._start_count, region))
                break
            try:
                count = await provider.count(query)
            except StorageError:
                # Nobody asked for it.
                return
            if self._browser_state.facts.learn(place.location, objects=count):
                self._tree.places_changed()
                self._keep_facts()
                self._counted()

    def _keep_facts(self) -> None:
        self._screen.run_worker(asyncio.to_thread(self._browser_state.facts.keep), group="remembering")

    # What is saved, and where the user was

    def _saved(self) -> list[Place]:
        found = []
        try:
            for search in self._browser_state.searches.read().values():
                place = Place(Location(search.profile, search.region), search.name, expandable=False)
                place.name += " …" if search.placeholders else ""
                place.shortcut = search
                found.append(place)
            for mark in self._browser_state.bookmarks.read().values():
                place = Place(Location(mark.profile), f"★ {mark.name}", expandable=False)
                place.shortcut = mark
                found.append(place)
        except StorageError as error:
            found.append(Place(Location(""), sentence(error), expandable=False))
        return found[:MAX_SAVED]

    def _recent(self) -> list[Place]:
        found = []
        for visit in self._browser_state.recent.visits:
            is_top = not visit.find and visit.location == Location(visit.profile)
            is_here = not visit.find and visit.location == self._here
            if visit.profile in self._providers and not is_top and not is_here:
                place = Place(visit.location, visit_title(visit), expandable=False)
                place.shortcut = visit
                found.append(place)
        return found[:MAX_RECENT]


def _way_to(provider: StorageProvider, location: Location) -> list[Location]:
    """The places below the top of a profile that lead to a location, which comes last if it is a folder."""
    way: list[Location] = []
    at: Location | None = location if provider.is_folder(location) else provider.parent(location)
    while at is not None and (above := provider.parent(at)) is not None:
        way.insert(0, at)
        at = above
    return way


def _is_remembered(location: Location) -> bool:
    """Whether the folders of a place seldom change, so that they are worth to be remembered."""
    return not location.place and location.path.count("/") <= 1
