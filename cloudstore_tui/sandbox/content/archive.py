"""Tar archives whose size is known before they are made."""

import gzip
import io
import tarfile
from collections.abc import Mapping

_BLOCK = 512


def tar(members: Mapping[str, bytes], modified: float) -> bytes:
    """An archive of files (name to bytes) that were all changed at one moment."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), int(modified), 0o644
            info.uname = info.gname = "export"
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def tar_size(*sizes: int) -> int:
    """The bytes of an archive that holds files of these sizes."""
    blocks = sum(1 + -(-size // _BLOCK) for size in sizes) + 2
    return -(-blocks * _BLOCK // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def tar_gz(members: Mapping[str, bytes], modified: float) -> bytes:
    """A compressed archive."""
    return gzip.compress(tar(members, modified), 1, mtime=int(modified))
