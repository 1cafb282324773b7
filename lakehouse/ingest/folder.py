"""The files of a folder: which table each is for, in which format, and what its content is known by."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import UsageError

FORMATS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".json": "json",
    ".json.gz": "json",
    ".jsonl": "json",
    ".jsonl.gz": "json",
    ".parquet": "parquet",
}
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class SourceFile:
    """One file: ``name`` is its path within the folder, ``kind`` what it is named after, ``digest`` its SHA-256."""

    path: Path
    name: str
    kind: str
    table: str
    format: str
    digest: str
    bytes: int

    @property
    def batch_id(self) -> str:
        """The batch that the file is: known by its content alone."""
        return f"file-{self.digest[:16]}"


def files(folder: Path, tables: Mapping[str, str]) -> list[SourceFile]:
    """Return the files of ``folder`` in order of name; hidden ones and those of no table and other formats are passed over.

    ``tables`` are the tables by what a file may be named after.

    Raises:
        UsageError: if there is no such folder, no file, one whose name tells no table, or a table's in another format.
    """
    if not folder.is_dir():
        raise UsageError(
            "There is nothing to ingest",
            found=f"no folder {folder}",
            expected="a folder with files named after tables, such as subscriptions.csv",
            do="Name another folder, or run `lakehouse template subscriptions` for a file to fill in.",
        )
    found = {path: path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()}
    readable = {path: name for path, name in found.items() if _format(path) and not _is_hidden(name)}
    unreadable = [name for path, name in found.items() if path not in readable and _is_of_a_table(name, tables)]
    if unreadable:
        raise UsageError(
            f"The folder {folder} holds files that cannot be read",
            found=", ".join(map(str, unreadable)),
            expected=f"one of {', '.join(FORMATS)}",
            do="Export them in such a format, or move them away; nothing was received.",
        )
    unknown = [str(name) for name in readable.values() if kind_of(name, tables) is None]
    if unknown or not readable:
        close = difflib.get_close_matches(Path(unknown[0]).name.partition(".")[0], tables, 1) if unknown else []
        raise UsageError(
            f"The folder {folder} holds files of no table" if unknown else f"The folder {folder} holds no file to read",
            found=", ".join(unknown or map(str, found.values())) or "nothing",
            expected=f"{', '.join(FORMATS)} files named after {', '.join(sorted(tables))}",
            do=f"Rename the file, to {close[0]} perhaps." if close else "Rename the files or move them away.",
        )
    return [_source_file(path, name, tables) for path, name in readable.items()]


def kind_of(name: Path, kinds: Collection[str]) -> str | None:
    """Return what a file ``name`` is named after: it lies in a folder of that name, or bears it before a separator."""
    for word in (part.partition(".")[0] for part in name.parts):
        fitting = [kind for kind in kinds if word == kind or word.startswith(tuple(f"{kind}{c}" for c in "-_ "))]
        if fitting:
            return max(fitting, key=len)
    return None


def _is_of_a_table(name: Path, tables: Collection[str]) -> bool:
    """Say whether a file is named after a table itself; in its folder there may be notes and marks of success."""
    return not _is_hidden(name) and kind_of(Path(name.name), tables) is not None


def _source_file(path: Path, name: Path, tables: Mapping[str, str]) -> SourceFile:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    kind, size = str(kind_of(name, tables)), path.stat().st_size
    return SourceFile(path, name.as_posix(), kind, tables[kind], str(_format(path)), digest.hexdigest(), size)


def _format(path: Path) -> str | None:
    return next((kind for ending, kind in FORMATS.items() if path.name.lower().endswith(ending)), None)


def _is_hidden(name: Path) -> bool:
    return any(part.startswith((".", "_")) for part in name.parts)
