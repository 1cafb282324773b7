"""Every headline number once more: in DuckDB SQL, from the bronze records and the metric definitions alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from lakehouse.generator.build import views
from lakehouse.registry import jobs

Row = dict[str, object]
FOLDER = Path(__file__).parent
STEPS = (
    "records",
    "ledger",
    "movements",
    "acquisition",
    "margins",
    "lifetimes",
    "segments",
    "usage",
    "payments",
    "receivables",
)
AS_OF = date(2024, 12, 31)
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
)


@pytest.fixture(scope="session")
def oracle(small_lake) -> duckdb.DuckDBPyConnection:
    """A connection to the published lake that also holds everything recomputed from its bronze tables."""
    connection = views(small_lake, jobs())
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET VARIABLE as_of = DATE '{AS_OF}'")
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


def falsified(value: object) -> object:
    """Return the value with the least error that must be found: a cent, a unit, a day, a letter, a millionth."""
    match value:
        case None:
            return 0
        case Decimal():
            return value + Decimal("0.01")
        case float():
            return value + 1e-6 * max(1.0, abs(value))
        case date():
            return value + timedelta(days=1)
        case str():
            return value + "?"
    return value + 1


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.recomputed)
def test_what_is_published_is_what_the_definitions_give(oracle, subject):
    recomputed, published = both(oracle, subject)
    assert differences(recomputed, published, subject.key) == []


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.recomputed)
def test_the_least_error_in_any_column_is_found(oracle, subject):
    recomputed, published = both(oracle, subject)
    first, *others = published
    for column in first.keys() - set(subject.key):
        wrong = {**first, column: falsified(first[column])}
        assert len(differences(recomputed, [wrong, *others], subject.key)) == 1, column


def test_a_row_on_one_side_only_is_found(oracle):
    recomputed, published = both(oracle, SUBJECTS[0])
    (lost,) = differences(recomputed, published[1:], SUBJECTS[0].key)
    (invented,) = differences(recomputed[1:], published, SUBJECTS[0].key)
    assert lost.endswith("not published")
    assert invented.endswith("not recomputed")


def test_nothing_is_never_the_same_as_nothing(oracle):
    recomputed, published = both(oracle, SUBJECTS[0])
    for one, other in ((recomputed, []), ([], published), ([], [])):
        with pytest.raises(AssertionError, match="nothing to compare"):
            differences(one, other, SUBJECTS[0].key)


def test_the_small_company_has_lived_through_what_is_compared(oracle, small_lake):
    assert small_lake.current().as_of == AS_OF
    movements = {movement for (movement,) in oracle.sql("SELECT DISTINCT movement FROM ledger").fetchall()}
    assert movements >= {"new", "expansion", "contraction", "churn", "none"}
    outcomes = {outcome for (outcome,) in oracle.sql("SELECT DISTINCT status FROM payments").fetchall()}
    assert outcomes >= {"succeeded", "failed"}
    assert oracle.sql("FROM ledger WHERE fx <> 0").fetchall()
