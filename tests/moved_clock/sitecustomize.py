"""Imported by every Python that a test starts under libfaketime, before anything else.

With the monotonic clock left alone, libfaketime refuses the absolute deadlines of `time.sleep`; other waits go well.
"""

import threading
import time


def sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


setattr(time, sleep.__name__, sleep)
