"""The plan catalogue as it stands: one row per plan, which has one tier.

Each tier has the feature categories of the one below and adds its own: Starter dashboards and data, Professional
reports, Business collaboration, Enterprise advanced.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.bronze.plans import table as received
from lakehouse.cleaning import kept
from lakehouse.rules import Received
from lakehouse.table import AMOUNT, Check, Column, Table
from lakehouse.vocabulary import PLAN_NAMES

# The lowest tier that has each feature category.
TIER_OF_CATEGORY = {"dashboards": 1, "data": 1, "reports": 2, "collaboration": 3, "advanced": 4}

table = Table(
    name="silver.dim_plan",
    description=__doc__,
    grain="plan and tier",
    key=("plan_id",),
    inputs={"plans": "bronze.plans"},
    settings=("as_of",),
    export_as="dim_product",
    columns=(
        Column("plan_id", "string", "Plan", nullable=False),
        Column("plan_name", "string", "Starter, Professional, Business or Enterprise", values=PLAN_NAMES),
        Column("tier_rank", "int", "Rank of the tier, 1 is the lowest", minimum=1),
        Column("product_line", "string", "Product line of the plan"),
        Column("base_price", AMOUNT, "Price per month before seats, in the reporting currency", minimum=0),
        Column("price_per_seat", AMOUNT, "Price per month of each seat beyond the included ones", minimum=0),
        Column("included_seats", "int", "Seats that the base price includes", minimum=0),
        Column("annual_discount_rate", "double", "Share taken off a year paid ahead", minimum=0, maximum=1),
        Column("valid_from", "date", "First day of these terms", nullable=False),
        Column("feature_categories", "string", "Feature categories of the tier, separated by commas", nullable=False),
        *(
            Column(f"has_{category}", "boolean", f"The tier has {category}", nullable=False)
            for category in TIER_OF_CATEGORY
        ),
    ),
    checks=(
        Check(
            "tiers_include_the_ones_below",
            "has_dashboards >= has_reports AND has_reports >= has_collaboration AND has_collaboration >= has_advanced",
        ),
    ),
    audits=(Received("received_is_accounted_for", "bronze.plans", known_from="valid_from"),),
)


def transform(plans: DataFrame, as_of: date) -> DataFrame:
    newest_first = Window.partitionBy("plan_id").orderBy(F.col("valid_from").desc())
    begun = kept(plans, received).filter(F.col("valid_from") <= F.lit(as_of))
    current = begun.withColumn("_rank", F.row_number().over(newest_first)).filter(F.col("_rank") == 1)
    has = {name: F.coalesce(F.col("tier_rank") >= tier, F.lit(False)) for name, tier in TIER_OF_CATEGORY.items()}
    names = F.concat_ws(", ", *(F.when(is_included, name) for name, is_included in has.items()))
    described = current.withColumns(
        {"feature_categories": names} | {f"has_{name}": is_included for name, is_included in has.items()}
    )
    return table.select(described)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
