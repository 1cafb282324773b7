"""Billing customers as the billing system sends them: one row per version of a customer."""

from __future__ import annotations

from lakehouse.rules import Once
from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import CHANNELS, COMPANY_SIZES

table = Table(
    name="bronze.customers",
    description=__doc__,
    grain="version of a billing customer",
    key=("customer_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("customer_id", "string", "Billing customer"),
        Column("account_id", "string", "CRM account of the customer", default="customer_id"),
        Column("company_name", "string", "Legal name of the company", identifying=True),
        Column("contact_name", "string", "Person who is the billing contact", personal=True),
        Column("email", "string", "Address of the billing contact", personal=True),
        Column("country", "string", "ISO 3166 alpha-2 code"),
        Column("region", "string", "Sales region: North America, Europe, Asia Pacific, Latin America or another name"),
        Column("industry", "string", "Industry of the company"),
        Column("employee_count", "int", "Employees of the company", minimum=1),
        Column(
            "company_size",
            "string",
            "Size class by employees: Startup < 20, Small < 100, Mid-Market < 1,000, else Enterprise",
            values=COMPANY_SIZES,
        ),
        Column("acquisition_channel", "string", "Channel that won the customer", values=CHANNELS),
        Column("signup_at", "timestamp", "When the customer signed up"),
        Column("trial_started_at", "timestamp", "When the trial began, if there was one"),
        Column("trial_ended_at", "timestamp", "When the trial ended, if there was one"),
        Column("currency", "string", "ISO 4217 code in which the customer is billed"),
        Column("timezone", "string", "IANA time zone of the customer"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    audits=(Once("received_once", ("customer_id", "updated_at")),),
    rejects=(
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("updated_at_missing", "updated_at IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
