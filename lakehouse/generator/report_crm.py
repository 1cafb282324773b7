"""The acceptance bands of the CRM."""

from __future__ import annotations

from lakehouse.generator.measures import Measure

# Leads old enough that nearly all have come as far as they will.
_RIPE_LEADS = """
(SELECT * FROM crm_leads WHERE created_at < (SELECT max(updated_at) - INTERVAL 60 DAY FROM bronze_leads))
"""
_SHARE = f"SELECT count({{}}) / count({{}}) FROM {_RIPE_LEADS}"  # noqa: S608 - constants above
_PER_CUSTOMER = """
SELECT (SELECT count(*) FROM {}) / count(*) FROM items WHERE change_type IN ('initial', 'conversion')
"""
_WON_LEADS = """
SELECT count(DISTINCT lead_id) FILTER (is_won) / (SELECT count(*) FROM crm_leads) FROM deals
"""
_ACCEPTED = f"""
SELECT count(sql_at) / count(*)
FROM (SELECT *, date_diff('second', created_at, first_touched_at) / 3600 AS hours FROM {_RIPE_LEADS})
WHERE mql_at IS NOT NULL AND {{}}
"""  # noqa: S608 - constants above
_FUNNEL = [
    Measure("leads per customer won", 30, 42, _PER_CUSTOMER.format("crm_leads"), "leads"),
    Measure("new business opened per customer won", 3.0, 4.0, _PER_CUSTOMER.format("deals"), "deals"),
    Measure("leads that marketing qualifies", 0.10, 0.30, _SHARE.format("mql_at", "*")),
    Measure("qualified leads that sales accepts", 0.25, 0.50, _SHARE.format("sql_at", "mql_at")),
    Measure("accepted leads that become an opportunity", 0.40, 0.70, _SHARE.format("opportunity_id", "sql_at")),
    Measure("leads that are won", 0.010, 0.025, _WON_LEADS),
    Measure("accepted when called within an hour", 0.45, 0.60, _ACCEPTED.format("hours <= 1")),
    Measure("accepted when called after two days", 0.12, 0.25, _ACCEPTED.format("hours > 48")),
]

_WIN_RATE = "SELECT avg(is_won::INT) FROM deals WHERE is_ripe AND closed_at IS NOT NULL AND segment = '{}'"
_CYCLE = "SELECT median(cycle_days) FROM deals WHERE is_won AND segment = '{}'"
_ORDERED = """
SELECT sum(if(month(ordered_at) % 3 = 0, dollars, 0)) / sum(dollars)
FROM (
    SELECT ordered_at, bronze_billing_orders.arr::DOUBLE * coalesce(rate, 1) AS dollars
    FROM bronze_billing_orders JOIN deals USING (opportunity_id)
    LEFT JOIN (SELECT currency, rate_date, rate::DOUBLE AS rate FROM bronze_exchange_rates) AS rates
        ON rates.currency = bronze_billing_orders.currency AND rate_date = ordered_at::DATE
    WHERE segment <> 'SMB'
)
"""
_SKEWNESS = "SELECT skewness(ln(arr::DOUBLE)) FROM deals WHERE arr > 0 AND segment = 'Mid-Market'"
_DEALS = [
    Measure("win rate, SMB", 0.27, 0.33, _WIN_RATE.format("SMB")),
    Measure("win rate, Mid-Market", 0.18, 0.24, _WIN_RATE.format("Mid-Market")),
    Measure("win rate, Enterprise", 0.12, 0.18, _WIN_RATE.format("Enterprise")),
    # 25, 68 and 159 days, give or take 15 %.
    Measure("days to win, median, SMB", 21.25, 28.75, _CYCLE.format("SMB"), "days"),
    Measure("days to win, median, Mid-Market", 57.8, 78.2, _CYCLE.format("Mid-Market"), "days"),
    Measure("days to win, median, Enterprise", 135.15, 182.85, _CYCLE.format("Enterprise"), "days"),
    Measure("month 3 of the quarter, orders of Mid-Market and Enterprise", 0.45, 0.55, _ORDERED),
    Measure("skewness of the logarithm of deal sizes, Mid-Market", -0.5, 0.5, _SKEWNESS, "skewness"),
]

