"""Order and selection follow from the declared inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse import graph
from lakehouse.errors import UsageError
from lakehouse.registry import Job
from lakehouse.table import Column, Table


def job(name, *sources):
    columns = (Column("id", "string", "Key"),)
    inputs = {f"input_{index}": source for index, source in enumerate(sources)}
    table = Table(name=name, description="", grain="id", key=("id",), columns=columns, inputs=inputs)
    return Job(table, None if name.startswith("bronze") else lambda **frames: frames, Path("none.py"))


def known(*all_jobs):
    return {job.name: job for job in all_jobs}


CHAIN = known(
    job("gold.c", "silver.b"),
    job("silver.b", "bronze.a"),
    job("bronze.a"),
    job("gold.d", "silver.b"),
    job("gold.e", "gold.c"),
)


def test_a_job_comes_after_everything_that_it_reads():
    ordered = graph.order(CHAIN)
    assert ordered == ["bronze.a", "silver.b", "gold.c", "gold.d", "gold.e"]


def test_an_unknown_input_is_named():
    with pytest.raises(UsageError, match=r"silver\.b reads bronze\.missing"):
        graph.order(known(job("silver.b", "bronze.missing")))


def test_a_cycle_is_shown():
    with pytest.raises(UsageError, match="cycle"):
        graph.order(known(job("gold.a", "gold.b"), job("gold.b", "gold.a")))


def test_silver_may_not_read_gold():
    with pytest.raises(UsageError, match="later layer"):
        graph.order(known(job("gold.a"), job("silver.b", "gold.a")))


def test_a_received_table_may_not_read():
    with pytest.raises(UsageError, match="received"):
        graph.order(known(job("silver.a"), job("bronze.b", "silver.a")))


def test_plus_before_a_table_selects_its_upstream_and_plus_after_it_its_downstream():
    assert graph.selected(CHAIN, ["+gold.c"]) == {"gold.c", "silver.b", "bronze.a"}
    assert graph.selected(CHAIN, ["gold.c+"]) == {"gold.c", "gold.e"}
    assert graph.selected(CHAIN, ["+silver.b+"]) == {"bronze.a", "silver.b", "gold.c", "gold.d", "gold.e"}
    assert graph.selected(CHAIN, ["gold.c", "gold.d"]) == {"gold.c", "gold.d"}


def test_a_selection_of_an_unknown_table_is_refused():
    with pytest.raises(UsageError, match=r"gold\.nothing"):
        graph.selected(CHAIN, ["gold.nothing+"])
