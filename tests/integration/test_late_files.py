"""Files that come late, mistaken and replaced lead to the tables of those that were there at once, in the whole graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lakehouse import delta
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.ingest.contract import given
from lakehouse.ingest.delivery import deliver
from lakehouse.lake import Lake
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.restatements import RESTATEMENTS
from lakehouse.runner import execute
from tests.whole_lakes import differing_tables

pytestmark = pytest.mark.soak

SHIPPED = load(PROJECT / "conf")
BOARD = SHIPPED.metrics.policies["board"]
POLICIES = {**SHIPPED.metrics.policies, "board": BOARD.model_copy(update={"churn_dated": "cancellation"})}
ANOTHER_POLICY = replace(SHIPPED, metrics=SHIPPED.metrics.model_copy(update={"policies": POLICIES}))
# A company without dirt rejects and repeats nothing, and nobody overrode a score.
EMPTY = {"silver.quarantine", "silver.repeated_events", "gold.health_overrides"}


class Exports:
    """What a company's systems hold, in three files of each table: in time, late, and one that is mistaken at first."""

    def __init__(self, records, folder, seed):
        chance = np.random.default_rng(seed)
        self.folder = folder
        self.parts = {name: self._parted(rows, chance) for name, rows in records.items()}

    @staticmethod
    def _parted(rows, chance):
        drawn = pa.array(chance.choice(["in_time", "late", "mistaken"], rows.num_rows, p=[0.8, 0.1, 0.1]))
        return {part: rows.filter(pc.equal(drawn, part)) for part in ("in_time", "late", "mistaken")}

    def write(self, name, part, rows):
        path = self.folder / name / f"{part}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path)

    def write_first(self):
        """Write what is there at first: twice the amount of some terms, and tickets that nobody opened."""
        for name, parts in self.parts.items():
            self.write(name, "in_time", parts["in_time"])
        terms = self.parts["subscriptions"]["mistaken"]
        twice = pc.add(terms["amount"], terms["amount"]).cast(terms.schema.field("amount").type)
        self.write("subscriptions", "mistaken", terms.set_column(terms.column_names.index("amount"), "amount", twice))
        tickets = self.parts["support_interactions"]["mistaken"]
        others = pc.binary_join_element_wise(tickets["ticket_id"], "again", "-")
        at = tickets.column_names.index("ticket_id")
        self.write("support_interactions", "mistaken", tickets.set_column(at, "ticket_id", others))

    def write_all(self):
        for name, parts in self.parts.items():
            for part, rows in parts.items():
                self.write(name, part, rows)


def received(lake, exports, end, config=SHIPPED):
    """Bring the files in, as a run does, and publish."""
    run = execute(
        lake,
        config,
        dict(jobs()),
        Silence(),
        receive=lambda run: deliver(run, exports.folder, as_of=end, replace=True),
    )
    assert run.status == "published"


@pytest.fixture(scope="module")
def end(small_lake):
    """The day up to which the small company's records reach."""
    return small_lake.published().as_of


@pytest.fixture(scope="module")
def records(small_lake):
    """What the small company's systems hold, by table."""
    return {
        job.table.short_name: delta.arrow(small_lake, job.name).select([column.name for column in given(job.table)])
        for job in jobs().values()
        if job.is_received and small_lake.head(job.name)
    }


@pytest.fixture(scope="module")
def at_once(records, end, tmp_path_factory):
    """The lake of all files in one delivery."""
    lake = Lake(tmp_path_factory.mktemp("at_once"))
    exports = Exports(records, tmp_path_factory.mktemp("all_files"), seed=0)
    exports.write_all()
    received(lake, exports, end)
    return lake


@pytest.mark.parametrize("seed", [1, 2])
def test_late_mistaken_and_replaced_files_leave_no_trace(records, end, at_once, tmp_path, seed):
    lake, exports = Lake(tmp_path / "lake"), Exports(records, tmp_path / "files", seed)
    exports.write_first()
    received(lake, exports, end, ANOTHER_POLICY)
    before = differing_tables(lake, at_once, empty=EMPTY)
    assert {"silver.subscriptions", "silver.tickets", "silver.usage_daily", "gold.mrr_movements"} <= before.keys()

    exports.write_all()
    received(lake, exports, end)
    assert differing_tables(lake, at_once, empty=EMPTY) == {}
    assert delta.arrow(lake, RESTATEMENTS).num_rows > 0