_MOVES = """
WITH moves AS (SELECT *, lag(expected_close_date) OVER (PARTITION BY opportunity_id ORDER BY changed_at) AS before
               FROM bronze_opportunity_stage_history JOIN (SELECT opportunity_id FROM deals) USING (opportunity_id))
SELECT count(DISTINCT opportunity_id) FILTER ({}) / count(DISTINCT opportunity_id) FROM moves
"""
_BACKWARD = " OR ".join(
    f"(from_stage = '{after}' AND to_stage = '{before}')"
    for before, after in (("prospecting", "discovery"), ("discovery", "proposal"), ("proposal", "negotiation"))
)
# Mann and Whitney's statistic of the first probability in the proposal stage against what then happened.
_FORESIGHT = """
WITH said AS (
    SELECT opportunity_id, arg_min(history.rep_probability, changed_at) AS probability, any_value(is_won) AS is_won
    FROM bronze_opportunity_stage_history AS history JOIN deals USING (opportunity_id)
    WHERE to_stage = 'proposal' AND is_ripe AND closed_at IS NOT NULL GROUP BY opportunity_id
), ranked AS (
    SELECT is_won, rank() OVER (ORDER BY probability) + (count(*) OVER (PARTITION BY probability) - 1) / 2 AS place
    FROM said
)
SELECT (sum(place) FILTER (is_won) - count(*) FILTER (is_won) * (count(*) FILTER (is_won) + 1) / 2)
    / (count(*) FILTER (is_won) * count(*) FILTER (NOT is_won))
FROM ranked
"""
_EMAILS = """
SELECT sum(emails) FILTER (is_won) / count(*) FILTER (is_won)
    / (sum(emails) FILTER (NOT is_won) / count(*) FILTER (NOT is_won))
FROM (
    SELECT any_value(is_won) AS is_won, count(activity_id) AS emails
    FROM deals LEFT JOIN (SELECT * FROM bronze_activities WHERE activity_type = 'email') USING (opportunity_id)
    WHERE closed_at IS NOT NULL GROUP BY opportunity_id
)
"""
# Of AEs who have been there for half a year, in whole quarters, at the rates of the day of the order.
_ATTAINMENT = """
WITH booked AS (
    SELECT owner_rep_id AS rep_id, date_trunc('quarter', closed_at)::DATE AS quarter,
        sum(arr::DOUBLE * coalesce(rate, 1)) AS booked
    FROM deals LEFT JOIN (SELECT currency, rate_date, rate::DOUBLE AS rate FROM bronze_exchange_rates) AS rates
        ON rates.currency = deals.currency AND rate_date = closed_at::DATE
    WHERE is_won GROUP BY ALL
)
SELECT {}
FROM (
    SELECT coalesce(booked, 0) / quota_arr::DOUBLE AS attainment
    FROM bronze_quotas JOIN crm_reps USING (rep_id) LEFT JOIN booked USING (rep_id, quarter)
    WHERE hired_on < quarter - INTERVAL 6 MONTH AND coalesce(left_on >= quarter + INTERVAL 3 MONTH, true)
        AND quarter + INTERVAL 3 MONTH <= (SELECT max(updated_at) + INTERVAL 3 DAY FROM bronze_opportunities)
)
"""
_REPS = [
    Measure("new business whose close date was pushed", 0.25, 0.60, _MOVES.format("expected_close_date > before")),
    Measure("new business that fell back a stage", 0.05, 0.20, _MOVES.format(_BACKWARD)),
    Measure("new business that was opened again", 0.02, 0.06, _MOVES.format("from_stage = 'closed_lost'")),
    Measure("AUC of the reps' probability of a proposal", 0.60, 0.75, _FORESIGHT, "AUC"),
    Measure("emails of a deal that was won against one that was lost", 2.0, 6.0, _EMAILS, "ratio"),
    Measure("quota attainment, median", 0.65, 1.05, _ATTAINMENT.format("median(attainment)"), "ratio"),
    Measure("quotas that were met", 0.25, 0.55, _ATTAINMENT.format("avg((attainment >= 1)::INT)")),
]

CRM = [*_FUNNEL, *_DEALS, *_REPS]
