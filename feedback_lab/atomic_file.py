"""Files that are either the old or the new one, whatever happens in between.

The bytes go to a temporary file beside the target, reach the disk, and take the target's name; the folder
is flushed last, because a rename is a change of the folder. A crash leaves at most the temporary file,
which the next write of the same target overwrites.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from feedback_lab.errors import DiskError


def write(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, durably; a link is followed, the file's mode is kept.

    Raises DiskError where the disk refuses; the old file then stands as it was.
    """
    target = Path(os.path.realpath(path))
    young = temporary(target)
    with disk_errors(path):
        try:
            with new_file(young) as stream:
                if target.exists():
                    os.chmod(young, target.stat().st_mode & 0o777)
                stream.write(content)
            os.replace(young, target)
        except OSError:
            young.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)


def install(staged: Path, path: Path) -> None:
    """Move a finished file to `path`, replacing what is there: old or new, also across file systems."""
    target = Path(os.path.realpath(path))
    with disk_errors(path):
        try:
            os.replace(staged, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            young = temporary(target)
            with staged.open("rb") as source, new_file(young) as stream:
                shutil.copyfileobj(source, stream, 1 << 20)
            os.replace(young, target)
        sync_folder(target.parent)
        staged.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """An empty file at `path` to write into, on the disk at the end. A link that waits there is not followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, 0o666), "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def temporary(target: Path) -> Path:
    """The name that `target` is written under until it is complete: always the same one, so none pile up."""
    return target.with_name(f".{target.name}.part")


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to the disk, where the system can (Windows cannot, and needs it less)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the system's refusals while writing `path` into one sentence."""
    try:
        yield
    except OSError as error:
        raise DiskError(
            f"{path} cannot be written ({error.strerror or error}): make room or give the right to write there, "
            "then try again."
        ) from error
