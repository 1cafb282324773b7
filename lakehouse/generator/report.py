"""The acceptance bands of the synthetic company, measured from its tables."""

from __future__ import annotations

import duckdb

from lakehouse.generator.measures import Band, Measure, measured
from lakehouse.generator.report_crm import CRM
from lakehouse.generator.report_views import make_views
from lakehouse.settings import Sla

_LOGO_CHURN = "SELECT avg((mrr_after = 0)::INT) FROM twelve_months WHERE segment = '{}' AND cadence = '{}'"
_GRR = "SELECT sum(least(mrr_before, mrr_after)) / sum(mrr_before) FROM twelve_months WHERE segment = '{}'"
_NRR = "SELECT sum(mrr_after) / sum(mrr_before) FROM twelve_months WHERE segment = '{}'"

# Surveys give 15-25 % a year for SMB, 8-12 % for Mid-Market, 3-7 % for Enterprise; monthly payers leave more: by the
# hazards of benchmarks 1.1, SMB 29.7, 16.5, 12.0 % in the first to third year, Mid-Market 17.6, 10.1, 7.7 %.
_RETENTION = [
    Measure("logo churn a year, SMB monthly", 0.16, 0.32, _LOGO_CHURN.format("SMB", "monthly")),
    Measure("logo churn a year, SMB annual", 0.12, 0.22, _LOGO_CHURN.format("SMB", "annual")),
    Measure("logo churn a year, Mid-Market monthly", 0.08, 0.20, _LOGO_CHURN.format("Mid-Market", "monthly")),
    Measure("logo churn a year, Mid-Market annual", 0.07, 0.12, _LOGO_CHURN.format("Mid-Market", "annual")),
    Measure("logo churn a year, Enterprise annual", 0.03, 0.08, _LOGO_CHURN.format("Enterprise", "annual")),
    Measure("GRR, SMB", 0.78, 0.85, _GRR.format("SMB")),
    Measure("GRR, Mid-Market", 0.88, 0.92, _GRR.format("Mid-Market")),
    Measure("GRR, Enterprise", 0.92, 0.95, _GRR.format("Enterprise")),
    Measure("NRR, SMB", 0.95, 1.00, _NRR.format("SMB")),
    Measure("NRR, Mid-Market", 1.02, 1.08, _NRR.format("Mid-Market")),
    Measure("NRR, Enterprise", 1.08, 1.15, _NRR.format("Enterprise")),
]

_GINI = """
WITH ranked AS (SELECT dollars, row_number() OVER (ORDER BY dollars) AS place, count(*) OVER () AS n FROM latest)
SELECT 2 * sum(place * dollars) / (any_value(n) * sum(dollars)) - (any_value(n) + 1) / any_value(n) FROM ranked
"""
_INVOLUNTARY = """
SELECT avg((cancel_reason = 'payment_failed')::INT)
FROM items JOIN people USING (customer_id)
WHERE item_type = 'plan' AND cancel_reason IS NOT NULL AND cancel_reason <> 'trial_expired' AND employee_count < 100
"""
_GROSS_MARGIN = """
SELECT 1 - (SELECT sum(amount) FROM bronze_expenses WHERE department LIKE 'cogs%' AND month > from_month)
    / (SELECT sum(native_mrr * rate) FROM mrr WHERE month_end > from_month)
FROM (SELECT last_day(max(month) - INTERVAL 12 MONTH)::DATE AS from_month FROM bronze_expenses)
"""
_MONTH_THREE = """
SELECT sum(if(month(start_date) % 3 = 0, yearly, 0)) / sum(yearly)
FROM (
    SELECT start_date, amount::DOUBLE / interval_count * if(billing_interval = 'year', 1, 12) * rate AS yearly
    FROM items JOIN people USING (customer_id, currency)
    LEFT JOIN (SELECT currency, rate_date AS start_date, rate::DOUBLE AS rate FROM bronze_exchange_rates
               UNION ALL SELECT 'USD', unnest(generate_series(DATE '2000-01-01', DATE '2100-01-01', INTERVAL 1 DAY)), 1)
        USING (currency, start_date)
    WHERE change_type = 'initial' AND employee_count >= 100
)
"""
_BUSINESS = [
    Measure("Gini of ARPA", 0.68, 0.78, _GINI),
    Measure("ACV", 10_000, 15_000, "SELECT 12 * avg(dollars) FROM latest", "USD"),
    Measure(
        "MRR outside the reporting currency", 0.15, 1.0,
        "SELECT sum(if(currency = 'USD', 0, dollars)) / sum(dollars) FROM latest",
    ),
    Measure(
        "customers by self-service", 0.28, 0.38,
        "SELECT avg((change_type = 'conversion')::INT) FROM items WHERE change_type IN ('initial', 'conversion')",
    ),
    Measure("gross margin", 0.72, 0.80, _GROSS_MARGIN),
    Measure("month 3 of the quarter, new business of Mid-Market and Enterprise", 0.45, 0.55, _MONTH_THREE),
    Measure("involuntary share of SMB churn", 0.18, 0.30, _INVOLUNTARY),
]  # fmt: skip

