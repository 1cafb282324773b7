"""Product users: one row per version of a user."""

from __future__ import annotations

from lakehouse.rules import Once, Volume
from lakehouse.table import PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.users",
    description=__doc__,
    grain="version of a product user",
    key=("user_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("user_id", "string", "Product user"),
        Column("customer_id", "string", "Customer whose seat the user takes"),
        Column("role", "string", "Role in the product", values=("admin", "editor", "analyst", "viewer")),
        Column("created_at", "timestamp", "When the user was invited"),
        Column("deactivated_at", "timestamp", "When the user was removed; null while there"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    audits=(
        Once("received_once", ("user_id", "updated_at")),
        Volume("usual_volume", least=1.0, most=2.0),
    ),
    rejects=(
        Check("user_id_missing", "user_id IS NOT NULL"),
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("updated_at_missing", "updated_at IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
