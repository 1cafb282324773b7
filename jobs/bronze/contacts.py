"""People at the accounts: one row per contact."""

from __future__ import annotations

from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import SENIORITIES

table = Table(
    name="bronze.contacts",
    description=__doc__,
    grain="contact",
    key=("contact_id",),
    columns=(
        Column("contact_id", "string", "Contact"),
        Column("account_id", "string", "Account where the person works"),
        Column("full_name", "string", "Name of the person", personal=True),
        Column("title", "string", "Title of the person"),
        Column("seniority", "string", "Level of the title", values=SENIORITIES),
        Column("region", "string", "Sales region, as in accounts"),
        Column("email", "string", "Address of the person", personal=True),
        Column("created_at", "timestamp", "When the contact was entered"),
        *PROVENANCE,
    ),
    rejects=(
        Check("contact_id_missing", "contact_id IS NOT NULL"),
        Check("account_id_missing", "account_id IS NOT NULL"),
        Check("created_at_missing", "created_at IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
