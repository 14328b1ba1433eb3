"""Lengths of time on a clock."""


def clock(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    whole = int(seconds + 0.5)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
