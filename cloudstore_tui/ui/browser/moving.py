"""The flows that lead somewhere else."""

from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.bookmark_flow import BookmarkFlow
from cloudstore_tui.ui.browser.bookmarks_flow import BookmarksFlow
from cloudstore_tui.ui.browser.departure import Departure
from cloudstore_tui.ui.browser.goto_flow import GotoFlow
from cloudstore_tui.ui.browser.journey import Journey
from cloudstore_tui.ui.browser.memory import Memory
from cloudstore_tui.ui.browser.panes import FocusManager
from cloudstore_tui.ui.browser.places_tree import PlacesTree
from cloudstore_tui.ui.browser.switch_flow import ProfileFlow, RegionFlow


def moving_flows(
    journey: Journey, memory: Memory, panes: FocusManager, places: PlacesTree, departure: Departure
) -> dict[str, Flow]:
    """All of them, by the name that their keys have."""
    listing, providers = journey.listing, journey.providers
    screen = listing.screen
    return {
        "goto": GotoFlow(screen, listing, providers, memory, departure),
        "bookmark": BookmarkFlow(screen, listing, memory, panes, places),
        "bookmarks": BookmarksFlow(screen, listing, memory, departure),
        "profile": ProfileFlow(screen, listing, journey, providers, memory),
        "region": RegionFlow(screen, listing, journey),
    }
