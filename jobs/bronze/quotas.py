"""What each AE is to sell in a quarter: one row per AE and quarter."""

from __future__ import annotations

from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.quotas",
    description=__doc__,
    grain="AE and quarter",
    key=("rep_id", "quarter"),
    columns=(
        Column("rep_id", "string", "AE"),
        Column("quarter", "date", "First day of the quarter"),
        Column("quota_arr", AMOUNT, "New ARR that the AE is to win in the quarter", minimum=0),
        Column("currency", "string", "ISO 4217 code of the quota", default="_reporting_currency"),
        *PROVENANCE,
    ),
    rejects=(
        Check("rep_id_missing", "rep_id IS NOT NULL"),
        Check("quarter_missing", "quarter IS NOT NULL"),
        Check("quota_missing_or_negative", "quota_arr >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
