"""The published tables as pandas frames, for notebooks: no JVM, and never a run that is half done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd

from lakehouse import delta
from lakehouse.lake import Lake
from lakehouse.manifest import Manifest
from lakehouse.project import DEFAULT_ROOT
from lakehouse.publish import not_published


@dataclass(frozen=True)
class Published:
    """One published run of ``lake``; every table comes from it, also when a newer run is published meanwhile."""

    lake: Lake
    manifest: Manifest

    @property
    def as_of(self) -> date:
        """The last day that the run looks at."""
        return self.manifest.as_of

    @property
    def tables(self) -> list[str]:
        """The names of the tables that the run holds."""
        return list(self.manifest.tables)

    def path(self, name: str) -> str:
        """Return the folder of a table, for another reader of Delta; read it at ``version``."""
        return str(self.lake.table_path(name))

    def version(self, name: str) -> int:
        """Return the version of a table in Delta's log that holds what was published.

        Raises:
            UsageError: if the run does not hold the table.
        """
        if name not in self.manifest.tables:
            raise not_published(name, self.manifest)
        return self.lake.newest_alike(name, self.manifest.tables[name].version)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table (``layer.table``) as it was published: money as exact ``Decimal``, days as ``datetime64``.

        Raises:
            UsageError: if the run does not hold the table.
        """
        rows: pd.DataFrame = delta.arrow(self.lake, name, self.version(name)).to_pandas(date_as_object=False)
        return rows


def published(root: str | Path | None = None) -> Published:
    """Return the published run of the lake in ``root``, by default ``LAKEHOUSE_ROOT`` or else the project's own lake.

    Raises:
        BrokenLakeError: if nothing is published there, or a published table is gone.
    """
    lake = Lake(Path(root or os.environ.get("LAKEHOUSE_ROOT") or DEFAULT_ROOT))
    return Published(lake, lake.published())


def for_plots(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with every decimal as a float, which is what charts and statistics take; sums belong before it."""
    return frame.astype({name: float for name in frame if _is_decimal(frame[name])})


def _is_decimal(values: pd.Series) -> bool:
    present = values.dropna()
    return values.dtype == object and not present.empty and isinstance(present.iloc[0], Decimal)