_CARD_FAILURE = "SELECT avg((status = 'failed')::INT) FROM bronze_payments WHERE method = 'card' AND attempt = 1"
_RECOVERY = """
WITH first_failures AS (
    SELECT invoice_id FROM bronze_payments
    WHERE method = 'card' AND attempt = 1 AND status = 'failed'
        AND attempted_at < (SELECT max(attempted_at) - INTERVAL 30 DAY FROM bronze_payments)
)
SELECT count(DISTINCT if(status = 'succeeded', invoice_id, NULL)) / count(DISTINCT invoice_id)
FROM bronze_payments JOIN first_failures USING (invoice_id)
"""
_WEEKEND = """
WITH daily AS (SELECT event_date, count(*) AS events FROM bronze_usage_events GROUP BY event_date)
SELECT avg(events) FILTER (isodow(event_date) > 5) / avg(events) FILTER (isodow(event_date) <= 5) FROM daily
"""
_EVENTS = """
SELECT (SELECT count(*) FROM bronze_usage_events) / count(*) FROM items WHERE change_type IN ('initial', 'conversion')
"""
_NPS = "SELECT 100 * avg(CASE WHEN score >= 9 THEN 1 WHEN score <= 6 THEN -1 ELSE 0 END) FROM bronze_nps_responses"
_BREACHED = """
SELECT avg((
    date_diff('second', opened_at, first_responded_at) / 3600 > first_response
    OR date_diff('second', opened_at, resolved_at) / 3600 > resolution
)::INT)
FROM tickets JOIN targets USING (priority) WHERE resolved_at IS NOT NULL
"""
_CUSTOMER = [
    Measure("first-attempt card failure", 0.030, 0.040, _CARD_FAILURE),
    Measure("recovery of failed card payments", 0.74, 0.82, _RECOVERY),
    Measure("weekend day's activity against a weekday's", 0.15, 0.30, _WEEKEND, "ratio"),
    Measure("usage events per customer won", 7_000, 10_000, _EVENTS, "events"),
    Measure("CSAT", 4.3, 4.6, "SELECT avg(csat) FROM tickets", "points"),
    Measure("NPS", 30, 42, _NPS, "points"),
    Measure("tickets that breach a target", 0.10, 0.20, _BREACHED),
]

# Mann and Whitney's statistic of the true probability at the month's start against what then happened.
_ORACLE = """
WITH labelled AS (
    SELECT churn_probability_90_days AS score, EXISTS (
        SELECT 1 FROM truth_churns AS gone
        WHERE gone.customer_id = alive.customer_id AND gone.month >= alive.month
            AND gone.month < alive.month + INTERVAL 3 MONTH
            AND (gone.is_voluntary OR gone.month > alive.month)
    ) AS churned
    FROM truth_customer_months AS alive
    WHERE churn_probability_90_days IS NOT NULL
        AND month <= (SELECT max(month) - INTERVAL 2 MONTH FROM truth_customer_months)
), ranked AS (SELECT churned, row_number() OVER (ORDER BY score) AS place FROM labelled)
SELECT (sum(place) FILTER (churned) - count(*) FILTER (churned) * (count(*) FILTER (churned) + 1) / 2)
    / (count(*) FILTER (churned) * count(*) FILTER (NOT churned))
FROM ranked
"""
_NOT_ALLOCATED = """
SELECT 1 - (SELECT sum(cac) FROM gold_unit_economics)::DOUBLE / (
    (SELECT sum(amount)::DOUBLE FROM bronze_marketing_spend)
    + (SELECT sum(amount)::DOUBLE FROM bronze_expenses WHERE department IN ('sales', 'marketing'))
)
"""
_AFTER_A_RUN = [
    Measure("AUC of the true churn hazard", 0.83, 0.88, _ORACLE, "AUC", needs="truth_customer_months"),
    Measure(
        "CAC payback, blended", 10, 16, "SELECT sum(cac)::DOUBLE / sum(arpa * gross_margin) FROM gold_unit_economics",
        "months", needs="gold_unit_economics",
    ),
    Measure(
        "LTV:CAC, Σ ltv ÷ Σ cac", 4, 8, "SELECT sum(ltv)::DOUBLE / sum(cac)::DOUBLE FROM gold_unit_economics", "ratio",
        needs="gold_unit_economics",
    ),
    Measure("CAC not allocated", 0.0, 0.05, _NOT_ALLOCATED, needs="gold_unit_economics"),
]  # fmt: skip


def bands(connection: duckdb.DuckDBPyConnection, sla: Sla) -> list[Band]:
    """Return every acceptance band.

    ``connection`` has views named ``bronze_customers`` and so on, perhaps ``truth_customer_months`` and
    ``gold_unit_economics`` too; ``sla`` gives the targets by which a ticket is late.
    """
    make_views(connection, sla)
    present = {str(name) for (name,) in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()}
    measures = [*_RETENTION, *_BUSINESS, *_CUSTOMER, *CRM, *_AFTER_A_RUN]
    return [measured(connection, measure, present) for measure in measures]
