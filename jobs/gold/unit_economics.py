"""What each customer cost, brings in, is worth and how it feels: one row per customer who ever had MRR."""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.gold.customer_signals import HEALTH_POINTS
from lakehouse.metrics.health import BANDS
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table
from lakehouse.vocabulary import BILLING_CADENCES, CHANNELS, COMPANY_SIZES, SEGMENTS

table = Table(
    name="gold.unit_economics",
    description=__doc__,
    grain="customer who ever had MRR",
    key=("customer_id",),
    inputs={
        "customers": "silver.customers",
        "acquisition_costs": "gold.customer_acquisition_costs",
        "lifetimes": "gold.customer_lifetimes",
        "signals": "gold.customer_signals",
    },
    settings=("reporting_currency",),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("account_id", "string", "CRM account of the customer"),
        Column("segment", "string", "Segment by employees", values=SEGMENTS),
        Column("plan_id", "string", "Plan of the largest item; a churned customer's last one"),
        Column("plan_name", "string", "Name of the plan"),
        Column("billing_cadence", "string", "Cadence of the largest item", values=BILLING_CADENCES),
        Column("industry", "string", "Industry"),
        Column("company_size", "string", "Size class by employees", values=COMPANY_SIZES),
        Column("acquisition_channel", "string", "Channel that won the customer", values=CHANNELS),
        Column("region", "string", "Sales region"),
        Column("is_self_service", "boolean", "Whether it bought without a rep"),
        Column("cohort_month", "date", "First month with MRR", nullable=False),
        Column("tenure_months", "int", "Whole months from the first paid day to churn or now", minimum=0),
        Column("is_churned", "boolean", "No MRR on the as-of day after having had some", nullable=False),
        Column("churn_date", "date", "First day without MRR; null while there is some"),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("mrr", MONEY, "MRR on the as-of day", nullable=False, minimum=0),
        Column("arpa", MONEY, "Mean closing MRR of its last 12 active months", minimum=0),
        Column("gross_margin", "double", "(revenue − cost of serving) ÷ revenue, 12 months"),
        Column("gross_margin_source", "string", "Whose margin that is", values=("customer", "company", "no_data")),
        Column("ltv_margin", "double", "gross_margin within the configured bounds", minimum=0, maximum=1),
        Column("monthly_gross_profit", AMOUNT, "arpa × gross_margin"),
        Column("cac", MONEY, "Cost of winning it", minimum=0),
        Column("cac_status", "string", "Why cac is null", values=("ok", "before_spend", "no_data")),
        Column("realised_ltv", MONEY, "Gross profit of the cash collected, net of refunds and tax"),
        Column("ltv", MONEY, "realised_ltv and the discounted gross profit expected ahead"),
        Column("ltv_low", MONEY, "Lower 95 % bound; null without churn to estimate from"),
        Column("ltv_high", MONEY, "Upper 95 % bound; null without churn to estimate from"),
        Column(
            "ltv_status",
            "string",
            "no_data about costs or payments; no_churn: nobody left yet, so the horizon's value",
            False,
            ("ok", "no_data", "no_churn"),
        ),
        Column("ltv_curve", "string", "Survival curve behind it: segment_x_billing_cadence, segment or all"),
        Column("ltv_curve_value", "string", "Which of them, pairs joined by ' | '"),
        Column("remaining_months", "double", "Expected months ahead, discounted; 0 once churned", minimum=0),
        Column("ltv_formula", MONEY, "Textbook: arpa × ltv_margin ÷ monthly churn; null without churn"),
        Column("ltv_formula_lower_bound", MONEY, "The same with the upper 95 % bound of churn"),
        Column("ltv_formula_gap", MONEY, "ltv_formula − ltv"),
        Column("ltv_cac_ratio", "double", "ltv ÷ cac; null where cac is zero"),
        Column("cac_payback_months", "double", "cac ÷ monthly_gross_profit; null without a profit", minimum=0),
        Column("observed_payback_months", "int", "Months until gross profit reached cac; null while not", minimum=1),
        Column(
            "payback_status",
            "string",
            "Why that is null: not_yet, never (churned before) or no_data",
            False,
            ("paid_back", "not_yet", "never", "no_data"),
        ),
        Column("usage_score", "double", "Mean percentile rank of use among peers", minimum=0, maximum=1),
        Column("usage_score_status", "string", "Why it is null", False, ("ok", "churned", "no_data")),
        Column("support_sentiment_score", "double", "Sentiment of tickets, recent ones first", minimum=0, maximum=1),
        Column("support_sentiment_status", "string", "Why it is null: no_data is no ticket", False, ("ok", "no_data")),
        *(Column(name, "double", f"{name}, 0–100", minimum=0, maximum=100) for name in HEALTH_POINTS),
        Column("health_band", "string", "Band of the score", values=BANDS),
        Column("health_missing", "string", "Components without data, separated by commas; null once churned"),
        Column("health_status", "string", "Why the score is null", False, ("ok", "churned", "no_data")),
        Column("logo_months", "bigint", "Months of the last 12 that it opened with MRR", nullable=False, minimum=0),
        Column("logos_lost", "bigint", "Those of them that it closed without", nullable=False, minimum=0),
    ),
    checks=(
        Check("churned_has_no_mrr", "is_churned = (mrr = 0)"),
        Check("ltv_within_its_bounds", "ltv_low IS NULL OR ltv BETWEEN ltv_low AND ltv_high"),
        Check("ltv_at_least_realised", "ltv IS NULL OR ltv >= realised_ltv"),
        Check("nothing_ahead_once_churned", "NOT is_churned OR ltv <=> realised_ltv"),
        Check("ltv_null_only_without_data", "(ltv IS NULL) = (ltv_status = 'no_data')"),
        Check("payback_reached_or_not", "(observed_payback_months IS NOT NULL) = (payback_status = 'paid_back')"),
        Check("scores_have_a_status", "(usage_score IS NOT NULL) = (usage_score_status = 'ok')"),
    ),
    audits=(
        Reconciliation(
            "everyone_who_ever_had_mrr",
            "count(*)",
            (Part("silver.customers", "count(*)", where="cohort_month IS NOT NULL"),),
        ),
        Reconciliation(
            "mrr_is_that_of_the_customers",
            "sum(mrr)",
            (Part("silver.customers", "sum(mrr)", where="cohort_month IS NOT NULL"),),
            by=("customer_id",),
        ),
        Reconciliation(
            "cac_is_what_winning_cost",
            "sum(cac)",
            (Part("gold.customer_acquisition_costs", "sum(cac)"),),
            by=("customer_id",),
        ),
        Reconciliation(
            "ltv_is_that_of_the_lifetimes",
            "sum(ltv)",
            (Part("gold.customer_lifetimes", "sum(ltv)"),),
            by=("customer_id",),
        ),
        Reconciliation(
            "churned_are_those_of_the_customers",
            "count_if(is_churned)",
            (Part("silver.customers", "count_if(is_churned)"),),
        ),
    ),
)


