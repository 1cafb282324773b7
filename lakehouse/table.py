"""What a table is: one declaration from which schema, constraints, checks, documentation and exports follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.rules import Check, ForeignKey, WideRule
from lakehouse.types import AMOUNT, MONEY, SECONDS, arrow_type, spark_type

__all__ = ["AMOUNT", "LINE", "MONEY", "PROVENANCE", "READABLE", "SECONDS", "UNREAD", "Check", "Column", "Table"]

UNREAD = "_unread"
# In it, the text of a record that has too many or too few cells.
LINE = "_line"

# Doubles are rounded where they leave a job, so that neither grouping nor partitioning can show in them.
DOUBLE_DECIMALS = 9


@dataclass(frozen=True)
class Column:
    """One declared column.

    ``type`` is a name from :mod:`lakehouse.types`; ``values`` are the accepted ones, ``minimum`` and ``maximum``
    inclusive bounds; ``personal`` marks names, addresses and words of people, which never leave the lake by an export,
    and ``identifying`` what else tells who a customer is. Neither outlives the forgetting of the customer.
    ``default`` is what an empty cell of a received file stands for: SQL over the other columns of the row. What ``ripens``
    changes by its nature after its month is over, as what still waits for something does.
    """

    name: str
    type: str
    description: str
    nullable: bool = True
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    personal: bool = False
    default: str | None = None
    identifying: bool = False
    ripens: bool = False


@dataclass(frozen=True)
class Table:
    """The declaration of one table.

    ``inputs`` maps the parameters of the job's ``transform`` to table names and ``settings`` names those of its
    parameters that come from configuration: together they are all that the job may depend on. ``rejects`` are the
    rules whose breach sends a received row to quarantine, ``version_by`` the column by which the newest version of a
    received row wins; both are for bronze. ``checks`` are rules of a row and ``audits`` those that need more than one;
    both, and the ``foreign_keys``, are applied before a version is published. Of the foreign keys, ``may_be_orphans``
    are those of received rows whose parent may never have come: orphans are reported and stop nothing.

    ``by_month`` is the column with the first day of a month by which a large table is kept, so that only the months that
    new records touch are computed anew: what is in a month follows from nothing but the same month of those inputs that
    are kept by month themselves, and from the other inputs and the settings as a whole.
    """

    name: str
    description: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    foreign_keys: Mapping[str, str] = field(default_factory=dict)
    may_be_orphans: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    audits: tuple[WideRule, ...] = ()
    rejects: tuple[Check, ...] = ()
    version_by: str | None = None
    by_month: str | None = None
    export_as: str | None = None

    @property
    def layer(self) -> str:
        """The part of the name before the dot: bronze, silver or gold."""
        return self.name.partition(".")[0]

    @property
    def short_name(self) -> str:
        """The part of the name after the dot."""
        return self.name.partition(".")[2]

    @property
    def partition_by(self) -> list[str]:
        """The columns whose values are folders of their own."""
        return [self.by_month] if self.by_month else []

    @property
    def column_names(self) -> list[str]:
        """The declared names, in order."""
        return [column.name for column in self.columns]

    @property
    def erasable(self) -> list[str]:
        """The columns that are personal or identifying, and where there are any, the texts that could be one of them."""
        names = [column.name for column in self.columns if column.personal or column.identifying]
        return [*names, *(name for name in self.column_names if names and name == UNREAD)]

    @property
    def wide_rules(self) -> list[WideRule]:
        """The foreign keys and the audits: every rule that needs more than one row."""
        return [*(self._foreign_key(column) for column in self.foreign_keys), *self.audits]

    @property
    def rejections(self) -> tuple[Check, ...]:
        """The rules of a received row: its cells could be read, and it breaks none of ``rejects``."""
        return (READABLE, *self.rejects) if self.layer == "bronze" else ()

    @property
    def schema(self) -> T.StructType:
        """The Spark schema, with nullability."""
        return T.StructType([T.StructField(c.name, spark_type(c.type), c.nullable) for c in self.columns])

    @property
    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema, with nullability and each description as the field's comment."""
        return pa.schema(
            [pa.field(c.name, arrow_type(c.type), c.nullable, {"comment": c.description}) for c in self.columns]
        )

    def select(self, frame: DataFrame) -> DataFrame:
        """Return exactly the declared columns of ``frame``, in order and cast to their types.

        A name that ``frame`` lacks is Spark's own error; doubles are rounded to nine decimals.
        """
        return frame.select(*(self._as_declared(column) for column in self.columns))

    def _foreign_key(self, column: str) -> ForeignKey:
        parent = self.foreign_keys[column]
        name = f"{column}_in_{parent.replace('.', '_')}"
        if column in self.may_be_orphans:
            return ForeignKey(name, column, parent, severity="warn", action="mark")
        return ForeignKey(name, column, parent)

    @staticmethod
    def _as_declared(column: Column) -> SparkColumn:
        value = F.col(column.name).cast(column.type)
        if column.type == "double":
            value = F.round(value, DOUBLE_DECIMALS)
        return value.alias(column.name)


PROVENANCE = (
    Column("_source", "string", "Where the row came from: generator, or the file it was read from", nullable=False),
    Column("_batch_id", "string", "The batch that brought the row", nullable=False),
    Column("_row", "bigint", "Line or record number in the source", nullable=False),
    Column("_ingested_at", "timestamp", "When the batch was written", nullable=False),
    Column(UNREAD, "string", "JSON of the cells that are not what their column says, with their texts; else null"),
)
READABLE = Check("cell_unreadable", f"{UNREAD} IS NULL")
