"""Who the customers are and where each stands on the as-of day: one row per billing customer.

A customer that only subscriptions know has a row too; one that signs up after the as-of day has none yet.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.customers import table as received
from lakehouse.cleaning import kept
from lakehouse.metrics.dimensions import segment
from lakehouse.metrics.lifecycle import LIFECYCLE_STAGES, contract_facts, ledger_facts, with_lifecycle
from lakehouse.policies import Policy
from lakehouse.rules import Part, Received, Reconciliation, Volume
from lakehouse.settings import Segments
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import BILLING_CADENCES, CHANNELS, COMPANY_SIZES, SEGMENTS

table = Table(
    name="silver.customers",
    description=__doc__,
    grain="billing customer",
    key=("customer_id",),
    inputs={
        "customers": "bronze.customers",
        "subscriptions": "silver.subscriptions",
        "customer_months": "silver.customer_months",
        "plans": "silver.dim_plan",
    },
    settings=("as_of", "segments", "policy"),
    export_as="dim_customer",
    columns=(
        Column("customer_id", "string", "Billing customer", nullable=False),
        Column("account_id", "string", "CRM account of the customer; without one its own id", nullable=False),
        Column("company_name", "string", "Legal name of the company", identifying=True),
        Column("contact_name", "string", "Person who is the billing contact", personal=True),
        Column("email", "string", "Address of the billing contact", personal=True),
        Column("country", "string", "ISO 3166 alpha-2 code"),
        Column("region", "string", "Sales region"),
        Column("industry", "string", "Industry of the company"),
        Column("employee_count", "int", "Employees of the company"),
        Column("company_size", "string", "Size class by employees", values=COMPANY_SIZES),
        Column("segment", "string", "Segment by employees; null where they are unknown", values=SEGMENTS),
        Column("acquisition_channel", "string", "Channel that won the customer", values=CHANNELS),
        Column("signup_at", "timestamp", "When the customer signed up"),
        Column("trial_started_at", "timestamp", "When the trial began, if there was one"),
        Column("trial_ended_at", "timestamp", "When the trial ended, if there was one"),
        Column("currency", "string", "ISO 4217 code in which the customer is billed"),
        Column("timezone", "string", "IANA time zone of the customer"),
        Column("cohort_month", "date", "First month with MRR; null for who never had any"),
        Column(
            "lifecycle_stage",
            "string",
            "prospect and trial never had MRR; reactivated is active again after a churn; past_due goes before both",
            nullable=False,
            values=LIFECYCLE_STAGES,
        ),
        Column("plan_id", "string", "Plan of the largest item; a churned customer's last one"),
        Column("plan_name", "string", "Name of the plan"),
        Column("billing_cadence", "string", "Cadence of the largest item", values=BILLING_CADENCES),
        Column("seats", "bigint", "Seats of the plans; 0 without MRR", nullable=False, minimum=0),
        Column("mrr", MONEY, "MRR on the as-of day, in the reporting currency", nullable=False, minimum=0),
        Column("first_paid_date", "date", "First day with MRR"),
        Column("churn_date", "date", "First day without MRR of who has none any more; null otherwise"),
        Column("churn_reason", "string", "Reason that came with the end; null where none did"),
        Column("tenure_months", "int", "Whole months from first_paid_date to churn_date or the as-of day", minimum=0),
        Column("is_churned", "boolean", "Had MRR and has none on the as-of day", nullable=False),
        Column("is_rep_won", "boolean", "An opportunity sold the first paid plan; null without a paid plan"),
        Column("is_self_service", "boolean", "No opportunity sold the first paid plan; null without a paid plan"),
        Column("updated_at", "timestamp", "When the newest version came to hold"),
    ),
    checks=(
        Check("churned_means_no_mrr_after_some", "is_churned = (mrr = 0 AND cohort_month IS NOT NULL)"),
        Check("churned_has_a_date", "is_churned = (churn_date IS NOT NULL)"),
        Check("churned_is_a_stage", "is_churned = (lifecycle_stage = 'churned')"),
        Check(
            "won_after_signup",
            "first_paid_date IS NULL OR signup_at IS NULL OR first_paid_date >= to_date(signup_at)",
            severity="warn",
            action="mark",
        ),
        Check(
            "trial_ends_after_it_began",
            "trial_ended_at IS NULL OR trial_started_at IS NULL OR trial_ended_at >= trial_started_at",
            severity="warn",
            action="mark",
        ),
        Check("churned_after_the_first_paid_day", "churn_date IS NULL OR churn_date > first_paid_date"),
        # Not always: terms worth less than half a cent a month are paid for and are no MRR.
        Check(
            "cohort_is_the_month_of_the_first_paid_day",
            "cohort_month <=> trunc(first_paid_date, 'month')",
            severity="warn",
            action="mark",
        ),
        Check(
            "won_by_a_rep_or_by_self_service",
            "(is_rep_won IS NULL AND is_self_service IS NULL) OR is_rep_won <> is_self_service",
        ),
        Check("no_seats_without_mrr", "mrr > 0 OR seats = 0"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.customers", known_from="signup_at"),
        Reconciliation(
            "mrr_is_the_ledgers",
            "sum(mrr)",
            (Part("silver.customer_months", "sum(closing_mrr)", where="month = date_trunc('month', :as_of)"),),
            by=("customer_id",),
        ),
        Reconciliation(
            "cohorts_are_the_ledgers",
            "count(*)",
            (Part("silver.customer_months", "count(DISTINCT customer_id)"),),
            by=("cohort_month",),
            where="cohort_month IS NOT NULL",
        ),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(
    *,
    customers: DataFrame,
    subscriptions: DataFrame,
    customer_months: DataFrame,
    plans: DataFrame,
    as_of: date,
    segments: Segments,
    policy: Policy,
) -> DataFrame:
    has_signed_up = F.coalesce(F.to_date("signup_at") <= F.lit(as_of), F.lit(True))
    newest = kept(customers, received).filter(has_signed_up)
    known = (
        newest.join(contract_facts(subscriptions, as_of, policy), on="customer_id", how="full")
        .join(ledger_facts(customer_months), on="customer_id", how="left")
        .join(F.broadcast(plans.select("plan_id", "plan_name")), on="plan_id", how="left")
        .withColumns(
            {
                "account_id": F.coalesce("account_id", "customer_id"),
                "segment": segment(F.col("employee_count"), segments),
            }
        )
    )
    return table.select(with_lifecycle(known, as_of))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
