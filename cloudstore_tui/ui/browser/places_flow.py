"""Reading the children of places, each with one request."""

from collections.abc import Mapping

from textual.screen import Screen

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.ui.browser.memory import Memory
from cloudstore_tui.ui.browser.place import Place
from cloudstore_tui.ui.browser.places_tree import PlacesTree
from cloudstore_tui.ui.browser.saved_places import SavedPlaces
from cloudstore_tui.ui.report import sentence

GROUP = "places"


class PlacesFlow:
    """Fills the tree. An answer belongs to the load it was asked for; a later load or a closed place drops it."""

    def __init__(
        self, screen: Screen[None], tree: PlacesTree, providers: Mapping[str, StorageProvider], memory: Memory
    ) -> None:
        self._screen = screen
        self._tree = tree
        self._providers = providers
        self._memory = memory
        self._loading: set[Place] = set()
        self._saved: list[SavedPlaces] = []

    def show_profiles(self) -> None:
        """Show one place for each profile; those that are shown stay as they are, open or closed."""
        known = {root.location: root for root in self._tree.roots}
        roots = []
        for name, provider in self._providers.items():
            kind, top = provider.profile.provider, provider.locate("")
            roots.append(known.get(top) or Place(top, f"{name}  ({kind[:1].upper()}{kind[1:]})"))
        self._tree.show(roots)

    def load(self, place: Place, *, again: bool = False) -> None:
        """Read the next page of children, or the first one again."""
        if isinstance(place, SavedPlaces):
            place.start_load(again=again)
            self._read_saved(place)
            self._tree.places_changed()
            return
        token = place.start_load(again=again)
        self._loading.add(place)
        self._tree.places_changed()
        self._screen.run_worker(self._load(place, token), group=f"{GROUP} {id(place)}", exclusive=True)

    def read_saved_again(self) -> None:
        """Show what was saved or changed in the file meanwhile."""
        shown = [place for place in self._saved if place.is_open]
        for place in shown:
            self._read_saved(place)
        if shown:
            self._tree.places_changed()

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
                place.fill(page)
                place.error = " ".join(map(sentence, page.failures))
                self._add_saved(place, provider)
        finally:
            if place.loading is None:
                self._loading.discard(place)
        self._tree.places_changed()

    def _add_saved(self, place: Place, provider: StorageProvider) -> None:
        """Offer the saved searches below profiles and regions that can be searched."""
        where = place.location
        if place.extra is None and Capability.SEARCH in provider.capabilities and not (where.path or where.place):
            place.extra = SavedPlaces(place)
            self._saved.append(place.extra)

    def _read_saved(self, place: SavedPlaces) -> None:
        try:
            place.take(self._memory.searches.read().values())
        except StorageError as error:
            place.fail(sentence(error))
