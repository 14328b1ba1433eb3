"""`keys` and `themes`: references generated from the program itself."""

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.config.keymap import check_keymap
from cloudstore_tui.config.paths import themes_folder
from cloudstore_tui.config.themes import load_themes


def keys_command(*, as_json: bool) -> None:
    """List every action of the browser with its id, its keys and what it does."""
    # Deferred: the bindings live in the screens, and only this command lists them without opening one.
    from cloudstore_tui.app import CloudStoreApp
    from cloudstore_tui.ui.keys import known_bindings

    output = Output(as_json=as_json)
    config = open_config()
    known = known_bindings(CloudStoreApp)
    configured = check_keymap(config.keys, known, subject=str(config.path))
    for binding in known:
        keys = configured[binding.id].split(",") if binding.id in configured else list(binding.keys)
        if as_json:
            output.record({"id": binding.id, "keys": keys, "title": binding.description, "text": binding.tooltip})
        else:
            output.line(f"{binding.id:24}  {', '.join(keys):28}  {binding.tooltip}")


def themes_command(*, as_json: bool) -> None:
    """List the built-in themes and your own."""
    output = Output(as_json=as_json)
    themes = load_themes(themes_folder())
    for theme in themes.loaded.values():
        if as_json:
            output.record({"theme": theme.name, "dark": theme.dark})
        else:
            output.line(f"{theme.name:20}  {'dark' if theme.dark else 'light'}")
    for error in themes.failed:
        output.error(error)
