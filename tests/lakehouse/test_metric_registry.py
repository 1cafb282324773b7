"""The metric registry names what is published, all of it, and nothing else."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lakehouse.headlines import HEADLINES, TABLE, labelled
from lakehouse.metric_registry import BOUNDS, PAGE, Registry, registry, rendered, unknown_columns, unnamed_measures
from lakehouse.registry import jobs
from lakehouse.table import MONEY, Column, Table

TABLES = [job.table for job in jobs().values()]
DECLARED = {f"{table.name}.{column.name}": column for table in TABLES for column in table.columns}
METRICS = {metric.name: metric for metric in registry().metrics}


def made(*, columns, not_metrics=None, interval=None, **more):
    """A registry of one metric."""
    metric = {
        "name": "loss",
        "label": "Loss",
        "definition": "What is lost",
        "formula": "lost ÷ all",
        "unit": "share",
        "direction": "lower",
        "grain": "thing",
        "interval": interval,
        "columns": columns,
    }
    areas = [{"title": "Things", "metrics": [metric | more]}]
    return Registry(areas=areas, not_metrics=not_metrics or {})


def things(*columns):
    return Table(name="gold.things", description="", grain="thing", key=(), columns=columns)


def test_the_page_is_current():
    """Write it anew with `python -m lakehouse.metric_registry`."""
    assert rendered(registry()) == PAGE.read_text(encoding="utf-8")


def test_every_named_column_is_declared():
    assert unknown_columns(registry(), TABLES) == set()


def test_every_measure_of_the_gold_tables_is_a_metric_or_said_to_be_none():
    assert unnamed_measures(registry(), TABLES) == set()


def test_a_measure_that_nobody_named_and_a_name_without_a_column_are_noticed():
    table = things(Column("loss", "double", ""), Column("cost", MONEY, ""), Column("kind", "string", ""))
    incomplete = made(columns=["gold.things.loss", "gold.things.gone"])
    assert unnamed_measures(incomplete, [table]) == {"gold.things.cost"}
    assert unknown_columns(incomplete, [table]) == {"gold.things.gone"}
    explained = made(columns=["gold.things.loss"], not_metrics={"gold.things.cost": "a step"})
    assert unnamed_measures(explained, [table]) == unknown_columns(explained, [table]) == set()


def test_bounds_belong_to_a_metric_with_an_interval_and_to_no_other():
    table = things(*(Column(name, "double", "") for name in ("loss", "loss_low", "loss_high")))
    assert unnamed_measures(made(columns=["gold.things.loss"], interval="wilson"), [table]) == set()
    assert unnamed_measures(made(columns=["gold.things.loss"]), [table]) == {
        "gold.things.loss_low",
        "gold.things.loss_high",
    }


@pytest.mark.parametrize("metric", [m for m in METRICS.values() if m.interval], ids=lambda metric: metric.name)
def test_an_interval_is_published_where_it_is_promised(metric):
    assert {name + bound for name in metric.columns for bound in BOUNDS} & set(DECLARED)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_money_is_decimal_and_rates_are_not(metric):
    types = {DECLARED[name].type for name in metric.columns if name in DECLARED}
    kinds = {"money": "decimal", "seconds": "decimal", "parts": "decimal", "count": "bigint"}.get(
        metric.unit, ("double", "int")
    )
    assert all(type_.startswith(kinds) for type_ in types), types
    if metric.unit == "share":
        assert all(DECLARED[name].maximum in (None, 1) for name in metric.columns if name in DECLARED)


@pytest.mark.parametrize(
    "twice",
    [
        {"columns": ["gold.things.loss", "gold.things.loss"]},
        {"columns": ["gold.things.loss"], "not_metrics": {"gold.things.loss": "a step"}},
    ],
)
def test_a_column_is_said_once(twice):
    with pytest.raises(ValidationError, match=r"more than once: column gold\.things\.loss"):
        made(**twice)


def test_a_unit_or_direction_that_nobody_knows_is_refused():
    for wrong in ({"unit": "euros"}, {"direction": "up"}, {"interval": "guessed"}, {"colour": "red"}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            made(columns=["gold.things.loss"], **wrong)


def test_headlines_have_the_labels_and_forms_of_their_metrics():
    values = {"customers": 1200, "arpa": 1119.1, "ltv_cac_ratio": 5.84, "monthly_churn_rate": 0.0132, "mean_cac": None}
    assert labelled(values) == [
        ("Customers ever won", "1,200"),
        ("Revenue per active customer and month", "1,119.10"),
        ("LTV : CAC", "5.8"),
        ("Monthly logo churn, last 12 months", "1.32%"),
        ("Customer acquisition cost, mean", "no data"),
    ]
    assert len(labelled(dict.fromkeys(HEADLINES))) == len(HEADLINES)
    assert all(f"{TABLE}.{name}" in DECLARED for name in HEADLINES)
