"""What DuckDB recomputes from a lake's bronze records and the metric definitions alone, and how it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from lakehouse.generator.build import views
from lakehouse.lake import Lake
from lakehouse.registry import jobs

Row = dict[str, object]
FOLDER = Path(__file__).parent
STEPS = (
    "records",
    "ledger",
    "movements",
    "orders",
    "bookings",
    "renewals",
    "acquisition",
    "funnel",
    "margins",
    "lifetimes",
    "segments",
    "usage",
    "payments",
    "receivables",
    "pipeline",
    "activity",
)
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Subject:
    """A recomputed relation, the published one that must say the same, and the columns that tell its rows apart."""

    recomputed: str
    published: str
    key: tuple[str, ...]


SUBJECTS = (
    Subject("customer_months", "silver_customer_months", ("customer_id", "month")),
    Subject(
        "mrr_by_month",
        "(SELECT month, sum(closing_mrr) AS mrr, count_if(is_active) AS customers FROM silver_customer_months"
        " GROUP BY month)",
        ("month",),
    ),
    Subject(
        "mrr_movements",
        "(SELECT * FROM gold_mrr_movements WHERE dimension IN ('all', 'plan', 'currency'))",
        ("month", "dimension", "dimension_value"),
    ),
    Subject(
        "retention_cohorts",
        "(SELECT * FROM gold_retention_cohorts WHERE is_complete AND dimension IN ('all', 'plan'))",
        ("dimension", "dimension_value", "cohort_month", "age_months"),
    ),
    Subject(
        "revenue_cohorts",
        "(SELECT * FROM gold_revenue_cohorts WHERE is_complete AND dimension IN ('all', 'plan'))",
        ("dimension", "dimension_value", "cohort_month", "age_months"),
    ),
    Subject(
        "arr_composition",
        "(SELECT * FROM gold_arr_composition WHERE period_grain = 'month')",
        ("period_start", "order_type"),
    ),
    Subject(
        "bookings",
        "(SELECT * FROM gold_bookings WHERE dimension IN ('all', 'product_line'))",
        ("period_grain", "period_start", "order_type", "dimension", "dimension_value"),
    ),
    Subject("renewals", "(SELECT * FROM gold_renewals WHERE dimension = 'all')", ("renewal_month",)),
    Subject("customer_cac", "gold_unit_economics", ("customer_id",)),
    Subject(
        "cac_by_channel",
        "(SELECT dimension_value AS acquisition_channel, * FROM gold_unit_economics_by_segment"
        " WHERE dimension = 'acquisition_channel')",
        ("acquisition_channel",),
    ),
    Subject(
        "spend",
        "(SELECT 'total' AS what, sum(total_spend) AS spend, sum(allocated) AS borne, sum(unallocated) AS unallocated"
        " FROM gold_acquisition_costs)",
        ("what",),
    ),
    Subject(
        "funnel",
        "(SELECT * FROM gold_funnel WHERE cohort_grain = 'month' AND dimension IN ('all', 'lead_source'))",
        ("cohort_start", "dimension", "dimension_value"),
    ),
    Subject(
        "first_touches",
        "(SELECT month, channel, sum(attributed_wins) AS attributed_wins FROM gold_attribution"
        " WHERE model = 'first_touch' AND attributed_wins > 0 GROUP BY ALL)",
        ("month", "channel"),
    ),
    Subject("gross_profit", "(SELECT * FROM gold_customer_margins WHERE is_served)", ("customer_id", "month")),
    Subject("gross_margin", "gold_unit_economics", ("customer_id",)),
    Subject(
        "survival",
        "(SELECT * FROM gold_survival_curves WHERE age_months <= (SELECT max(age_months) FROM gold_customer_lifetimes))",
        ("dimension", "dimension_value", "age_months"),
    ),
    Subject("ltv", "gold_unit_economics", ("customer_id",)),
    Subject(
        "churn_by_segment",
        "(SELECT * FROM gold_unit_economics_by_segment WHERE dimension NOT LIKE '%_x_company_size')",
        ("dimension", "dimension_value"),
    ),
    Subject(
        "ltv_cac_by_plan",
        "(SELECT dimension_value AS plan_name, * FROM gold_unit_economics_by_segment WHERE dimension = 'plan')",
        ("plan_name",),
    ),
    Subject("usage_daily", "silver_usage_daily", ("customer_id", "usage_date")),
    Subject("monthly_usage", "gold_monthly_usage", ("month",)),
    Subject("customer_usage", "gold_customer_usage", ("customer_id",)),
    Subject("top_features", "gold_top_features", ("period", "feature")),
    Subject("payment_summary", "gold_payment_summary", ("payment_month", "method", "status")),
    Subject("receivables", "(SELECT * FROM gold_receivables WHERE dimension = 'all')", ("month", "bucket")),
    Subject(
        "concentration",
        "(SELECT * FROM gold_revenue_concentration WHERE dimension IN ('all', 'region'))",
        ("month", "dimension", "dimension_value"),
    ),
    # Groups in which nothing but probabilities changed have no step.
    Subject(
        "pipeline_waterfall",
        "(SELECT * FROM gold_pipeline_waterfall WHERE opening_arr + created_arr + reopened_arr + pulled_in_arr"
        " + abs(transferred_arr) + won_arr + lost_arr > 0)",
        ("quarter", "opportunity_type", "segment", "rep_id"),
    ),
    Subject(
        "sales_activity",
        "(SELECT * FROM gold_sales_activity WHERE segment = 'all')",
        ("opportunity_type", "outcome"),
    ),
)


def recompute(lake: Lake) -> duckdb.DuckDBPyConnection:
    """Return a connection to the published lake that also holds everything recomputed from its bronze tables."""
    connection = views(lake, jobs())
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET VARIABLE as_of = DATE '{lake.published().as_of}'")
    for step in STEPS:
        connection.execute((FOLDER / f"{step}.sql").read_text())
    return connection


def both(oracle: duckdb.DuckDBPyConnection, subject: Subject) -> tuple[list[Row], list[Row]]:
    """Return the recomputed rows and the same columns of the published ones."""
    recomputed = oracle.sql(f"FROM oracle_{subject.recomputed}")
    published = oracle.sql(f"FROM {subject.published}").select(*recomputed.columns)
    return recomputed.to_arrow_table().to_pylist(), published.to_arrow_table().to_pylist()


def differences(recomputed: list[Row], published: list[Row], key: tuple[str, ...]) -> list[str]:
    """Return what differs, a line each: rows on one side only and values that are not the same."""
    expected, found = by_key(recomputed, key), by_key(published, key)
    lines = [f"{name}: not published" for name in expected.keys() - found.keys()]
    lines += [f"{name}: not recomputed" for name in found.keys() - expected.keys()]
    lines += [
        f"{name} {column}: recomputed {value}, published {found[name][column]}"
        for name in expected.keys() & found.keys()
        for column, value in expected[name].items()
        if not is_same(value, found[name][column])
    ]
    return sorted(lines)


def by_key(rows: list[Row], key: tuple[str, ...]) -> dict[str, Row]:
    """Return the rows by their keys; there must be some, and no key twice."""
    assert rows, "nothing to compare"
    named = {" ".join(str(row[name]) for name in key): row for row in rows}
    assert len(named) == len(rows), "a key occurs twice"
    return named


def is_same(value: object, other: object) -> bool:
    """Tell whether ratios agree within the tolerance, and whether all else is equal to the cent."""
    if isinstance(value, float) and isinstance(other, float):
        return abs(value - other) <= TOLERANCE * max(1.0, abs(value))
    return value == other
