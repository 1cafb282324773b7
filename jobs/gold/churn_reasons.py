"""Why recurring revenue ended: one row per month and reason.

Every churn of the ledger is in exactly one row of its month, with the last reason that came with terms ending in that
month, so a customer who came back has one for each time it left. Terms that go unpaid or pause tell why even before
anybody gave a reason; what nothing tells is ``unknown``.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.terms import ends_on
from lakehouse.policies import Policy
from lakehouse.table import MONEY, Check, Column, Table

UNKNOWN = "unknown"

# Found by dunning, not given by the customer.
INVOLUNTARY_REASONS = ("payment_failed",)

# What a period's status tells where no reason was given.
REASONS_BY_STATUS = {"unpaid": "payment_failed", "paused": "paused"}

table = Table(
    name="gold.churn_reasons",
    description=__doc__,
    grain="month × reason",
    key=("month", "reason"),
    inputs={"customer_months": "silver.customer_months", "subscriptions": "silver.subscriptions"},
    settings=("reporting_currency", "policy"),
    columns=(
        Column("month", "date", "First day of the month of the churn", nullable=False),
        Column("reason", "string", "Reason given, or found by dunning; unknown where there is none", nullable=False),
        Column(
            "churn_type",
            "string",
            "Whether the customer decided so (voluntary) or a payment failed (involuntary)",
            nullable=False,
            values=("voluntary", "involuntary", UNKNOWN),
        ),
        Column("customers", "bigint", "Customers who churned", nullable=False, minimum=1),
        Column("churned_mrr", MONEY, "MRR that ended, as in silver.customer_months", nullable=False, minimum=0),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("share_of_customers", "double", "Share of the month's churned customers", False, minimum=0, maximum=1),
        Column("share_of_churned_mrr", "double", "Share of the month's churned MRR", False, minimum=0, maximum=1),
    ),
    checks=(Check("only_an_unknown_reason_has_no_type", "(reason = 'unknown') = (churn_type = 'unknown')"),),
)


def transform(
    customer_months: DataFrame, subscriptions: DataFrame, reporting_currency: str, policy: Policy
) -> DataFrame:
    churned = customer_months.filter(F.col("movement") == "churn").select("customer_id", "month", "churned_mrr")
    reason = F.coalesce("reason", F.lit(UNKNOWN))
    explained = churned.join(_reasons(subscriptions, policy), on=["customer_id", "month"], how="left").withColumn(
        "reason", reason
    )
    by_reason = explained.groupBy("month", "reason").agg(
        F.count("*").alias("customers"), F.sum("churned_mrr").cast(MONEY).alias("churned_mrr")
    )
    month = Window.partitionBy("month")
    churn_type = (
        F.when(F.col("reason").isin(*INVOLUNTARY_REASONS), "involuntary")
        .when(F.col("reason") == UNKNOWN, UNKNOWN)
        .otherwise("voluntary")
    )
    return table.select(
        by_reason.withColumns(
            {
                "churn_type": churn_type,
                "currency": F.lit(reporting_currency),
                "share_of_customers": safe_ratio(F.col("customers"), F.sum("customers").over(month)),
                "share_of_churned_mrr": safe_ratio(F.col("churned_mrr"), F.sum("churned_mrr").over(month)),
            }
        )
    )


def _reasons(subscriptions: DataFrame, policy: Policy) -> DataFrame:
    """One row per customer and month in which terms end, or no longer bear revenue, for a known reason: the last."""
    by_status = F.create_map(*(F.lit(part) for pair in REASONS_BY_STATUS.items() for part in pair))
    told = F.coalesce("cancel_reason", by_status[F.col("status")])
    # Terms that bear revenue take it with them when they end, unpaid and paused ones when they begin.
    ended_on = F.when(F.col("status").isin(*REASONS_BY_STATUS), F.col("start_date")).otherwise(ends_on(policy))
    ends = subscriptions.filter(F.col("is_recurring") & ~F.col("status").eqNullSafe("trialing")).select(
        "customer_id",
        F.trunc(ended_on, "month").alias("month"),
        F.when(told.isNotNull(), F.struct(ended_on.alias("on"), "subscription_item_id", told.alias("reason"))).alias(
            "told"
        ),
    )
    last = ends.groupBy("customer_id", "month").agg(F.max("told").alias("told"))
    return last.select("customer_id", "month", "told.reason")


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
