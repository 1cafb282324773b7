"""The few numbers that a run ends with, read from the published tables."""

from __future__ import annotations

from decimal import Decimal

import pyarrow.compute as pc

from lakehouse import delta
from lakehouse.lake import Lake

TABLE = "gold.unit_economics_by_segment"

# Column, label, unit.
HEADLINES = (
    ("customers", "Customers ever won", "number"),
    ("active_customers", "Active customers", "number"),
    ("mrr", "Monthly recurring revenue", "money"),
    ("arpa", "Revenue per active customer and month", "money"),
    ("mean_cac", "Customer acquisition cost, mean", "money"),
    ("ltv", "Lifetime value, mean", "money"),
    ("ltv_cac_ratio", "LTV : CAC", "ratio"),
    ("cac_payback_months", "CAC payback, months", "ratio"),
    ("monthly_churn_rate", "Monthly logo churn, last 12 months", "share"),
    ("health_score", "Health score, mean", "ratio"),
)


def headlines(lake: Lake) -> dict[str, object]:
    """Return the headline metrics of the published run by column; empty if the table is not published."""
    manifest = lake.published()
    if TABLE not in manifest.tables:
        return {}
    table = delta.arrow(lake, TABLE, manifest.tables[TABLE].version)
    total = table.filter(pc.equal(table["dimension"], "all")).to_pylist()
    return {name: total[0][name] for name, _, _ in HEADLINES} if total else {}


def shown(value: object, unit: str) -> str:
    """Return a value as a person reads it."""
    if value is None:
        return "no data"
    number = Decimal(str(value))
    forms = {"number": f"{number:,.0f}", "money": f"{number:,.2f}", "ratio": f"{number:,.1f}", "share": f"{number:.2%}"}
    return forms[unit]
