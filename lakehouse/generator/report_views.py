"""Views over bronze on which the acceptance bands are measured: newest versions, and MRR at the ends of months.

A second, independent way to MRR, in DuckDB over the received rows; it shares nothing with the jobs.
"""

from __future__ import annotations

import duckdb

from lakehouse.settings import Sla

_NEWEST = """
CREATE OR REPLACE TEMP VIEW {name} AS
SELECT * FROM bronze_{table} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY updated_at DESC) = 1
"""

_VERSIONED = {
    "people": ("customers", "customer_id"),
    "items": ("subscriptions", "subscription_item_id"),
    "tickets": ("support_interactions", "ticket_id"),
    "crm_accounts": ("accounts", "account_id"),
    "crm_leads": ("leads", "lead_id"),
    "crm_opportunities": ("opportunities", "opportunity_id"),
    "crm_reps": ("sales_reps", "rep_id"),
}

_MONTH_ENDS = """
CREATE OR REPLACE TEMP TABLE month_ends AS
SELECT row_number() OVER (ORDER BY month_end) AS position, month_end
FROM (
    SELECT last_day(unnest(generate_series(min(start_date), max(updated_at)::DATE, INTERVAL 1 MONTH))::DATE) AS month_end
    FROM bronze_subscriptions WHERE status <> 'trialing'
)
WHERE month_end <= (SELECT max(rate_date) FROM bronze_exchange_rates)
"""

# Monthly cadence is month × 1, annual a year without a longer commitment; segments by employees.
_MRR = """
CREATE OR REPLACE TEMP TABLE mrr AS
SELECT
    position, month_end, customer_id,
    any_value(currency) AS currency,
    any_value(coalesce(rate, 1.0)) AS rate,
    any_value(CASE WHEN employee_count < 100 THEN 'SMB' WHEN employee_count < 1000 THEN 'Mid-Market'
              ELSE 'Enterprise' END) AS segment,
    any_value(CASE WHEN billing_interval = 'year' THEN if(term_months > 12, 'multi_year', 'annual')
              WHEN interval_count = 1 THEN 'monthly' ELSE 'quarterly' END) AS cadence,
    sum(amount::DOUBLE / interval_count / if(billing_interval = 'year', 12, 1)) AS native_mrr
FROM month_ends
JOIN items ON start_date <= month_end AND (end_date IS NULL OR end_date > month_end)
    AND item_type <> 'one_time' AND status IN ('active', 'past_due', 'canceled')
JOIN (SELECT customer_id, employee_count FROM people) USING (customer_id)
LEFT JOIN (SELECT currency, rate_date AS month_end, rate::DOUBLE AS rate FROM bronze_exchange_rates)
    USING (currency, month_end)
GROUP BY ALL
HAVING native_mrr > 0
"""

_LATEST = """
CREATE OR REPLACE TEMP VIEW latest AS
SELECT *, native_mrr * rate AS dollars FROM mrr WHERE position = (SELECT max(position) FROM month_ends)
"""

# Customers twelve months ago and now, pooled over the month-ends of the last 24 months, at the rates of then.
_TWELVE_MONTHS = """
CREATE OR REPLACE TEMP TABLE twelve_months AS
SELECT
    before.customer_id, before.position, before.segment, before.cadence,
    before.native_mrr * before.rate AS mrr_before,
    coalesce(after.native_mrr, 0) * before.rate AS mrr_after
FROM mrr AS before
LEFT JOIN mrr AS after ON after.customer_id = before.customer_id AND after.position = before.position + 12
WHERE before.position + 12 BETWEEN (SELECT max(position) - 23 FROM month_ends) AND (SELECT max(position) FROM month_ends)
"""

# New business with its segment; ``is_ripe`` when it is old enough that nearly all of its kind are closed.
_DEALS = """
CREATE OR REPLACE TEMP TABLE deals AS
SELECT
    *,
    stage = 'closed_won' AS is_won,
    date_diff('second', created_at, closed_at) / 86400 AS cycle_days,
    created_at < last_moment - INTERVAL 1 DAY * CASE segment WHEN 'SMB' THEN 75 WHEN 'Mid-Market' THEN 200 ELSE 450 END
        AS is_ripe
FROM (
    SELECT opportunities.*, CASE WHEN employee_count < 100 THEN 'SMB' WHEN employee_count < 1000 THEN 'Mid-Market'
        ELSE 'Enterprise' END AS segment
    FROM crm_opportunities AS opportunities JOIN crm_accounts USING (account_id)
    WHERE opportunity_type = 'new_business'
), (SELECT max(updated_at) AS last_moment FROM bronze_opportunities)
"""


def make_views(connection: duckdb.DuckDBPyConnection, sla: Sla) -> None:
    """Create the newest versions, ``mrr``, ``latest``, ``twelve_months``, ``deals`` and ``targets``."""
    for name, (table, key) in _VERSIONED.items():
        connection.execute(_NEWEST.format(name=name, table=table, key=key))
    for statement in (_MONTH_ENDS, _MRR, _LATEST, _TWELVE_MONTHS, _DEALS):
        connection.execute(statement)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE targets (priority VARCHAR, first_response DOUBLE, resolution DOUBLE)"
    )
    for priority in type(sla.targets).model_fields:
        target = getattr(sla.targets, priority)
        hours = [target.first_response_hours, target.resolution_hours]
        connection.execute("INSERT INTO targets VALUES (?, ?, ?)", [priority, *hours])
