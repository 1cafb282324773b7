"""CRM accounts, prospects among them: one row per version of an account."""

from __future__ import annotations

from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import ACCOUNT_STATUSES

table = Table(
    name="bronze.accounts",
    description=__doc__,
    grain="version of a CRM account",
    key=("account_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("account_id", "string", "CRM account; a billing customer names its own"),
        Column("account_name", "string", "Name of the company", identifying=True),
        Column("parent_account_id", "string", "Account of the company that owns this one; null without one"),
        Column("industry", "string", "Industry of the company"),
        Column("employee_count", "int", "Employees of the company", minimum=1),
        Column("annual_revenue", AMOUNT, "Estimated revenue of the company in a year", minimum=0),
        Column("currency", "string", "ISO 4217 code of the revenue", default="_reporting_currency"),
        Column("region", "string", "Sales region, as in customers"),
        Column("country", "string", "ISO 3166 alpha-2 code"),
        Column("status", "string", "Whether it is or was a customer", values=ACCOUNT_STATUSES),
        Column("owner_rep_id", "string", "Rep who looks after the account"),
        Column("created_at", "timestamp", "When it was entered"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    rejects=(
        Check("account_id_missing", "account_id IS NOT NULL"),
        Check("updated_at_missing", "updated_at IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
