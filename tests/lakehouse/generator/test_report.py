"""The acceptance bands, on the default company and on rows made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time

import duckdb
import pyarrow as pa
import pytest

from lakehouse.generator.report import Band, bands
from lakehouse.settings import Settings

Tables = Mapping[str, pa.Table]
NOON = time(12, tzinfo=UTC)
NOT_MEASURED_HERE = {"weekend day's activity against a weekday's", "usage events per customer won"}


def measured(tables: Tables, schemas: Mapping[str, pa.Schema], settings: Settings) -> dict[str, Band]:
    connection = duckdb.connect()
    for name, schema in schemas.items():
        connection.register(name.replace(".", "_"), tables.get(name, schema.empty_table()))
    for name, rows in tables.items():
        connection.register(name.replace(".", "_"), rows)
    return {band.name: band for band in bands(connection, settings.sla)}


@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 2, 4, 5))])
def test_the_default_company_lies_inside_every_band(
    seed: int, generate: Callable[..., Tables], schemas: Mapping[str, pa.Schema], settings: Settings
) -> None:
    tables = generate(date(2026, 6, 30), seed=seed, customers=1200, months=36)
    found = measured(tables, schemas, settings)
    seen = [band for name, band in found.items() if name not in NOT_MEASURED_HERE and band.note != "after a run"]
    assert len(seen) == 47
    assert [(band.name, band.low, band.measured, band.high) for band in seen if not band.holds] == []


def test_a_band_notices_a_company_that_is_out_of_it(
    tables: Tables, schemas: Mapping[str, pa.Schema], settings: Settings
) -> None:
    dollars_only = {
        **tables,
        "bronze.subscriptions": tables["bronze.subscriptions"].set_column(
            schemas["bronze.subscriptions"].get_field_index("currency"),
            "currency",
            pa.repeat("USD", tables["bronze.subscriptions"].num_rows),
        ),
    }
    band = measured(dollars_only, schemas, settings)["MRR outside the reporting currency"]
    assert band.measured == 0
    assert band.holds is False


def test_what_needs_a_run_is_marked_so(tables: Tables, schemas: Mapping[str, pa.Schema], settings: Settings) -> None:
    band = measured(tables, schemas, settings)["CAC payback, blended"]
    assert (band.measured, band.holds, band.note) == (None, None, "after a run")


def test_gross_retention_is_measured_on_hand_made_customers(
    schemas: Mapping[str, pa.Schema], settings: Settings
) -> None:
    def terms(customer: str, amount: int, start: date, end: date | None) -> dict[str, object]:
        return {
            "subscription_item_id": f"{customer}{start}", "customer_id": customer, "item_type": "plan",
            "billing_interval": "month", "interval_count": 1, "amount": amount, "currency": "USD", "status": "active",
            "start_date": start, "end_date": end, "updated_at": datetime.combine(start, NOON),
        }  # fmt: skip

    grows = [terms("G", 100, date(2024, 1, 1), date(2024, 6, 1)), terms("G", 150, date(2024, 6, 1), None)]
    shrinks = [terms("S", 300, date(2024, 1, 1), date(2025, 1, 1)), terms("S", 200, date(2025, 1, 1), None)]
    leaves = [terms("L", 100, date(2024, 1, 1), date(2025, 1, 1))]
    people = [
        {"customer_id": name, "employee_count": 10, "updated_at": datetime.combine(date(2024, 1, 1), NOON)}
        for name in "GSL"
    ]
    rates = [{"currency": "EUR", "rate_date": date(2025, 1, 31), "rate": 1}]
    tables = {
        "bronze.subscriptions": pa.Table.from_pylist(grows + shrinks + leaves, schema=schemas["bronze.subscriptions"]),
        "bronze.customers": pa.Table.from_pylist(people, schema=schemas["bronze.customers"]),
        "bronze.exchange_rates": pa.Table.from_pylist(rates, schema=schemas["bronze.exchange_rates"]),
    }
    found = measured(tables, schemas, settings)
    # One window, January 2024 to January 2025: A = 100 + 300 + 100, min(A, B) = 100 + 200 + 0, B = 150 + 200.
    assert found["GRR, SMB"].measured == pytest.approx(300 / 500)
    assert found["NRR, SMB"].measured == pytest.approx(350 / 500)
    assert found["logo churn a year, SMB monthly"].measured == pytest.approx(1 / 3)


def test_win_rate_and_cycle_are_measured_on_hand_made_opportunities(
    schemas: Mapping[str, pa.Schema], settings: Settings
) -> None:
    def opportunity(name: str, stage: str, opened: date, closed: date | None) -> dict[str, object]:
        return {
            "opportunity_id": name, "account_id": "A", "opportunity_type": "new_business", "stage": stage, "arr": 100,
            "created_at": datetime.combine(opened, NOON), "closed_at": closed and datetime.combine(closed, NOON),
            "updated_at": datetime.combine(closed or opened, NOON),
        }  # fmt: skip

    opportunities = [
        opportunity("W", "closed_won", date(2024, 1, 1), date(2024, 1, 21)),
        opportunity("L", "closed_lost", date(2024, 1, 1), date(2024, 1, 11)),
        opportunity("M", "closed_lost", date(2024, 2, 1), date(2024, 2, 11)),
        # Too young to count in the win rate, of which the slow ones are not known yet.
        opportunity("Y", "closed_won", date(2024, 11, 1), date(2024, 11, 11)),
        opportunity("O", "proposal", date(2024, 12, 1), None),
    ]
    account = {"account_id": "A", "employee_count": 10, "updated_at": datetime.combine(date(2024, 1, 1), NOON)}
    tables = {
        "bronze.opportunities": pa.Table.from_pylist(opportunities, schema=schemas["bronze.opportunities"]),
        "bronze.accounts": pa.Table.from_pylist([account], schema=schemas["bronze.accounts"]),
    }
    found = measured(tables, schemas, settings)
    assert found["win rate, SMB"].measured == pytest.approx(1 / 3)
    # W took 20 days and Y 10.
    assert found["days to win, median, SMB"].measured == pytest.approx(15)
    assert found["win rate, Enterprise"].measured is None
