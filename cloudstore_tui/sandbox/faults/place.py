"""Places in a body, as rules write them."""


def place_in(text: str, length: int) -> int:
    """A place: from the start (`65536`), from the end (`-5`), or in per cent (`50%`); never before the start.

    Raises:
        ValueError: it is written otherwise.
    """
    if text.endswith("%"):
        return max(int(length * float(text[:-1]) / 100), 0)
    return int(text) if int(text) >= 0 else max(length + int(text), 0)


def flipped(data: bytes, place: int) -> bytes:
    """Bytes with one of them changed."""
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
