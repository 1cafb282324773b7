"""The few numbers that a run ends with, read from the published tables."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pyarrow.compute as pc

from lakehouse import delta
from lakehouse.lake import Lake
from lakehouse.metric_registry import metric_in

TABLE = "gold.unit_economics_by_segment"

HEADLINES = (
    "customers",
    "active_customers",
    "mrr",
    "arpa",
    "mean_cac",
    "ltv",
    "ltv_cac_ratio",
    "cac_payback_months",
    "monthly_churn_rate",
    "health_score",
)

# How a value is written; units that are not here have one decimal.
FORMS = {"count": ",.0f", "money": ",.2f", "share": ".2%"}


def headlines(lake: Lake) -> dict[str, object]:
    """Return the headline metrics of the published run by column; empty if the table is not published."""
    manifest = lake.published()
    if TABLE not in manifest.tables:
        return {}
    table = delta.arrow(lake, TABLE, manifest.tables[TABLE].version)
    total = table.filter(pc.equal(table["dimension"], "all")).to_pylist()
    return {name: total[0][name] for name in HEADLINES} if total else {}


def labelled(values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return label and text of each headline, as a person reads them."""
    metrics = {name: metric_in(f"{TABLE}.{name}") for name in values}
    return [(metric.label, shown(values[name], metric.unit)) for name, metric in metrics.items()]


def shown(value: object, unit: str) -> str:
    """Return a value as a person reads it."""
    return "no data" if value is None else format(Decimal(str(value)), FORMS.get(unit, ",.1f"))
