"""Who may leave, why, and what to do about it: one row per customer with MRR on the as-of day.

A flag is null where its evidence is missing. Its points, thresholds and levels are in conf/metrics.yml.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.customer_settings import ChurnRisk
from lakehouse.metrics.churn_risk import FLAGS, LEVELS, risk_flags, with_risk
from lakehouse.metrics.health import BANDS
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import SEGMENTS

AT_RISK_LEVELS = ("critical", "high")

table = Table(
    name="gold.churn_risk",
    description=__doc__,
    grain="customer with MRR on the as-of day",
    key=("customer_id",),
    inputs={"customers": "silver.customers", "signals": "gold.customer_signals"},
    settings=("reporting_currency", "churn_risk"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("company_name", "string", "Legal name of the company", identifying=True),
        Column("segment", "string", "Segment by employees", values=SEGMENTS),
        Column("plan_id", "string", "Plan of the largest item"),
        Column("risk_level", "string", "Level of the risk score", nullable=False, values=LEVELS),
        Column("risk_score", "int", "Points of the raised flags, 100 at most", nullable=False, minimum=0, maximum=100),
        Column("main_flag", "string", "Raised flag with most points; null without one", values=FLAGS),
        Column("suggested_action", "string", "What to do about the main flag; null without one"),
        Column("evidence", "string", "Why each flag is raised, in words; empty without one", nullable=False),
        Column("flags_raised", "int", "Number of raised flags", nullable=False, minimum=0, maximum=len(FLAGS)),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("mrr", MONEY, "MRR on the as-of day", nullable=False, minimum=0),
        Column("mrr_at_risk", MONEY, "mrr where the level is critical or high, else 0", nullable=False, minimum=0),
        Column("health_score", "double", "Health score, 0–100", minimum=0, maximum=100),
        Column("health_band", "string", "Band of the score", values=BANDS),
        *(Column(f"flag_{name}", "boolean", f"{name.replace('_', ' ').capitalize()}") for name in FLAGS),
        Column("usage_trend", "double", "Events of 30 days ÷ events of the 30 before", minimum=0),
        Column("days_since_last_login", "int", "Days since the last login, or since the first paid day", minimum=0),
        Column("escalations_90d", "bigint", "Escalated tickets of 90 days", minimum=0),
        Column("sla_breaches_90d", "bigint", "Tickets of 90 days that missed a target", minimum=0),
        Column("failed_payments_90d", "bigint", "Failed payment attempts of 90 days", minimum=0),
        Column("contraction_mrr_3m", MONEY, "MRR given up by smaller terms in three months", minimum=0),
        Column("days_to_renewal", "int", "Days until the next end of a term of more than one month", minimum=1),
        Column("nps_score", "double", "Mean score of 180 days, 0–10", minimum=0, maximum=10),
    ),
    checks=(
        Check("at_risk_is_all_or_nothing", "mrr_at_risk = IF(risk_level IN ('critical', 'high'), mrr, 0)"),
        Check("flag_with_action", "(flags_raised > 0) = (main_flag IS NOT NULL AND suggested_action IS NOT NULL)"),
        Check("flag_with_evidence", "(flags_raised > 0) = (evidence != '')"),
    ),
)


def transform(customers: DataFrame, signals: DataFrame, reporting_currency: str, churn_risk: ChurnRisk) -> DataFrame:
    payers = customers.filter(F.col("mrr") > 0).select("customer_id", "company_name", "segment", "plan_id", "mrr")
    flags = risk_flags(churn_risk.thresholds)
    flagged = payers.join(signals, how="left", on="customer_id").withColumns(
        {f"flag_{name}": flag.is_raised for name, flag in flags.items()}
    )
    judged = with_risk(flagged, churn_risk.points, churn_risk.levels)
    evidence = (F.when(F.col(f"flag_{name}"), flag.evidence) for name, flag in flags.items())
    raised = (F.coalesce(F.col(f"flag_{name}"), F.lit(False)).cast("int") for name in FLAGS)
    return table.select(
        judged.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "evidence": F.concat_ws("; ", *evidence),
                "flags_raised": sum(raised, F.lit(0)),
                "mrr_at_risk": F.when(F.col("risk_level").isin(*AT_RISK_LEVELS), F.col("mrr")).otherwise(0),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
