"""The master profile of each account, over all of its billing customers: one row per account.

What describes an account (name, industry, plan, stage …) is what its largest customer says: the one with the most MRR,
among those without any one that ever paid, the earliest first. Amounts and counts are sums over the customers, rates
and means are taken over their tickets, answers and MRR.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.customer_settings import Health
from lakehouse.metrics.accounts import answers_of, parents_of, profiles, support_of
from lakehouse.metrics.health import BANDS, health_band
from lakehouse.metrics.lifecycle import LIFECYCLE_STAGES
from lakehouse.metrics.presence import zero_where_received
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import BILLING_CADENCES, CHANNELS, COMPANY_SIZES, SEGMENTS

table = Table(
    name="gold.dim_account",
    description=__doc__,
    grain="account",
    key=("account_id",),
    inputs={
        "customers": "silver.customers",
        "unit_economics": "gold.unit_economics",
        "customer_usage": "gold.customer_usage",
        "tickets": "silver.tickets",
        "nps_responses": "silver.nps_responses",
        "crm_accounts": "silver.accounts",
    },
    settings=("as_of", "health", "reporting_currency"),
    foreign_keys={"primary_customer_id": "silver.customers"},
    columns=(
        Column("account_id", "string", "Account", nullable=False),
        Column("account_name", "string", "Legal name of the largest customer", identifying=True),
        Column("parent_account_id", "string", "Account that owns this one; null where the CRM names none"),
        Column("parent_account_name", "string", "Its name; null where the CRM does not know it", identifying=True),
        Column("primary_customer_id", "string", "Largest customer of the account", nullable=False),
        Column("customers", "bigint", "Billing customers, also those who never paid", nullable=False, minimum=1),
        Column("active_customers", "bigint", "Those of them with MRR", nullable=False, minimum=0),
        Column("segment", "string", "Segment by employees; null where they are unknown", values=SEGMENTS),
        Column("industry", "string", "Industry of the company"),
        Column("country", "string", "ISO 3166 alpha-2 code"),
        Column("region", "string", "Sales region"),
        Column("employee_count", "int", "Employees of the company"),
        Column("company_size", "string", "Size class by employees", values=COMPANY_SIZES),
        Column("acquisition_channel", "string", "Channel that won the largest customer", values=CHANNELS),
        Column("lifecycle_stage", "string", "Stage of the largest customer", nullable=False, values=LIFECYCLE_STAGES),
        Column("is_churned", "boolean", "Had MRR and has none on the as-of day", nullable=False),
        Column("plan_id", "string", "Plan of the largest customer; its last one once churned"),
        Column("plan_name", "string", "Name of the plan"),
        Column("billing_cadence", "string", "Cadence of the largest customer", values=BILLING_CADENCES),
        Column("seats", "bigint", "Seats of the plans; 0 without MRR", nullable=False, minimum=0),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("mrr", MONEY, "MRR on the as-of day", nullable=False, minimum=0),
        Column("arr", MONEY, "12 × mrr", nullable=False, minimum=0),
        Column("cac", MONEY, "Cost of winning its customers; null where that of one is unknown", minimum=0),
        Column("ltv", MONEY, "Lifetime value of its customers; null where that of one is unknown"),
        Column("ltv_cac_ratio", "double", "ltv ÷ cac"),
        Column("cohort_month", "date", "First month with MRR; null for who never had any"),
        Column("first_paid_date", "date", "First day with MRR"),
        Column("churn_date", "date", "First day without MRR of who has none any more; null otherwise"),
        Column(
            "tickets_90d",
            "bigint",
            "Tickets opened in the 90 days to the as-of day; null without any source",
            minimum=0,
        ),
        Column("sla_breach_rate", "double", "Share of them that missed a target, where there is one", True, (), 0, 1),
        Column("csat", "double", "Mean satisfaction of them, 1–5", minimum=1, maximum=5),
        Column("last_used_date", "date", "Day of the last product event"),
        Column("events_30d", "bigint", "Events in the 30 days to the as-of day; null without any source", minimum=0),
        Column("nps_score", "double", "Mean answer of 180 days to the recommendation question", minimum=0, maximum=10),
        Column("health_score", "double", "Mean by MRR of the customers with a score", minimum=0, maximum=100),
        Column("health_band", "string", "Band of the score", values=BANDS),
        Column("usage_score", "double", "Mean by MRR of the customers with a score", minimum=0, maximum=1),
    ),
    checks=(
        Check("a_year_is_twelve_months", "arr = 12 * mrr"),
        Check("no_more_active_than_all", "active_customers <= customers"),
        Check("active_means_mrr", "(active_customers > 0) = (mrr > 0)"),
        Check("churned_means_no_mrr_after_some", "is_churned = (mrr = 0 AND cohort_month IS NOT NULL)"),
        Check("churned_has_a_date", "is_churned = (churn_date IS NOT NULL)"),
        Check("churned_is_a_stage", "is_churned = (lifecycle_stage = 'churned')"),
        Check("band_with_score", "(health_score IS NULL) = (health_band IS NULL)"),
    ),
)


def transform(
    *,
    customers: DataFrame,
    unit_economics: DataFrame,
    customer_usage: DataFrame,
    tickets: DataFrame,
    nps_responses: DataFrame,
    crm_accounts: DataFrame,
    as_of: date,
    health: Health,
    reporting_currency: str,
) -> DataFrame:
    account_of = customers.select("customer_id", "account_id")
    accounts = (
        profiles(customers, unit_economics, customer_usage)
        .join(support_of(tickets.join(account_of, how="inner", on="customer_id"), as_of), how="left", on="account_id")
        .join(
            answers_of(nps_responses.join(account_of, how="inner", on="customer_id"), as_of),
            how="left",
            on="account_id",
        )
        .join(parents_of(crm_accounts), how="left", on="account_id")
        .transform(zero_where_received, tickets, ["tickets_90d"])
        .transform(zero_where_received, customer_usage, ["events_30d"])
    )
    is_churned = F.col("cohort_month").isNotNull() & (F.col("mrr") == 0)
    score = F.round("health_score", 9)
    return table.select(
        accounts.withColumns(
            {
                "account_name": F.col("company_name"),
                "primary_customer_id": F.col("customer_id"),
                "currency": F.lit(reporting_currency),
                "arr": 12 * F.col("mrr"),
                "ltv_cac_ratio": safe_ratio(F.col("ltv"), F.col("cac")),
                "is_churned": is_churned,
                "churn_date": F.when(is_churned, F.col("churn_date")),
                "health_score": score,
                "health_band": health_band(score, health.bands),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
