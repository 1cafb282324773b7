"""How recurring revenue went from one month's close to the next: one row per month, dimension and value.

A customer counts at its value of each month's close. When that changes, `transfer_mrr` moves its opening MRR to the new
value and the movement is booked there; a churn is booked at the old one. Each dimension's rows add up to those of `all`.
Who came and went inside a month is both new (or reactivated) and churned, but in no rate: its MRR is `passing_mrr`. The
12-month figures are of the customers with MRR twelve months ago (A) and what they pay now at the rates of then (B), at
their values of then; who left and came back in between counts with what it pays now.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.waterfall import AMOUNTS, COUNTS, waterfall_entries
from lakehouse.table import MONEY, Check, Column, Table

DIMENSIONS = {
    "all": (),
    "plan": ("plan_name",),
    "billing_cadence": ("billing_cadence",),
    "segment": ("segment",),
    "industry": ("industry",),
    "company_size": ("company_size",),
    "acquisition_channel": ("acquisition_channel",),
    "region": ("region",),
    "currency": ("billing_currency",),
}
TRAITS = tuple(name for columns in DIMENSIONS.values() for name in columns)

table = Table(
    name="gold.mrr_movements",
    description=__doc__,
    grain="month × dimension × value",
    key=("month", "dimension", "dimension_value"),
    inputs={"customer_months": "silver.customer_months", "plans": "silver.dim_plan"},
    settings=("as_of", "min_observations", "reporting_currency"),
    columns=(
        Column("month", "date", "First day of the month", nullable=False),
        Column("dimension", "string", "What customers are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value; of currency, that of the customer's largest item", nullable=False),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("is_complete", "boolean", "The records cover the month; rates are null otherwise", nullable=False),
        Column("is_small", "boolean", "Fewer customers_opening than min_observations", nullable=False),
        Column("is_small_12m", "boolean", "Fewer customers_year_ago than min_observations", nullable=False),
        Column("opening_mrr", MONEY, "MRR at the close of the month before", nullable=False, minimum=0),
        Column("transfer_mrr", MONEY, "Opening MRR of who came from other values, less who went; signed", False),
        Column("new_mrr", MONEY, "First MRR ever, at the closing rate", nullable=False, minimum=0),
        Column("reactivation_mrr", MONEY, "MRR that came back, at the closing rate", nullable=False, minimum=0),
        Column("expansion_mrr", MONEY, "Increase at the opening rate", nullable=False, minimum=0),
        Column("contraction_mrr", MONEY, "Decrease at the opening rate", nullable=False, minimum=0),
        Column("churned_mrr", MONEY, "MRR that ended, at the opening rate", nullable=False, minimum=0),
        Column("fx_mrr", MONEY, "What changed rates did to the MRR that closes; signed", nullable=False),
        Column("closing_mrr", MONEY, "MRR at the month's close", nullable=False, minimum=0),
        Column("arr", MONEY, "12 × closing_mrr", nullable=False, minimum=0),
        Column("passing_mrr", MONEY, "Part of churned_mrr that came in the same month", nullable=False, minimum=0),
        Column(
            "committed_mrr",
            MONEY,
            "closing_mrr less items whose cancellation was said by the close (canceled_at) and that end after it",
            nullable=False,
            minimum=0,
        ),
        Column("customers_opening", "bigint", "Customers with MRR at the close before", nullable=False, minimum=0),
        Column("customers_transferred", "bigint", "Those who came from other values less who went; signed", False),
        Column("customers_new", "bigint", "Customers with their first MRR", nullable=False, minimum=0),
        Column("customers_reactivated", "bigint", "Customers who came back", nullable=False, minimum=0),
        Column("customers_churned", "bigint", "Customers whose MRR ended", nullable=False, minimum=0),
        Column("customers_closing", "bigint", "Customers with MRR at the month's close", nullable=False, minimum=0),
        Column("customers_passing", "bigint", "Churned customers who came in the same month", False, minimum=0),
        Column("grr_monthly", "double", "1 − (contraction + churned − passing) ÷ opening"),
        Column("nrr_monthly", "double", "1 + (expansion − contraction − churned + passing) ÷ opening"),
        Column("logo_churn_rate", "double", "(churned − passing) ÷ opening customers", minimum=0, maximum=1),
        Column("logo_churn_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("logo_churn_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("dollar_churn_rate", "double", "(contraction + churned − passing) ÷ opening", minimum=0),
        Column("cancelled_mrr_rate", "double", "(churned − passing) ÷ opening", minimum=0, maximum=1),
        Column("quick_ratio", "double", "(new + expansion + reactivation) ÷ (contraction + churned)", minimum=0),
        Column("arpa", MONEY, "closing_mrr ÷ customers_closing", minimum=0),
        Column("customers_year_ago", "bigint", "Customers with MRR twelve months ago", nullable=False, minimum=0),
        Column("year_ago_mrr", MONEY, "Σ A: their MRR then", nullable=False, minimum=0),
        Column("kept_mrr", MONEY, "Σ min(A, B): what is left of it, growth aside", nullable=False, minimum=0),
        Column("retained_mrr", MONEY, "Σ B: their MRR now, at the rates of then", nullable=False, minimum=0),
        Column("grr_12m", "double", "kept_mrr ÷ year_ago_mrr", minimum=0, maximum=1),
        Column("nrr_12m", "double", "retained_mrr ÷ year_ago_mrr", minimum=0),
    ),
    checks=(
        Check(
            "movements_lead_from_opening_to_closing",
            "closing_mrr = opening_mrr + transfer_mrr + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr"
            " - churned_mrr + fx_mrr",
        ),
        Check(
            "customers_lead_from_opening_to_closing",
            "customers_closing = customers_opening + customers_transferred + customers_new + customers_reactivated"
            " - customers_churned",
        ),
        Check("nothing_is_transferred_in_total", "dimension <> 'all' OR transfer_mrr = 0"),
        Check("committed_is_part_of_closing", "committed_mrr <= closing_mrr"),
        Check("passing_is_part_of_churned", "passing_mrr <= churned_mrr AND customers_passing <= customers_churned"),
        Check("kept_is_part_of_both", "kept_mrr <= least(year_ago_mrr, retained_mrr)"),
        Check(
            "logo_churn_within_its_bounds",
            "logo_churn_rate IS NULL OR logo_churn_rate BETWEEN logo_churn_rate_low AND logo_churn_rate_high",
        ),
        Check("incomplete_months_have_no_rates", "is_complete OR coalesce(grr_monthly, grr_12m, quick_ratio) IS NULL"),
    ),
)


def transform(
    *, customer_months: DataFrame, plans: DataFrame, as_of: date, min_observations: int, reporting_currency: str
) -> DataFrame:
    ledger = customer_months.join(F.broadcast(plans.select("plan_id", "plan_name")), on="plan_id", how="left")
    groups = (
        by_dimension(waterfall_entries(ledger, TRAITS).filter(F.col("month") <= F.lit(as_of)), DIMENSIONS)
        .groupBy("month", "dimension", "dimension_value")
        .agg(*(F.sum(name).alias(name) for name in (*AMOUNTS, *COUNTS)))
    )
    is_complete = F.last_day("month") <= F.lit(as_of)
    rates = {name: F.when(is_complete, rate) for name, rate in _rates().items()}
    return table.select(
        groups.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "is_complete": is_complete,
                "is_small": F.col("customers_opening") < min_observations,
                "is_small_12m": F.col("customers_year_ago") < min_observations,
                "arr": 12 * F.col("closing_mrr"),
                "committed_mrr": F.col("closing_mrr") - F.col("notice_mrr"),
                "arpa": F.try_divide("closing_mrr", "customers_closing"),
                **rates,
            }
        )
    )


def _rates() -> dict[str, SparkColumn]:
    opening, year_ago = F.col("opening_mrr"), F.col("year_ago_mrr")
    expansion, contraction = F.col("expansion_mrr"), F.col("contraction_mrr")
    lost = F.col("churned_mrr") - F.col("passing_mrr")
    logos_lost = F.col("customers_churned") - F.col("customers_passing")
    low, high = wilson_interval(logos_lost, F.col("customers_opening"))
    came = F.col("new_mrr") + expansion + F.col("reactivation_mrr")
    return {
        "grr_monthly": 1 - safe_ratio(contraction + lost, opening),
        "nrr_monthly": 1 + safe_ratio(expansion - contraction - lost, opening),
        "logo_churn_rate": safe_ratio(logos_lost, F.col("customers_opening")),
        "logo_churn_rate_low": low,
        "logo_churn_rate_high": high,
        "dollar_churn_rate": safe_ratio(contraction + lost, opening),
        "cancelled_mrr_rate": safe_ratio(lost, opening),
        "quick_ratio": safe_ratio(came, contraction + F.col("churned_mrr")),
        "grr_12m": safe_ratio(F.col("kept_mrr"), year_ago),
        "nrr_12m": safe_ratio(F.col("retained_mrr"), year_ago),
    }


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
