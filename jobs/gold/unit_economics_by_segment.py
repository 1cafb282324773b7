"""Unit economics of groups of customers: one row per dimension and value.

In each dimension every customer who ever had MRR is in exactly one group, by its values as of now, so that counts and
amounts of a dimension's groups add up to those of ``all``. Rates and ratios are ratios of sums.
"""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.survival import distances_of_total
from lakehouse.rules import Constant, Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

DIMENSIONS = {
    "all": (),
    "plan": ("plan_name",),
    "billing_cadence": ("billing_cadence",),
    "industry": ("industry",),
    "company_size": ("company_size",),
    "acquisition_channel": ("acquisition_channel",),
    "region": ("region",),
    "cohort_month": ("cohort",),
    "plan_x_billing_cadence": ("plan_name", "billing_cadence"),
    "industry_x_company_size": ("industry", "company_size"),
    "acquisition_channel_x_company_size": ("acquisition_channel", "company_size"),
}

table = Table(
    name="gold.unit_economics_by_segment",
    description=__doc__,
    grain="dimension × value",
    key=("dimension", "dimension_value"),
    inputs={"unit_economics": "gold.unit_economics"},
    settings=("min_observations", "reporting_currency"),
    columns=(
        Column("dimension", "string", "What customers are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value; pairs joined by ' | ', months as 2026-03", nullable=False),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("customers", "bigint", "Customers who ever had MRR", nullable=False, minimum=1),
        Column("active_customers", "bigint", "Customers with MRR", nullable=False, minimum=0),
        Column("churned_customers", "bigint", "Customers without MRR any more", nullable=False, minimum=0),
        Column("is_small", "boolean", "Fewer customers than min_observations", nullable=False),
        Column("churn_rate", "double", "churned_customers ÷ customers", minimum=0, maximum=1),
        Column("churn_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("churn_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("logo_months", "bigint", "Months of the last 12 that customers opened with MRR", False, minimum=0),
        Column("logos_lost", "bigint", "Those of them that they closed without", nullable=False, minimum=0),
        Column("monthly_churn_rate", "double", "logos_lost ÷ logo_months", minimum=0, maximum=1),
        Column("mrr", MONEY, "MRR on the as-of day", nullable=False, minimum=0),
        Column("share_of_mrr", "double", "mrr ÷ that of all customers", minimum=0, maximum=1),
        Column("arpa", MONEY, "mrr ÷ active_customers", minimum=0),
        Column("total_cac", MONEY, "Sum of the known costs of acquisition", minimum=0),
        Column("mean_cac", MONEY, "Mean of them", minimum=0),
        Column("median_cac", MONEY, "Median of them", minimum=0),
        Column("total_ltv", MONEY, "Sum of the known lifetime values"),
        Column("ltv", MONEY, "Mean of them"),
        Column("ltv_low", MONEY, "Lower 95 % bound of that mean; null where a customer behind it has none"),
        Column("ltv_high", MONEY, "Upper 95 % bound of that mean; null where a customer behind it has none"),
        Column(
            "ltv_status",
            "string",
            "no_data: nobody's is known; no_churn: a customer's curve has none, so that there is no interval",
            nullable=False,
            values=("ok", "no_data", "no_churn"),
        ),
        Column("realised_ltv", MONEY, "Sum of the gross profit of cash collected"),
        Column("ltv_cac_ratio", "double", "Σ ltv ÷ Σ cac of customers with both"),
        Column("cac_payback_months", "double", "Σ cac ÷ Σ monthly_gross_profit of customers with both", minimum=0),
        Column("paid_back_customers", "bigint", "Customers whose gross profit reached their cost", False, minimum=0),
        Column("health_score", "double", "Mean over customers with a score", minimum=0, maximum=100),
        Column("usage_score", "double", "Mean over customers with a score", minimum=0, maximum=1),
        Column("support_sentiment_score", "double", "Mean over customers with a score", minimum=0, maximum=1),
    ),
    checks=(
        Check("active_and_churned_are_all", "active_customers + churned_customers = customers"),
        Check("rate_within_its_bounds", "churn_rate BETWEEN churn_rate_low AND churn_rate_high"),
        Check("ltv_within_its_bounds", "ltv_low IS NULL OR ltv BETWEEN ltv_low AND ltv_high"),
        Check("ltv_interval_or_reason", "(ltv_low IS NOT NULL AND ltv_high IS NOT NULL) = (ltv_status = 'ok')"),
    ),
    audits=(
        Constant("customers_add_up_in_each_dimension", "coalesce(sum(customers), 0)", by=("dimension",)),
        Constant("mrr_add_up_in_each_dimension", "coalesce(sum(mrr), 0)", by=("dimension",)),
        Constant("total_cac_add_up_in_each_dimension", "coalesce(sum(total_cac), 0)", by=("dimension",)),
        Constant("total_ltv_add_up_in_each_dimension", "coalesce(sum(total_ltv), 0)", by=("dimension",)),
        Reconciliation(
            "customers_of_all_are_those_of_the_customers",
            "sum(customers)",
            (Part("gold.unit_economics", "count(*)"),),
            where="dimension = 'all'",
        ),
        Reconciliation(
            "mrr_of_all_are_those_of_the_customers",
            "sum(mrr)",
            (Part("gold.unit_economics", "sum(mrr)"),),
            where="dimension = 'all'",
        ),
        Reconciliation(
            "total_cac_of_all_are_those_of_the_customers",
            "sum(total_cac)",
            (Part("gold.unit_economics", "sum(cac)"),),
            where="dimension = 'all'",
        ),
    ),
)


def transform(unit_economics: DataFrame, min_observations: int, reporting_currency: str) -> DataFrame:
    cohort = F.date_format("cohort_month", "yyyy-MM")
    has_ltv_and_cac = F.col("ltv").isNotNull() & F.col("cac").isNotNull()
    has_profit_and_cac = F.col("monthly_gross_profit").isNotNull() & F.col("cac").isNotNull()
    members = by_dimension(unit_economics.withColumn("cohort", cohort), DIMENSIONS)
    groups = (
        members.groupBy("dimension", "dimension_value")
        .agg(
            F.count("*").alias("customers"),
            F.count_if("is_churned").alias("churned_customers"),
            F.count_if(~F.col("is_churned")).alias("active_customers"),
            F.count("observed_payback_months").alias("paid_back_customers"),
            *(F.sum(name).alias(name) for name in ("logo_months", "logos_lost", "mrr", "realised_ltv")),
            F.sum("cac").alias("total_cac"),
            F.avg("cac").alias("mean_cac"),
            F.median("cac").alias("median_cac"),
            F.sum("ltv").alias("total_ltv"),
            F.count("ltv").alias("_ltvs"),
            F.bool_or(F.col("ltv").isNotNull() & F.col("ltv_low").isNull()).alias("_lacks_interval"),
            _ratio_of_sums("ltv", "cac", has_ltv_and_cac).alias("ltv_cac_ratio"),
            _ratio_of_sums("cac", "monthly_gross_profit", has_profit_and_cac).alias("cac_payback_months"),
            *(F.avg(name).alias(name) for name in ("health_score", "usage_score", "support_sentiment_score")),
        )
        .join(distances_of_total(members), how="inner", on=["dimension", "dimension_value"])
    )
    ltv_status = F.when(F.isnull("total_ltv"), "no_data").when(F.col("_lacks_interval"), "no_churn").otherwise("ok")
    has_interval = F.col("ltv_status") == "ok"
    everybody = Window.partitionBy("dimension")
    low, high = wilson_interval(F.col("churned_customers"), F.col("customers"))
    return table.select(
        groups.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "ltv_status": ltv_status,
                "ltv": _mean_ltv(F.col("total_ltv")),
                "ltv_low": F.when(has_interval, _mean_ltv(F.col("total_ltv") - F.col("below"))),
                "ltv_high": F.when(has_interval, _mean_ltv(F.col("total_ltv") + F.col("above"))),
                "is_small": F.col("customers") < min_observations,
                "churn_rate": safe_ratio(F.col("churned_customers"), F.col("customers")),
                "churn_rate_low": low,
                "churn_rate_high": high,
                "monthly_churn_rate": safe_ratio(F.col("logos_lost"), F.col("logo_months")),
                "share_of_mrr": safe_ratio(F.col("mrr"), F.sum("mrr").over(everybody)),
                "arpa": F.try_divide("mrr", "active_customers"),
                "cac_payback_months": F.when(F.col("cac_payback_months") >= 0, F.col("cac_payback_months")),
            }
        )
    )


def _mean_ltv(total: SparkColumn) -> SparkColumn:
    # Of one type, so that rounding cannot carry the mean past its bounds.
    return F.try_divide(total.cast(MONEY), F.col("_ltvs"))


def _ratio_of_sums(numerator: str, denominator: str, is_counted: SparkColumn) -> SparkColumn:
    return safe_ratio(F.sum(F.when(is_counted, F.col(numerator))), F.sum(F.when(is_counted, F.col(denominator))))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
