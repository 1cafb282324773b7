"""What the rules over more than one row look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

import pyarrow.dataset as ds
from pyspark.sql import DataFrame

from lakehouse.table import Table


@dataclass(frozen=True)
class Scope:
    """Tables at the versions to be judged, to ``read`` with Spark or as they are ``stored``, and the rows of before.

    ``rows_before`` are those of the run that was published before. A rule that needs one of the ``stale`` tables is
    skipped.
    """

    tables: Mapping[str, Table]
    read: Callable[[str], DataFrame]
    stored: Callable[[str], ds.Dataset]
    as_of: date
    rows_before: Mapping[str, int | None]
    stale: AbstractSet[str]

    def expression(self, text: str) -> str:
        """Return ``text`` with the as-of day in the place of ``:as_of``."""
        return text.replace(":as_of", f"DATE'{self.as_of}'")