def transform(
    customers: DataFrame,
    acquisition_costs: DataFrame,
    lifetimes: DataFrame,
    signals: DataFrame,
    reporting_currency: str,
) -> DataFrame:
    joined = (
        customers.filter(F.col("cohort_month").isNotNull())
        .join(acquisition_costs, how="left", on="customer_id")
        .join(lifetimes, how="left", on="customer_id")
        .join(signals.drop("is_churned"), how="left", on="customer_id")
    )
    is_churned, profit = F.col("is_churned"), F.col("monthly_gross_profit")
    ltv_status = F.when(F.isnull("ltv"), "no_data").when(F.isnull("ltv_low"), "no_churn").otherwise("ok")
    payback_status = (
        F.when(F.col("observed_payback_months").isNotNull(), "paid_back")
        .when(F.isnull("cac") | F.isnull("gross_margin"), "no_data")
        .otherwise(F.when(is_churned, "never").otherwise("not_yet"))
    )
    sentiment_status = F.when(F.isnull("support_sentiment_score"), "no_data").otherwise("ok")
    return table.select(
        joined.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "ltv_curve": F.col("curve_dimension"),
                "ltv_curve_value": F.col("curve_value"),
                "ltv_formula_gap": F.col("ltv_formula") - F.col("ltv"),
                "ltv_cac_ratio": safe_ratio(F.col("ltv"), F.col("cac")),
                "cac_payback_months": F.when(profit > 0, safe_ratio(F.col("cac"), profit)),
                "ltv_status": ltv_status,
                "payback_status": payback_status,
                "usage_score_status": _status_while_paying("usage_score"),
                "health_status": _status_while_paying("health_score"),
                "support_sentiment_status": sentiment_status,
            }
        )
    )


def _status_while_paying(score: str) -> SparkColumn:
    return F.when(F.col("is_churned"), "churned").when(F.isnull(score), "no_data").otherwise("ok")


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
