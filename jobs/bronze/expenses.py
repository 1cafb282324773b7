"""Expenses by department: one row per department and month."""

from __future__ import annotations

from lakehouse.rules import Freshness, Once, Volume
from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import DEPARTMENTS

table = Table(
    name="bronze.expenses",
    description=__doc__,
    grain="department and month",
    key=("expense_id",),
    columns=(
        Column("expense_id", "string", "Expense record", default="concat_ws(' | ', month, department, currency)"),
        Column("month", "date", "First day of the month"),
        Column(
            "department",
            "string",
            "Department that spent; sales and marketing are people and tools, never programmes",
            values=DEPARTMENTS,
        ),
        Column("amount", AMOUNT, "What was spent", minimum=0),
        Column("currency", "string", "ISO 4217 code of the amount", default="_reporting_currency"),
        *PROVENANCE,
    ),
    audits=(
        Once("received_once", ("expense_id",)),
        Freshness("recent", "month", days=31),
        Volume("usual_volume", least=1.0, most=2.0),
    ),
    rejects=(
        Check("expense_id_missing", "expense_id IS NOT NULL"),
        Check("month_missing", "month IS NOT NULL"),
        Check("department_missing", "department IS NOT NULL"),
        Check("amount_missing_or_negative", "amount >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
