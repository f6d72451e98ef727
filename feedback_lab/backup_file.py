"""The backup file: a zip with fixed member names and a manifest that holds the size and hash of each."""

import hashlib
import io
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from feedback_lab import __version__, atomic_file, migrations
from feedback_lab.errors import DiskError, InputError, StoreError
from feedback_lab.settings import CONFIG_NAME
from feedback_lab.store import DATABASE_NAME

FORMAT = 1
MANIFEST = "manifest.json"
KNOWLEDGE = "knowledge.jsonl"
INSTRUCTIONS = "instructions.md"
MEMBERS = (DATABASE_NAME, KNOWLEDGE, INSTRUCTIONS, CONFIG_NAME)
NOTED = {"created_at", "database_id", "acknowledged", "counts", "members"}
MAX_MANIFEST_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def pack(target: Path, database: Path, texts: Mapping[str, bytes], manifest: dict[str, Any]) -> None:
    """Write the zip `target`: the database file, `texts` by member name, and `manifest` with their sizes and hashes.

    It appears whole or not at all. Raises DiskError where the disk refuses.
    """
    young = atomic_file.temporary(target)
    with atomic_file.disk_errors(target):
        try:
            with atomic_file.new_file(young) as stream:
                os.chmod(young, 0o600)
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                    with database.open("rb") as source:
                        members = {DATABASE_NAME: _add(archive, DATABASE_NAME, source)}
                    for name, content in texts.items():
                        members[name] = _add(archive, name, io.BytesIO(content))
                    archive.writestr(MANIFEST, json.dumps(manifest | {"members": members}, indent=1))
            os.replace(young, target)
        except OSError:
            young.unlink(missing_ok=True)
            raise
        atomic_file.sync_folder(target.parent)


def unpack(source: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup into the new folder `folder`, every member checked against its hash; returns the manifest.

    Members go by our names, never by a path from the zip. Raises InputError where `source` is no whole backup,
    StoreError where it comes from a newer version, DiskError where the disk refuses.
    """
    with _damage_named(source), zipfile.ZipFile(source) as archive:
        manifest = _checked_manifest(archive, source, folder)
        with atomic_file.disk_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        for name, noted in manifest["members"].items():
            with archive.open(name) as member, _writing(folder / name) as stream:
                found = _copy(member, stream.write, noted["bytes"])
            if found != (noted["bytes"], noted["sha256"]):
                raise ValueError(f"{name} is damaged")
    return manifest


def _add(archive: zipfile.ZipFile, name: str, source: BinaryIO) -> dict[str, Any]:
    with archive.open(name, "w", force_zip64=True) as member:
        size, digest = _copy(source, member.write)
    return {"bytes": size, "sha256": digest}


def _copy(source: _Readable, write: Callable[[bytes], object], limit: int | None = None) -> tuple[int, str]:
    """Copy in chunks; returns the number of bytes and their SHA-256. Stops beyond `limit` bytes."""
    size, digest = 0, hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        size += len(chunk)
        digest.update(chunk)
        if limit is not None and size > limit:
            break
        write(chunk)
    return size, digest.hexdigest()


@contextmanager
def _damage_named(source: Path) -> Iterator[None]:
    """Turn whatever a damaged or foreign file makes the readers say into one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"The backup {source} does not exist: check its path.") from None
    except OSError as error:
        raise InputError(f"The backup {source} cannot be read ({error.strerror}): name the zip file.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{source} is not a whole backup of Feedback Lab ({error}): use another one. Nothing was changed."
        ) from error


def _checked_manifest(archive: zipfile.ZipFile, source: Path, folder: Path) -> dict[str, Any]:
    """The manifest: of a format and version known here, with known members only. Raises as `unpack`."""
    with archive.open(MANIFEST) as member:
        manifest: dict[str, Any] = json.loads(member.read(MAX_MANIFEST_BYTES))
    if manifest["format"] > FORMAT or manifest["schema_version"] > len(migrations.MIGRATIONS):
        raise StoreError(
            f"{source} was made by Feedback Lab {manifest['app_version']}, newer than this one ({__version__}): "
            "install that version and restore with it. Nothing was changed."
        )
    if absent := NOTED - manifest.keys():
        raise ValueError(f"its manifest lacks {min(absent)}")
    members = manifest["members"]
    if DATABASE_NAME not in members or not set(members) <= set(MEMBERS):
        raise ValueError("its list of files is wrong")
    for name, member in members.items():
        if archive.getinfo(name).file_size != member["bytes"]:
            raise ValueError(f"{name} has another size than noted")
    needed = sum(member["bytes"] for member in members.values())
    if needed > shutil.disk_usage(folder.parent).free:
        raise DiskError(f"{folder.parent} has no room for the {needed >> 20} MB in {source}: make room and try again.")
    return manifest


@contextmanager
def _writing(path: Path) -> Iterator[BinaryIO]:
    with atomic_file.disk_errors(path), atomic_file.new_file(path) as stream:
        yield stream
