"""Who was forgotten: known by hashes only, so that what arrives later cannot bring a name back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from datetime import datetime
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, TypeAdapter

from lakehouse.errors import BrokenLakeError
from lakehouse.files import replacing
from lakehouse.lake import Lake
from lakehouse.table import LINE, UNREAD, Table

FORGOTTEN = "_forgotten.json"
# What says whom a received row is about; the first that a table has.
SUBJECTS = ("customer_id", "account_id")
_SEPARATOR = "\x1f"


class Erasure(BaseModel):
    """The forgetting of one customer: hashes of its id and of its accounts' ids, and whether it was carried to its end."""

    model_config = ConfigDict(frozen=True)

    customer: str
    accounts: tuple[str, ...]
    begun_at: datetime
    is_complete: bool = False

    @property
    def subjects(self) -> set[str]:
        """All hashes."""
        return {self.customer, *self.accounts}


_ERASURES = TypeAdapter(list[Erasure])


def erasures(lake: Lake) -> list[Erasure]:
    """Return every erasure of the lake, oldest first.

    Raises:
        BrokenLakeError: if the list cannot be read.
    """
    path = lake.root / FORGOTTEN
    try:
        return _ERASURES.validate_json(path.read_bytes()) if path.exists() else []
    except (OSError, ValueError) as error:
        raise BrokenLakeError(
            f"The list of forgotten customers {path} cannot be read",
            found=str(error).splitlines()[0],
            expected="the JSON that `lakehouse forget` wrote",
            do="Put the file back: without it later records could bring forgotten people back.",
        ) from error


def erasure_after(lake: Lake, moment: datetime) -> Erasure | None:
    """Return the last erasure that began after ``moment``: what was published then still showed the customer."""
    return next((erasure for erasure in reversed(erasures(lake)) if erasure.begun_at > moment), None)


def remember(lake: Lake, erasure: Erasure) -> None:
    """Write ``erasure`` into the list, in place of the same customer's earlier one."""
    others = [known for known in erasures(lake) if known.customer != erasure.customer]
    with replacing(lake.root / FORGOTTEN) as draft:
        draft.write_bytes(_ERASURES.dump_json([*others, erasure], indent=2))


def hashed(column: str, value: str) -> str:
    """Return the hash by which an id of the column is known."""
    return hashlib.sha256(f"{column}={value}".encode()).hexdigest()


def subject_column(table: Table) -> str | None:
    """Return the column that says whom the rows of ``table`` are about; None if they name nobody of a customer's."""
    return next((name for name in SUBJECTS if table.erasable and name in table.column_names), None)


def is_about(data: pa.Table, table: Table, subjects: Iterable[str]) -> pa.ChunkedArray:
    """Say of each row of ``data`` whether it tells who the ``subjects`` are.

    A row that lost its subject on the way counts when another row of the same thing is theirs, or one that reads the same,
    and a record with too many or too few cells when one of them is their id.
    """
    column, thing = str(subject_column(table)), table.key[0]
    known = frozenset(subjects)
    ids = [value for value in data[column].unique().drop_null().to_pylist() if hashed(column, value) in known]
    named = pc.is_in(data[column], pa.array(ids, pa.string()))
    same_thing = pc.is_in(data[thing], _drop_nulls(data[thing], named))
    texts = pc.binary_join_element_wise(*(pc.fill_null(data[name], "") for name in table.erasable), _SEPARATOR)
    same_texts = pc.and_(pc.is_null(data[column]), pc.is_in(texts, texts.filter(named).combine_chunks()))
    unshaped = pa.chunked_array([[_names(unread, known) for unread in data[UNREAD].to_pylist()]], pa.bool_())
    return reduce(pc.or_, (named, same_thing, same_texts, unshaped))


def without_forgotten(
    data: pa.Table | pa.RecordBatchReader, lake: Lake, table: Table
) -> pa.Table | pa.RecordBatchReader:
    """Return the rows, those about a forgotten customer without what would tell who that was."""
    if subject_column(table) is None:
        return data
    subjects = {subject for erasure in erasures(lake) for subject in erasure.subjects}
    if not subjects:
        return data
    rows = data.read_all() if isinstance(data, pa.RecordBatchReader) else data
    return erased(rows, table, is_about(rows, table, subjects))


def erased(rows: pa.Table, table: Table, chosen: pa.ChunkedArray) -> pa.Table:
    """Return the rows, the chosen ones without what is personal or identifying in ``table``."""
    for name in table.erasable:
        index, field = rows.schema.get_field_index(name), rows.schema.field(name)
        rows = rows.set_column(index, field, pc.if_else(chosen, pa.scalar(None, field.type), rows[name]))
    return rows


def _names(unread: str | None, known: frozenset[str]) -> bool:
    """Say whether a cell of a record that could not be told apart is the id of one who is known."""
    line = json.loads(unread).get(LINE) if unread else None
    cells = {cell.strip() for row in csv.reader(io.StringIO(line or "")) for cell in row}
    return any(hashed(column, cell) in known for cell in cells for column in SUBJECTS)


def _drop_nulls(values: pa.ChunkedArray, chosen: pa.ChunkedArray) -> pa.Array:
    return values.filter(chosen).drop_null().combine_chunks()
