"""A small declared table and a lake to keep it in, for the tests of the library."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa

from lakehouse import delta
from lakehouse.config import LakeConfig
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.publish import publish
from lakehouse.table import MONEY, Check, Column, Table

CONFIG = LakeConfig(version=1, keep_runs=2, file_retention_days=90, log_retention_days=120)

ACCOUNTS = Table(
    name="gold.accounts",
    description="Accounts: one row per account.",
    grain="account",
    key=("account_id",),
    columns=(
        Column("account_id", "string", "Account", nullable=False),
        Column("tier", "string", "Tier", values=("small", "large")),
        Column("opening", MONEY, "Opening balance", nullable=False, minimum=0),
        Column("closing", MONEY, "Closing balance", nullable=False),
        Column("share", "double", "Share of the total", minimum=0, maximum=1),
    ),
    checks=(Check("balances", "closing >= opening"),),
)

ROW = ("a", "small", "1.00", "2.00", 0.5)


def accounts(*rows):
    """Return an Arrow table of (account_id, tier, opening, closing, share)."""
    names = ACCOUNTS.column_names
    records = [dict(zip(names, row, strict=True)) for row in rows]
    for record in records:
        record["opening"], record["closing"] = Decimal(record["opening"]), Decimal(record["closing"])
    return pa.Table.from_pylist(
        records, schema=pa.schema([field.with_nullable(True) for field in ACCOUNTS.arrow_schema])
    )


def published(lake, run_id, version):
    """Write one version of the table and publish it as a run of its own."""
    delta.append(accounts(ROW), lake, ACCOUNTS, CONFIG, {"run_id": run_id})
    manifest = Manifest(
        run_id=run_id,
        published_at=datetime(2026, 7, 1, tzinfo=UTC),
        as_of=date(2026, 6, 30),
        code="c",
        configuration="f",
        batch={},
        tables={ACCOUNTS.name: Entry(version=version, rows=version + 1, fingerprint=run_id)},
        quality=Quality(checks=1, failed=0),
    )
    publish(lake, manifest)
    return manifest
