"""Orders as billing booked them: one row per order of an opportunity that was won."""

from __future__ import annotations

from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.billing_orders",
    description=__doc__,
    grain="order of an opportunity that was won",
    key=("order_id",),
    columns=(
        Column("order_id", "string", "Order; invoices name the one that they bill"),
        Column("account_id", "string", "Account that ordered"),
        Column("opportunity_id", "string", "Opportunity that was won"),
        Column("order_type", "string", "What kind of business it is", values=("new", "expansion", "renewal")),
        Column("product_line", "string", "Product line, as in plans and add_ons"),
        Column("ordered_at", "timestamp", "When it was signed"),
        Column("start_date", "date", "First day of what was ordered"),
        Column("renewal_date", "date", "First day after the commitment; null without one"),
        Column("term_months", "int", "Months of commitment; null without one"),
        Column(
            "total_amount", AMOUNT, "What the commitment, or without one the period paid ahead, comes to", minimum=0
        ),
        Column("arr", AMOUNT, "ARR of the items that the order began, or added by it", minimum=0),
        Column("currency", "string", "ISO 4217 code of the amounts", default="_reporting_currency"),
        *PROVENANCE,
    ),
    rejects=(
        Check("order_id_missing", "order_id IS NOT NULL"),
        Check("account_id_missing", "account_id IS NOT NULL"),
        Check("ordered_at_missing", "ordered_at IS NOT NULL"),
        Check("start_date_missing", "start_date IS NOT NULL"),
        Check("total_amount_missing_or_negative", "total_amount >= 0"),
        Check("arr_missing_or_negative", "arr >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
        Check("renewal_before_start", "renewal_date IS NULL OR renewal_date > start_date"),
        Check("term_unknown", "term_months IS NULL OR term_months IN (12, 24, 36)"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
