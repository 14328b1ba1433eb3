"""The browser with a driver that also keeps what it was given to draw, in the file named first."""

import sys
from pathlib import Path

from cloudstore_tui.cli.main import main
from cloudstore_tui.ui.terminal.driver import TerminalDriver


def record(file: Path) -> None:
    write = TerminalDriver.write
    given = file.open("ab", buffering=0)

    def recorded(driver: TerminalDriver, data: str) -> None:
        if data.endswith("H"):
            given.write(data.encode())
        write(driver, data)

    setattr(TerminalDriver, write.__name__, recorded)


record(Path(sys.argv[1]))
main(sys.argv[2:])
