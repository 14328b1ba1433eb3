"""The keys of the browser, in the order of the line at its foot."""

from textual.binding import Binding, BindingType


def _flow(key: str, name: str, label: str, tooltip: str, *, shown: bool = True) -> Binding:
    """The key of one of the screen's flows."""
    return Binding(key, f"run('{name}')", label, id=f"entries.{name}", tooltip=tooltip, show=shown)


def _pane(key: str, name: str, label: str, tooltip: str, *, shown: bool = False) -> Binding:
    """The key that leads to a pane."""
    return Binding(key, f"pane('{name}')", label, id=f"panes.{name}", tooltip=tooltip, show=shown)


BROWSER_KEYS: list[BindingType] = [
    _flow("d,s", "download", "Download", "Download what is marked, or this object"),
    _flow("D,f2,S", "download_as", "Download to", "Download to a folder that you name", shown=False),
    _flow("z", "zip", "Zip", "Let the service pack what is marked, or this object, into zips"),
    _flow("p,f3", "preview", "Preview", "Look into this object without fetching it whole"),
    _flow("I", "beginning", "Beginning", "Show the beginning of a small text in Detail", shown=False),
    _flow("e,f4", "open_with", "Open", "Open a copy of this object in your pager or editor", shown=False),
    _flow("full_stop", "call", "Call", "Show everything of the call that this object belongs to"),
    _flow("u", "upload", "Upload", "Upload files of this machine to this folder"),
    _flow("y", "link", "Link", "Ask for a signed link to this object, show and copy it"),
    _flow("Y", "copy", "Copy", "Copy address, name, key, tags, or a curl command", shown=False),
    _flow("delete,f8,X", "delete", "Delete", "Delete what is marked, or this object"),
    Binding("t,3", "transfers", "Transfers", id="browser.transfers", tooltip="Show all transfers"),
    _pane("1", "places", "Places", "Go to the places"),
    _pane("2", "entries", "Entries", "Go to the entries"),
    _pane("h,left", "left", "Left", "Go to the pane on the left"),
    _pane("tab", "next", "Next pane", "Go to the next pane"),
    _pane("shift+tab", "previous", "Pane before", "Go to the pane before"),
    Binding("J", "run('zip_jobs')", "Zip jobs", id="browser.zip_jobs", show=False, tooltip="Zip jobs on the server"),
    _flow("B", "restore", "Restore", "Restore archived files", shown=False),
    Binding("Q", "run('restores')", "Restores", id="browser.restores", show=False, tooltip="Show what was asked back"),
    Binding("i", "view('detail')", "Detail", id="browser.detail", show=False, tooltip="Show or hide the detail"),
    Binding("Z", "view('zone')", "Zone", id="browser.zone", show=False, tooltip="Show times in another zone"),
    Binding(
        "escape",
        "back_out",
        "Back out",
        id="browser.back_out",
        show=False,
        tooltip="Stop loading, or go to the entries, or clear the filter, or clear the marks",
    ),
]
