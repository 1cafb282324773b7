"""What the rules over more than one row look at."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from lakehouse.registry import LAYERS
from lakehouse.table import Table

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

# The JVM keeps its heap beside it; what does not fit goes to disk.
MEMORY = "2GB"


@dataclass(frozen=True)
class Scope:
    """Tables at the versions to be judged, as they are ``stored``, and how many rows they had before.

    ``rows_before`` are those of the run that was published before. A rule that needs one of the ``stale`` tables is
    skipped.
    """

    tables: Mapping[str, Table]
    stored: Callable[[str], Dataset | pa.Table]
    as_of: date
    rows_before: Mapping[str, int | None]
    stale: AbstractSet[str]
    _opened: set[str] = field(default_factory=set, init=False)

    def rows(self, query: str, names: Iterable[str]) -> list[tuple[Any, ...]]:
        """Return what ``query`` finds in the tables ``names``; ``:as_of`` in it is the as-of day."""
        for name in set(names) - self._opened:
            self._open(name)
        return self._connection.execute(query.replace(":as_of", f"DATE '{self.as_of}'")).fetchall()

    def _open(self, name: str) -> None:
        view = name.replace(".", "_")
        self._connection.register(view, self.stored(name))
        self._connection.execute(f"CREATE VIEW {name} AS FROM {view}")
        self._opened.add(name)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        spill = Path(tempfile.gettempdir(), f"lakehouse-audit-{os.getpid()}")
        connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)})
        connection.execute("SET TimeZone = 'UTC'; SET default_null_order = 'nulls_first'")
        # A rule that divides by nothing crashes: infinity would pass or fail by how it is compared.
        connection.execute("SET ieee_floating_point_ops = false")
        connection.execute("".join(f"CREATE SCHEMA {layer};" for layer in LAYERS))
        return connection
