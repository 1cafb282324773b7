"""The add-on catalogue: one row per add-on."""

from __future__ import annotations

from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.add_ons",
    description=__doc__,
    grain="add-on",
    key=("add_on_id",),
    columns=(
        Column("add_on_id", "string", "Add-on"),
        Column("add_on_name", "string", "Name of the add-on"),
        Column("product_line", "string", "Product line of the add-on"),
        Column("price", AMOUNT, "Price per month, or once for a one-time add-on, in the reporting currency", minimum=0),
        Column("billing", "string", "How it is billed", values=("monthly", "one_time")),
        Column("launched_on", "date", "First day on which it could be bought"),
        *PROVENANCE,
    ),
    rejects=(Check("add_on_id_missing", "add_on_id IS NOT NULL"),),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
