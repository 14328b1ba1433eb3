"""`python -m cloudstore_tui` is the command `cloudstore`."""

from cloudstore_tui.cli import main

if __name__ == "__main__":
    main()
