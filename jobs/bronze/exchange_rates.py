"""Exchange rates: one row per currency and day."""

from __future__ import annotations

from lakehouse.rules import Freshness, Once, Volume
from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.exchange_rates",
    description=__doc__,
    grain="currency and day",
    key=("currency", "rate_date"),
    columns=(
        Column("currency", "string", "ISO 4217 code"),
        Column("rate_date", "date", "Day on which the rate held"),
        Column("rate", AMOUNT, "Units of the reporting currency for one unit of the currency"),
        *PROVENANCE,
    ),
    audits=(
        Once("received_once", ("currency", "rate_date")),
        Freshness("recent", "rate_date", days=7),
        Volume("usual_volume", least=1.0, most=2.0),
    ),
    rejects=(
        Check("currency_missing", "currency IS NOT NULL"),
        Check("rate_date_missing", "rate_date IS NOT NULL"),
        Check("rate_not_positive", "rate > 0"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
