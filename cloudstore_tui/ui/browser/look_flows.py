"""The ways to see what is in an object."""

from textual.screen import Screen

from cloudstore_tui.config.settings import Settings
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.beginning_flow import BeginningFlow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.opener_flow import OpenerFlow
from cloudstore_tui.ui.browser.preview_flow import PreviewFlow
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.transfer_watch import TransferWatch
from cloudstore_tui.ui.widgets.detail_pane import DetailPane


def look_flows(
    screen: Screen[None],
    listing: ListingFlow,
    pane: DetailPane,
    watch: TransferWatch,
    settings: Settings,
    actions: ObjectActions,
) -> dict[str, Flow]:
    """By name: on a screen of its own, in the pane, in another program."""
    return {
        "preview": PreviewFlow(screen, listing, watch, settings, actions),
        "beginning": BeginningFlow(screen, listing, pane, actions, settings),
        "open_with": OpenerFlow(screen, listing, watch, settings, actions),
    }
