"""Companies at the edge of what there can be: one customer, and one that nobody uses."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.lake import Lake
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.runner import execute

pytestmark = pytest.mark.soak

# What four columns of subscriptions cannot tell.
WITHOUT_INPUT = {
    "silver.customer_moments": (
        "tickets_90d",
        "escalations_90d",
        "failed_payments_90d",
        "nps_answers_180d",
        "events_30d",
    ),
    "gold.customer_margins": ("events", "tickets", "hosting_cost", "gross_profit"),
    "gold.customer_lifetimes": ("collected", "realised_ltv", "ltv"),
    "gold.customer_signals": ("tickets_90d", "sla_breaches_90d", "escalations_90d", "failed_payments_90d", "csat"),
    "gold.churn_risk": ("flag_escalations", "flag_sla_breaches", "flag_usage_falling", "escalations_90d"),
    "gold.dim_account": ("tickets_90d", "events_30d"),
    "gold.executive_revenue": ("orders", "new_arr", "expansion_arr", "renewal_arr", "mean_acv"),
    "gold.bookings_reconciliation": ("orders", "ordered_arr", "self_service", "unexplained", "unexplained_customers"),
    "gold.revenue_bridge": ("invoiced", "net_cash", "invoiced_unexplained", "invoiced_rounding", "cash_unpaid"),
    "gold.unit_economics": ("cac", "realised_ltv", "ltv", "ltv_cac_ratio", "cac_payback_months"),
}

NO_USE = ("silver.user_days", "silver.usage_daily", "gold.customer_usage", "gold.monthly_usage", "gold.top_features")


def table(lake, name):
    return delta.arrow(lake, name, lake.published().versions[name]).to_pylist()


def total(rows, *names):
    return sum(row[name] for row in rows for name in names)


@pytest.mark.usefixtures("spark")
def test_a_company_of_one_customer_is_published_with_what_can_be_known_of_one(tmp_path):
    lake = Lake(tmp_path / "lake")
    size = ["--customers", "1", "--months", "3", "--seed", "3"]
    result = CliRunner().invoke(app, ["run", "--root", str(lake.root), *size, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["status"] == "published"

    everybody = next(row for row in table(lake, "gold.unit_economics_by_segment") if row["dimension"] == "all")
    assert (everybody["customers"], everybody["active_customers"], everybody["is_small"]) == (1, 1, True)
    # It was won in the last month: no month was opened with MRR, so there is no rate of losing one.
    assert everybody["logo_months"] == 0
    assert everybody["monthly_churn_rate"] is None
    # Serving it costs more than it pays, so nothing is paid back, ever; and no ticket says how it feels.
    assert everybody["cac_payback_months"] is None
    assert everybody["support_sentiment_score"] is None

    (customer,) = table(lake, "gold.unit_economics")
    (month,) = table(lake, "silver.customer_months")
    assert customer["mrr"] == month["closing_mrr"] == month["new_mrr"] == everybody["mrr"] > 0
    # Its first invoice is not due, so nobody has ever paid, and no lifetime value is told without cash.
    assert (customer["ltv_status"], customer["ltv_low"], customer["ltv_formula"]) == ("no_data", None, None)
    assert customer["health_missing"] == "support"
    # All that was ever spent on winning customers is its cost, or still waits for a next one.
    expenses = [row for row in table(lake, "bronze.expenses") if row["department"] in ("sales", "marketing")]
    spent = total(expenses, "amount") + total(table(lake, "bronze.marketing_spend"), "amount")
    waiting = total(table(lake, "gold.acquisition_costs"), "unallocated")
    assert customer["cac"] + waiting == spent > customer["cac"] > 0


def test_a_company_that_nobody_uses_is_published_with_every_other_figure_as_it_was(small_lake, tmp_path):
    shutil.copytree(small_lake.root, tmp_path / "lake")
    lake = Lake(tmp_path / "lake")
    shutil.rmtree(lake.table_path("bronze.usage_events"))
    run = execute(lake, load(PROJECT / "conf"), dict(jobs()), Silence())
    assert run.status == "published"
    assert "bronze.usage_events" not in lake.published().tables
    assert [table(lake, name) for name in NO_USE] == [[]] * len(NO_USE)

    used = {row["customer_id"]: row for row in table(small_lake, "gold.unit_economics")}
    unused = {row["customer_id"]: row for row in table(lake, "gold.unit_economics")}
    assert used.keys() == unused.keys()
    scored = {name: row for name, row in unused.items() if row["health_score"] is not None}
    assert len(scored) > 30
    weights = {"health_support": 20, "health_revenue": 25, "health_engagement": 25}
    for name, row in unused.items():
        before = used[name]
        assert (row["usage_score"], row["health_usage"]) == (None, None)
        assert row["usage_score_status"] == ("churned" if row["is_churned"] else "no_data")
        same = ("mrr", "arpa", "cac", "health_support", "health_revenue", "logo_months", "logos_lost")
        assert [row[column] for column in same] == [before[column] for column in same]
    for row in scored.values():
        present = {column: weight for column, weight in weights.items() if row[column] is not None}
        mean = sum(row[column] * weight for column, weight in present.items()) / sum(present.values())
        assert row["health_score"] == pytest.approx(mean, abs=1e-6)
        assert "usage" in row["health_missing"].split(",")
    # What no event can spread is spread evenly, and not a cent of the costs is lost.
    margins = {False: table(small_lake, "gold.customer_margins"), True: table(lake, "gold.customer_margins")}
    assert total(margins[True], "hosting_cost", "support_cost") == total(margins[False], "hosting_cost", "support_cost")
    assert {row["events"] for row in margins[True]} == {None}


@pytest.mark.usefixtures("spark")
def test_one_file_of_four_columns_is_published_and_what_lacks_its_input_is_null(tmp_path):
    folder, lake = tmp_path / "exports", Lake(tmp_path / "lake")
    folder.mkdir()
    lines = ["customer_id,start_date,end_date,amount", "a,2025-01-15,,100", "b,2025-02-01,2025-09-01,240.50"]
    (folder / "subscriptions.csv").write_text("\n".join([*lines, "c,2026-01-31,,9.99"]), encoding="utf-8")
    command = ["ingest", str(folder), "--root", str(lake.root), "--json"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert (told["status"], told["as_of"]) == ("published", "2026-01-31")
    shown = told["headlines"]
    assert (shown["customers"], shown["active_customers"], shown["mrr"]) == (3, 2, "109.99")
    assert [shown[name] for name in ("mean_cac", "ltv", "ltv_cac_ratio", "cac_payback_months")] == [None] * 4

    for name, columns in WITHOUT_INPUT.items():
        rows = table(lake, name)
        assert rows, name
        assert {column: {row[column] for row in rows} for column in columns} == {
            column: {None} for column in columns
        }, name
    economics = table(lake, "gold.unit_economics")
    for status in ("cac_status", "ltv_status", "payback_status", "support_sentiment_status"):
        assert {row[status] for row in economics} == {"no_data"}, status
    bridge = {row["month"]: row for row in table(lake, "gold.revenue_bridge")}
    billed = {month.isoformat()[:7]: row["expected_billings"] for month, row in bridge.items()}
    assert (billed["2025-01"], billed["2025-06"], billed["2026-01"]) == (100, Decimal("340.50"), Decimal("109.99"))

    arr_of_orders = (f"gold.bookings_reconciliation.{name}" for name in ("ledger_arr", "orders", "self_service"))
    for metric in ("expected_billings", "invoiced", "net_cash", "revenue", "mrr", *arr_of_orders):
        told = ["explain", metric, "--month", "2025-06", "--root", str(lake.root)]
        result = CliRunner().invoke(app, told, catch_exceptions=False)
        assert result.exit_code == 0, result.output
