"""A small company, simulated once for all tests of the generator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

import jobs.bronze
from lakehouse.generator.company import Company
from lakehouse.generator.simulation import simulate
from lakehouse.table import PROVENANCE

CONTENT = yaml.safe_load((Path(__file__).resolve().parents[3] / "conf/company.yml").read_text())
SEED, CUSTOMERS, MONTHS = 11, 240, 18
THROUGH = date(2024, 12, 31)

VIEWS = [
    ("items", "subscriptions", "subscription_item_id"),
    ("bills", "invoices", "invoice_id"),
    ("accounts", "accounts", "account_id"),
    ("leads", "leads", "lead_id"),
    ("opportunities", "opportunities", "opportunity_id"),
    ("reps", "sales_reps", "rep_id"),
]

Tables = Mapping[str, pa.Table]


@pytest.fixture(scope="session")
def company_content() -> dict[str, Any]:
    """What the shipped conf/company.yml says."""
    return CONTENT


@pytest.fixture(scope="session")
def company() -> Company:
    return Company.model_validate(Company.with_profile(CONTENT, None))


@pytest.fixture(scope="session")
def schemas() -> dict[str, pa.Schema]:
    declared = [import_module(f"jobs.bronze.{module.name}").table for module in iter_modules(jobs.bronze.__path__)]
    provenance = {column.name for column in PROVENANCE}
    return {
        table.name: pa.schema([field for field in table.arrow_schema if field.name not in provenance])
        for table in declared
    }


@pytest.fixture(scope="session")
def generate(company: Company, schemas: dict[str, pa.Schema]) -> Callable[..., Tables]:
    """Return a function that simulates and returns the tables but the events, the truth under ``truth.``."""

    def run(through: date = THROUGH, seed: int = SEED, customers: int = CUSTOMERS, **further: Any) -> Tables:
        parts: defaultdict[str, list[pa.Table]] = defaultdict(list)
        settings = {"company": company, "customers": customers, "months": MONTHS, "schemas": schemas} | further
        for month in simulate(seed=seed, through=through, **settings):
            for name, rows in [*month.tables.items(), *((f"truth.{n}", rows) for n, rows in month.truth.items())]:
                parts[name].append(rows)
        return {name: pa.concat_tables(rows) for name, rows in parts.items()}

    return run


@pytest.fixture(scope="session")
def tables(generate: Callable[..., Tables]) -> Tables:
    return generate()


@pytest.fixture
def sql(tables: Tables) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return a function that queries the small company."""
    return connected(tables)


def connected(tables: Tables) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return a function that queries the tables; VIEWS are newest versions."""
    connection = duckdb.connect()
    for name, rows in tables.items():
        connection.register(name.replace(".", "_"), rows)
    for view, table, key in VIEWS:
        connection.execute(
            f"CREATE VIEW {view} AS SELECT * FROM bronze_{table} "  # noqa: S608 - constants above
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY updated_at DESC) = 1"
        )
    return lambda query: connection.execute(query).fetchall()
