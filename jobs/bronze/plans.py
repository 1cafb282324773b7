"""The plan catalogue: one row per plan version."""

from __future__ import annotations

from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import PLAN_NAMES

table = Table(
    name="bronze.plans",
    description=__doc__,
    grain="plan version",
    key=("plan_id", "valid_from"),
    columns=(
        Column("plan_id", "string", "Plan"),
        Column("plan_name", "string", "Starter, Professional, Business or Enterprise", values=PLAN_NAMES),
        Column("tier_rank", "int", "Rank of the tier, 1 is the lowest", minimum=1),
        Column("product_line", "string", "Product line of the plan"),
        Column("base_price", AMOUNT, "Price per month before seats, in the reporting currency", minimum=0),
        Column("price_per_seat", AMOUNT, "Price per month of each seat beyond the included ones", minimum=0),
        Column("included_seats", "int", "Seats that the base price includes", minimum=0),
        Column("annual_discount_rate", "double", "Share taken off a year paid ahead", minimum=0, maximum=1),
        Column("valid_from", "date", "First day of this version", default="DATE '1970-01-01'"),
        Column("valid_to", "date", "First day after this version; null while it holds"),
        *PROVENANCE,
    ),
    rejects=(
        Check("plan_id_missing", "plan_id IS NOT NULL"),
        Check("valid_from_missing", "valid_from IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
