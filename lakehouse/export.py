"""Exports: each gold table and the star as CSV and Parquet, as Excel and Power BI want them, from the published run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from lakehouse import delta
from lakehouse.files import replacing
from lakehouse.lake import Lake
from lakehouse.manifest import Manifest
from lakehouse.project import DEFAULT_ROOT, PROJECT
from lakehouse.registry import Job
from lakehouse.table import Table

MANIFEST = "manifest.json"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# A spreadsheet runs a cell that begins with one of these, also behind spaces and in full width.
FORMULA = "^(\\s*[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20])"


def exports_folder(root: Path) -> Path:
    """Return the folder of the exports: beside the default lake, inside any other."""
    return PROJECT / "exports" if root.resolve() == DEFAULT_ROOT else root / "exports"


def exported(jobs: Mapping[str, Job]) -> dict[str, Table]:
    """Return the tables that are exported, by the name of their files: all of gold, and the star's parts of silver."""
    tables = [job.table for job in jobs.values()]
    named = {table.export_as or table.short_name: table for table in tables if table.layer == "gold" or table.export_as}
    return dict(sorted(named.items()))


def export(lake: Lake, jobs: Mapping[str, Job]) -> dict[str, Any]:
    """Write the files of every exported table whose published version is new, and return the exports' manifest.

    Raises:
        BrokenLakeError: if nothing is published, or a published table is gone.
    """
    manifest = lake.published()
    folder = exports_folder(lake.root)
    before = _previous(folder)
    files = {
        name: _unchanged(before, name, table, manifest, folder) or _write(lake, name, table, manifest, folder)
        for name, table in exported(jobs).items()
        if table.name in manifest.tables
    }
    written = {"run_id": manifest.run_id, "as_of": manifest.as_of.isoformat(), "tables": files}
    if written != before:
        with replacing(folder / MANIFEST) as draft:
            draft.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return written


def guarded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the texts with an apostrophe before each that a spreadsheet would take for a formula."""
    return pc.replace_substring_regex(column, FORMULA, r"'\1")


def for_people(data: pa.Table) -> pa.Table:
    """Return the columns as a spreadsheet reads them: texts guarded, moments as ISO date and time in UTC."""
    for index, field in enumerate(data.schema):
        if pa.types.is_string(field.type):
            data = data.set_column(index, field.name, guarded(data.column(index)))
        elif pa.types.is_timestamp(field.type):
            whole_seconds = data.column(index).cast(pa.timestamp("s", tz="UTC"), safe=False)
            data = data.set_column(index, field.name, pc.strftime(whole_seconds, format="%Y-%m-%d %H:%M:%S"))
    return data


def _write(lake: Lake, name: str, table: Table, manifest: Manifest, folder: Path) -> dict[str, Any]:
    public = [column.name for column in table.columns if not column.personal]
    data = delta.arrow(lake, table.name, manifest.tables[table.name].version)
    data = data.sort_by([(key, "ascending") for key in table.key]).select(public)
    with replacing(folder / f"{name}.csv") as draft, draft.open("wb") as file:
        file.write(BYTE_ORDER_MARK)
        pa.csv.write_csv(for_people(data), file)
    with replacing(folder / f"{name}.parquet") as draft:
        pa.parquet.write_table(data, draft, compression="zstd")
    return {
        "table": table.name,
        "identity": _identity(table, manifest),
        "rows": data.num_rows,
        "columns": public,
        "csv_sha256": _sha256(folder / f"{name}.csv"),
        "parquet_sha256": _sha256(folder / f"{name}.parquet"),
    }


def _previous(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _unchanged(
    before: Mapping[str, Any], name: str, table: Table, manifest: Manifest, folder: Path
) -> dict[str, Any] | None:
    known = before.get("tables", {}).get(name)
    files = [folder / f"{name}.{ending}" for ending in ("csv", "parquet")]
    if known and known["identity"] == _identity(table, manifest) and all(file.is_file() for file in files):
        return dict(known)
    return None


def _identity(table: Table, manifest: Manifest) -> str:
    entry = manifest.tables[table.name]
    return f"{entry.version}@{entry.fingerprint}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
