"""Who is writing a journal: an advisory lock that the operating system drops with the process."""

from __future__ import annotations

import errno
import os
import sys

from labtrain.errors import RecordError

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)

if sys.platform == "win32":
    import msvcrt

    _FAR_BYTE = 2**62  # Windows locks are mandatory: lock a byte that nobody reads

    def try_lock(descriptor: int) -> bool:
        """Take the exclusive lock of an open file; False when somebody else holds it."""
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _FAR_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, place, os.SEEK_SET)
        return True
else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the exclusive lock of an open file; False when somebody else holds it.

        Raises
        ------
        RecordError
            Where the file system keeps no locks.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            raise RecordError(
                "the file system keeps no locks, so nobody could tell a running session from a dead one",
                remedy="record on a local disk and copy the sealed file, or mount the share with locks",
            ) from error
        return True


def is_locked(path: os.PathLike[str]) -> bool:
    """Whether a live program holds the lock of ``path``."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)
