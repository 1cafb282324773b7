"""What each customer has been worth and may still be: one row per customer who ever had MRR.

Lifetime value is the gross profit of the cash collected so far plus that expected ahead, on the survival curve of the
customer's segment and cadence, or of its segment, or of all, the first of them with enough churned customers behind it.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.margins import company_margin, margin_history
from lakehouse.metrics.presence import zero_where_received
from lakehouse.metrics.survival import CURVES, on_survival_curve
from lakehouse.rules import Part, Reconciliation
from lakehouse.settings import UnitEconomics
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table

# Doubles that meet money do so as decimals, as precise as they are published.
RATE = "decimal(18,9)"

table = Table(
    name="gold.customer_lifetimes",
    description=__doc__,
    grain="customer who ever had MRR",
    key=("customer_id",),
    inputs={
        "customers": "silver.customers",
        "payments": "silver.payments",
        "customer_margins": "gold.customer_margins",
        "survival_curves": "gold.survival_curves",
    },
    settings=("as_of", "unit_economics"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("age_months", "int", "Months from the first with MRR to the last, or to the as-of date", nullable=False),
        Column("arpa", MONEY, "Mean closing MRR of its last 12 active months", minimum=0),
        Column("gross_margin", "double", "(revenue − cost of serving) ÷ revenue of its last 12 months"),
        Column(
            "gross_margin_source",
            "string",
            "Its own, or the company's for too little history; no_data about costs",
            nullable=False,
            values=("customer", "company", "no_data"),
        ),
        Column("ltv_margin", "double", "gross_margin within the configured bounds", minimum=0, maximum=1),
        Column("monthly_gross_profit", AMOUNT, "arpa × gross_margin"),
        Column("collected", MONEY, "Cash succeeded − refunded, without tax; null where no payment was received"),
        Column("realised_ltv", MONEY, "collected × ltv_margin"),
        Column("curve_dimension", "string", "Which survival curve applies", values=tuple(CURVES)),
        Column("curve_value", "string", "Value of that dimension"),
        Column("curve_churned", "bigint", "Churned customers behind the curve", minimum=0),
        Column("remaining_months", "double", "Expected months ahead, discounted; 0 once churned", minimum=0),
        Column("ltv", MONEY, "realised_ltv + arpa × ltv_margin × remaining_months"),
        Column("ltv_low", MONEY, "On the lower 95 % bound of survival; null without churn on the curve"),
        Column("ltv_high", MONEY, "On the upper 95 % bound of survival; null without churn on the curve"),
        Column("ltv_formula", MONEY, "arpa × ltv_margin ÷ monthly churn rate of the curve; null without churn"),
        Column("ltv_formula_lower_bound", MONEY, "The same with the upper 95 % bound of that rate"),
        Column("logo_months", "bigint", "Months of the last 12 that it opened with MRR", nullable=False, minimum=0),
        Column("logos_lost", "bigint", "Those of them that it closed without", nullable=False, minimum=0),
    ),
    checks=(
        Check("ltv_at_least_realised", "ltv >= realised_ltv OR ltv IS NULL"),
        Check("ltv_within_its_bounds", "ltv_low IS NULL OR ltv BETWEEN ltv_low AND ltv_high"),
    ),
    audits=(
        Reconciliation(
            "everyone_who_ever_had_mrr",
            "count(*)",
            (Part("silver.customers", "count(*)", where="cohort_month IS NOT NULL"),),
        ),
        Reconciliation(
            "collected_is_net_cash",
            "sum(collected)",
            (
                Part(
                    "silver.payments",
                    "sum(CASE status WHEN 'succeeded' THEN amount_net_of_tax_reporting WHEN 'refunded' THEN -amount_net_of_tax_reporting END)",
                ),
            ),
            by=("customer_id",),
            tolerance=0.01,
            own_groups=True,
        ),
    ),
)


def transform(
    *,
    customers: DataFrame,
    payments: DataFrame,
    customer_margins: DataFrame,
    survival_curves: DataFrame,
    as_of: date,
    unit_economics: UnitEconomics,
) -> DataFrame:
    lives = (
        on_survival_curve(customers, survival_curves, as_of, unit_economics.survival_min_churned)
        .join(margin_history(customer_margins, as_of, unit_economics), how="left", on="customer_id")
        .join(_collected(payments), how="left", on="customer_id")
        .crossJoin(company_margin(customer_margins, as_of, unit_economics.gross_margin_months))
        .fillna(0, subset=["logo_months", "logos_lost"])
        .transform(zero_where_received, payments, ["collected"])
    )
    has_history = (F.col("margin_months") >= unit_economics.margin_min_months) & F.col("own_margin").isNotNull()
    source = F.when(has_history, "customer").when(F.isnull("company_margin"), "no_data").otherwise("company")
    margin = F.when(has_history, F.col("own_margin")).otherwise(F.col("company_margin"))
    lowest, highest = unit_economics.gross_margin_minimum, unit_economics.gross_margin_maximum
    bounded = F.when(margin.isNotNull(), F.greatest(F.lit(lowest), F.least(F.lit(highest), margin)))
    profits = lives.withColumns(
        {"gross_margin": margin, "gross_margin_source": source, "ltv_margin": bounded}
    ).withColumns(
        {
            "monthly_gross_profit": _times("arpa", "gross_margin"),
            "_monthly_profit": _times("arpa", "ltv_margin"),
            "realised_ltv": _times("collected", "ltv_margin").cast(MONEY),
        }
    )
    ahead = {
        f"ltv{bound}": (F.col("realised_ltv") + _expected_profit(f"remaining_months{bound}")).cast(MONEY)
        for bound in ("", "_low", "_high")
    }
    textbook = {
        name: F.try_divide("_monthly_profit", F.col(churn_rate).cast(RATE)).cast(MONEY)
        for name, churn_rate in {
            "ltv_formula": "monthly_churn_rate",
            "ltv_formula_lower_bound": "monthly_churn_rate_high",
        }.items()
    }
    remaining = F.when(F.col("is_churned"), 0.0).otherwise(F.col("remaining_months"))
    return table.select(profits.withColumns(ahead | textbook).withColumn("remaining_months", remaining))


def _collected(payments: DataFrame) -> DataFrame:
    """One row per customer: cash succeeded less refunded, without tax."""
    sign = F.when(F.col("status") == "succeeded", 1).when(F.col("status") == "refunded", -1).otherwise(0)
    return payments.groupBy("customer_id").agg(
        F.sum(sign * F.col("amount_net_of_tax_reporting")).cast(MONEY).alias("collected")
    )


def _expected_profit(remaining_months: str) -> SparkColumn:
    """Gross profit ahead; a churned customer has none, even if it never closed a month with MRR."""
    return F.when(F.col("is_churned"), 0).otherwise(_times("_monthly_profit", remaining_months))


def _times(amount: str, factor: str) -> SparkColumn:
    # Not rounded here: what is rounded twice can miss the cent.
    return F.col(amount) * F.col(factor).cast(RATE)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
