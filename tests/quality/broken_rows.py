"""For each rule of a row, what to change in a sound row so that it breaks that rule: DuckDB SQL over the sound row.

By table, rule and column. It must break nothing else, save what ``INSEPARABLE`` names, in at least one of the rows that
it is tried on; many a change only does so where the row has what is spoilt, such as a date of churn.
"""

from __future__ import annotations

Change = dict[str, str]
NOTHING = "NULL"

# Rows of received tables: who breaks one goes to quarantine.
REJECTED: dict[str, dict[str, Change]] = {
    "bronze.accounts": {
        "account_id_missing": {"account_id": NOTHING},
        "updated_at_missing": {"updated_at": NOTHING},
    },
    "bronze.activities": {
        "activity_id_missing": {"activity_id": NOTHING},
        "account_id_missing": {"account_id": NOTHING},
        "occurred_at_missing": {"occurred_at": NOTHING},
    },
    "bronze.billing_orders": {
        "order_id_missing": {"order_id": NOTHING},
        "account_id_missing": {"account_id": NOTHING},
        "ordered_at_missing": {"ordered_at": NOTHING},
        "start_date_missing": {"start_date": NOTHING},
        "total_amount_missing_or_negative": {"total_amount": "-0.01"},
        "arr_missing_or_negative": {"arr": "-0.01"},
        "currency_missing": {"currency": NOTHING},
        "renewal_before_start": {"renewal_date": "start_date"},
        "term_unknown": {"term_months": "13"},
    },
    "bronze.contacts": {
        "contact_id_missing": {"contact_id": NOTHING},
        "account_id_missing": {"account_id": NOTHING},
        "created_at_missing": {"created_at": NOTHING},
    },
    "bronze.leads": {
        "lead_id_missing": {"lead_id": NOTHING},
        "created_at_missing": {"created_at": NOTHING},
        "lead_source_missing": {"lead_source": NOTHING},
        "updated_at_missing": {"updated_at": NOTHING},
        "touched_before_created": {"first_touched_at": "created_at - INTERVAL 1 SECOND"},
        "mql_before_created": {"mql_at": "created_at - INTERVAL 1 SECOND", "sql_at": NOTHING},
        "sql_before_mql": {"sql_at": "mql_at - INTERVAL 1 SECOND"},
    },
    "bronze.marketing_events": {
        "touch_id_missing": {"touch_id": NOTHING},
        "lead_id_missing": {"lead_id": NOTHING},
        "channel_missing": {"channel": NOTHING},
        "occurred_at_missing": {"occurred_at": NOTHING},
    },
    "bronze.opportunities": {
        "opportunity_id_missing": {"opportunity_id": NOTHING},
        "account_id_missing": {"account_id": NOTHING},
        "stage_missing": {"stage": NOTHING},
        "created_at_missing": {"created_at": NOTHING},
        "updated_at_missing": {"updated_at": NOTHING},
        "arr_missing_or_negative": {"arr": "-0.01"},
        "currency_missing": {"currency": NOTHING},
        "closed_before_created": {"closed_at": "created_at - INTERVAL 1 SECOND"},
    },
    "bronze.opportunity_stage_history": {
        "history_id_missing": {"history_id": NOTHING},
        "opportunity_id_missing": {"opportunity_id": NOTHING},
        "to_stage_missing": {"to_stage": NOTHING},
        "changed_at_missing": {"changed_at": NOTHING},
        "arr_missing_or_negative": {"arr": "-0.01"},
        "currency_missing": {"currency": NOTHING},
    },
    "bronze.quotas": {
        "rep_id_missing": {"rep_id": NOTHING},
        "quarter_missing": {"quarter": NOTHING},
        "quota_missing_or_negative": {"quota_arr": "-0.01"},
        "currency_missing": {"currency": NOTHING},
    },
    "bronze.sales_reps": {
        "rep_id_missing": {"rep_id": NOTHING},
        "hired_on_missing": {"hired_on": NOTHING},
        "updated_at_missing": {"updated_at": NOTHING},
        "left_before_hired": {"left_on": "hired_on"},
    },
    "bronze.add_ons": {"add_on_id_missing": {"add_on_id": NOTHING}},
    "bronze.customers": {
        "customer_id_missing": {"customer_id": NOTHING},
        "updated_at_missing": {"updated_at": NOTHING},
    },
    "bronze.exchange_rates": {
        "currency_missing": {"currency": NOTHING},
        "rate_date_missing": {"rate_date": NOTHING},
        "rate_not_positive": {"rate": "0"},
    },
    "bronze.expenses": {
        "expense_id_missing": {"expense_id": NOTHING},
        "month_missing": {"month": NOTHING},
        "department_missing": {"department": NOTHING},
        "amount_missing_or_negative": {"amount": "-0.01"},
        "currency_missing": {"currency": NOTHING},
    },
    "bronze.invoices": {
        "invoice_id_missing": {"invoice_id": NOTHING},
        "customer_id_missing": {"customer_id": NOTHING},
        "issued_at_missing": {"issued_at": NOTHING},
        "total_missing_or_negative": {"total": "-0.01"},
        "currency_missing": {"currency": NOTHING},
    },
    "bronze.marketing_spend": {
        "spend_id_missing": {"spend_id": NOTHING},
        "month_missing": {"month": NOTHING},
        "channel_missing": {"channel": NOTHING},
        "amount_missing_or_negative": {"amount": "-0.01"},
        "currency_missing": {"currency": NOTHING},
    },
    "bronze.nps_responses": {
        "response_id_missing": {"response_id": NOTHING},
        "customer_id_missing": {"customer_id": NOTHING},
        "responded_at_missing": {"responded_at": NOTHING},
        "score_out_of_range": {"score": "11"},
    },
    "bronze.payments": {
        "payment_id_missing": {"payment_id": NOTHING},
        "customer_id_missing": {"customer_id": NOTHING},
        "attempted_at_missing": {"attempted_at": NOTHING},
        "amount_missing_or_negative": {"amount": "-0.01"},
        "status_unknown": {"status": "'pending'"},
        "currency_missing": {"currency": NOTHING},
    },
    "bronze.plans": {
        "plan_id_missing": {"plan_id": NOTHING},
        "valid_from_missing": {"valid_from": NOTHING},
    },
    "bronze.subscriptions": {
        "subscription_item_id_missing": {"subscription_item_id": NOTHING},
        "customer_id_missing": {"customer_id": NOTHING},
        "start_date_missing": {"start_date": NOTHING, "end_date": NOTHING},
        "end_before_start": {"end_date": "start_date - 1"},
        "billing_interval_unknown": {"billing_interval": "'quarter'"},
        "interval_count_not_positive": {"interval_count": "0"},
        "amount_missing_or_negative": {"amount": NOTHING},
        "currency_missing": {"currency": NOTHING},
    },
    "bronze.support_interactions": {
        "ticket_id_missing": {"ticket_id": NOTHING},
        "customer_id_missing": {"customer_id": NOTHING},
        "opened_at_missing": {"opened_at": NOTHING, "first_responded_at": NOTHING, "resolved_at": NOTHING},
        "responded_before_opened": {"first_responded_at": "opened_at - INTERVAL 1 SECOND"},
        "resolved_before_opened": {"resolved_at": "opened_at - INTERVAL 1 SECOND"},
    },
    "bronze.usage_events": {
        "event_id_missing": {"event_id": NOTHING},
        "customer_id_missing": {"customer_id": NOTHING},
        "user_id_missing": {"user_id": NOTHING},
        "event_date_missing": {"event_date": NOTHING},
        "event_type_missing": {"event_type": NOTHING},
    },
    "bronze.users": {
        "user_id_missing": {"user_id": NOTHING},
        "customer_id_missing": {"customer_id": NOTHING},
        "updated_at_missing": {"updated_at": NOTHING},
    },
    "bronze.web_traffic": {
        "traffic_date_missing": {"traffic_date": NOTHING},
        "channel_missing": {"channel": NOTHING},
    },
}

# Rows of computed tables.
BROKEN: dict[str, dict[str, Change]] = {
    "silver.billing_schedule": {
        "days_are_in_order": {"period_start": "held_until"},
        "service_ends_with_the_period": {"period_end": "served_until - 1"},
        "only_a_change_gives_credit": {"amount": "-0.01"},
    },
    "silver.customer_months": {
        "movements_lead_from_opening_to_closing": {"expansion_mrr": "expansion_mrr + 0.01"},
        "changes_of_terms_add_up_to_the_change_of_who_stays": {"change_price": "change_price + 0.01"},
        "active_has_mrr": {"is_active": "NOT is_active"},
        "notice_is_part_of_what_closes": {"notice_mrr": "closing_mrr + 0.01"},
        "arr_is_twelve_months": {"arr": "arr + 0.01"},
        "revenue_is_the_sum_of_its_parts": {"revenue": "revenue + 0.01"},
        "new_only_in_the_cohort_month": {"cohort_month": "month", "age_months": "0"},
        "churn_leaves_nothing": {"movement": "'churn'"},
        "month_is_a_first_day": {"month": "month + 1", "cohort_month": "cohort_month + 1"},
        "age_counts_from_the_cohort_month": {"age_months": "age_months + 1"},
        "no_month_before_the_cohort": {"cohort_month": "month + INTERVAL 1 MONTH", "age_months": "-1"},
        "reactivation_opens_with_nothing": {
            "reactivation_mrr": "0.01",
            "contraction_mrr": "contraction_mrr + 0.01",
            "change_price": "change_price - 0.01",
        },
    },
    "silver.customers": {
        "churned_means_no_mrr_after_some": {"mrr": "0", "seats": "0"},
        "churned_has_a_date": {"churn_date": "first_paid_date + 1"},
        "churned_is_a_stage": {"lifecycle_stage": "'churned'"},
        "won_after_signup": {"signup_at": "first_paid_date + 1"},
        "trial_ends_after_it_began": {"trial_started_at": "trial_ended_at + INTERVAL 1 SECOND"},
        "churned_after_the_first_paid_day": {"churn_date": "if(churn_date IS NULL, NULL, first_paid_date)"},
        "cohort_is_the_month_of_the_first_paid_day": {"cohort_month": "cohort_month + INTERVAL 1 MONTH"},
        "won_by_a_rep_or_by_self_service": {"is_rep_won": "is_self_service"},
        "no_seats_without_mrr": {"seats": "seats + 1"},
    },
    "silver.dim_date": {
        "quarter_end_is_a_month_end": {"is_month_end": "false"},
        "holiday_has_a_name": {"holiday_name": "'Sports day'"},
        "parts_of_the_day": {"day_of_month": "day_of_month + 1"},
        "month_is_its_first_day": {"month": "month + 1"},
        "weekend_is_saturday_and_sunday": {"day_of_week": "8 - day_of_week"},
        "business_days_are_the_others": {"is_business_day": "NOT is_business_day"},
    },
    "silver.dim_plan": {"tiers_include_the_ones_below": {"has_dashboards": "false"}},
    "silver.invoices": {
        "void_is_never_late": {"status": "'void'", "is_paid": "false", "days_late": "1"},
        "credit_note_is_never_late": {"invoice_type": "'credit_note'", "days_late": "1"},
        "paid_is_closed": {"closed_at": NOTHING},
        "total_is_subtotal_and_tax": {"tax": "tax + 0.01"},
        "due_after_issue": {"due_at": "issued_at - INTERVAL 1 SECOND"},
        "period_ends_after_it_starts": {"period_end": "period_start - 1"},
        "paid_has_the_status": {"status": "'open'"},
    },
    "silver.nps_responses": {"group_follows_the_score": {"nps_group": "'passive'"}},
    "silver.payments": {
        "tax_is_part_of_the_amount": {"amount_net_of_tax_reporting": "amount_reporting + 0.01"},
        "recovered_succeeded": {"is_recovered": "true"},
        "failure_has_a_reason": {"failure_reason": "'expired_card'"},
        "payment_month_is_that_of_the_attempt": {"payment_month": "payment_month + INTERVAL 1 MONTH"},
    },
    "silver.subscriptions": {
        "discount_is_list_less_net": {"monthly_discount_amount": "monthly_discount_amount + 0.01"},
        "one_time_items_have_no_monthly_amount": {"is_recurring": "false"},
        "active_terms_bear_revenue": {"bears_revenue": "false"},
        "terms_do_not_end_before_they_start": {"end_date": "start_date - 1", "canceled_at": NOTHING},
        "amount_is_list_less_discount": {"list_amount": "amount - 0.01"},
        "notice_comes_before_the_end": {"canceled_at": "end_date + 1"},
        "add_on_is_named": {"item_type": "'add_on'", "add_on_id": NOTHING},
        "active_terms_are_open_or_end_later": {"end_date": "start_date", "canceled_at": NOTHING},
    },
    "silver.accounts": {
        "nobody_owns_itself": {"parent_account_id": "account_id"},
        "updated_after_creation": {"updated_at": "created_at - INTERVAL 1 SECOND"},
    },
    "silver.sales_reps": {
        "left_after_being_hired": {"left_date": "hired_date", "is_employed": "false"},
        "gone_with_a_date": {"is_employed": "NOT is_employed"},
    },
    "silver.quotas": {"quarter_begins_on_its_first_day": {"quarter": "quarter + 1"}},
    "silver.opportunity_states": {
        "first_has_nothing_before": {"change_number": "2"},
        "holds_for_some_time": {"valid_to_at": "valid_from_at - INTERVAL 1 SECOND"},
        "follows_the_stage_before": {"from_stage": "'closed_lost'"},
        "won_is_certain": {"rep_probability": "0.9"},
        "lost_is_certain": {"rep_probability": "0.1"},
    },
    "silver.opportunity_stages": {
        "left_after_entering": {"left_at": "entered_at - INTERVAL 1 SECOND"},
        "days_when_left": {"days_in_stage": NOTHING},
        "next_when_left": {"next_stage": NOTHING},
        "the_first_has_nothing_before": {"previous_stage": NOTHING},
        "a_visit_changes_the_stage": {"previous_stage": "stage"},
        "a_second_visit_is_a_reentry": {"is_reentry": "NOT is_reentry"},
        "opened_again_is_backward": {"is_reopening": "true"},
        "skipped_is_forward": {"is_skip": "true"},
    },
    "silver.opportunities": {
        "open_won_or_lost": {"is_won": "NOT is_won"},
        "closed_with_a_moment": {"closed_at": NOTHING, "cycle_days": NOTHING},
        "cycle_when_closed": {"cycle_days": NOTHING},
        "created_date_agrees": {"created_date": "created_date - 1"},
        "lost_has_a_reason": {"loss_reason": "'price'"},
        "customers_have_no_lead": {"lead_id": "'L1'"},
    },
    "silver.billing_orders": {
        "ordered_date_agrees": {"ordered_date": "ordered_date + 1"},
        "lag_with_a_close": {"order_lag_days": NOTHING},
        "acv_without_a_term_is_the_arr": {
            "ordered_months": NOTHING,
            "acv_reporting": "arr_reporting + 0.01",
        },
        "ordered_after_the_close": {"order_lag_days": "-1"},
        "compared_with_an_opportunity": {"is_arr_as_won": NOTHING},
        "term_with_its_end": {"term_months": NOTHING},
    },
    "silver.tickets": {
        "resolved_with_hours": {"resolution_hours": NOTHING},
        "sentiment_with_source": {"sentiment": NOTHING},
        "late_is_breached": {
            "resolution_speed": "'late'",
            "is_resolution_breached": "false",
            "is_breached": "is_first_response_breached",
        },
        "answered_after_opening": {"first_responded_at": "opened_at - INTERVAL 1 SECOND"},
        "resolved_after_opening": {"resolved_at": "opened_at - INTERVAL 1 SECOND"},
        "breached_is_either": {"is_breached": "NOT is_breached"},
        "opened_date_and_month_agree": {"opened_date": "opened_date + 1"},
    },
    "silver.usage_daily": {
        "no_more_active_than_all": {"active_users": "users + 1"},
        "no_more_errors_than_events": {"errors": "events + 1"},
        "month_is_that_of_the_day": {"usage_month": "usage_month + INTERVAL 1 MONTH"},
        "no_more_logged_in_than_all": {"logged_in_users": "users + 1"},
    },
    "silver.user_days": {
        "no_more_active_than_all": {"active_events": "events + 1", "is_active": "true"},
        "active_when_active_events": {"is_active": "NOT is_active"},
        "first_before_last": {"first_event_at": "last_event_at + INTERVAL 1 SECOND"},
        "month_is_that_of_the_day": {"activity_month": "activity_month + INTERVAL 1 MONTH"},
        "no_more_errors_than_events": {"errors": "events + 1"},
    },
    "gold.acquisition_costs": {
        "total_is_sum_of_parts": {"programme_spend": "programme_spend + 0.01"},
        "every_cent_is_borne_or_carried": {"carried_in": "carried_in + 0.01"},
        "borne_as_soon_as_somebody_is_won": {"customers_won": "0"},
    },
    "gold.arr_composition": {"customers_have_arr": {"customers": "IF(arr > 0, 0, 1)"}},
    "gold.renewals": {
        "each_is_renewed_lost_or_pending": {"pending": "pending + 1"},
        "each_renewal_is_early_on_time_or_late": {"renewed_late": "renewed_late + 1"},
        "no_more_upsold_than_renewed": {"upsold": "renewed + 1"},
        "what_comes_has_no_rate": {"is_complete": "false"},
        "money_only_of_who_renewed": {"arr_after": "arr_after + 1"},
    },
    "gold.win_rates": {
        "something_was_closed": {
            "won": "0",
            "lost": "0",
            "median_won_cycle_days": NOTHING,
            "won_arr": "0",
            "p90_won_cycle_days": NOTHING,
        },
        "rate_lies_in_its_interval": {"win_rate_low": "win_rate_high"},
        "most_take_no_less_than_half": {"p90_won_cycle_days": "median_won_cycle_days - 1"},
        "cycle_of_who_was_won": {"won": "0", "lost": "lost + 1", "won_arr": "0"},
        "money_of_who_was_won": {"won_arr": "won_arr + 1"},
    },
    "gold.billing_lag": {
        "close_to_order_of_some_orders": {"median_days_close_to_order": NOTHING},
        "close_to_order_ascends": {"p90_days_close_to_order": "median_days_close_to_order - 1"},
        "close_to_order_of_no_more_than_all": {"orders_close_to_order": "orders + 1"},
        "order_to_invoice_of_some_orders": {"median_days_order_to_invoice": NOTHING},
        "order_to_invoice_ascends": {"p90_days_order_to_invoice": "median_days_order_to_invoice - 1"},
        "order_to_invoice_of_no_more_than_all": {"orders_order_to_invoice": "orders + 1"},
        "invoice_to_cash_of_some_orders": {"median_days_invoice_to_cash": NOTHING},
        "invoice_to_cash_ascends": {"p90_days_invoice_to_cash": "median_days_invoice_to_cash - 1"},
        "close_to_cash_of_some_orders": {"median_days_close_to_cash": NOTHING},
        "close_to_cash_ascends": {"p90_days_close_to_cash": "median_days_close_to_cash - 1"},
        "close_to_cash_of_no_more_than_all": {"orders_close_to_cash": "orders + 1"},
        "cash_comes_after_an_invoice": {"orders_invoice_to_cash": "orders_order_to_invoice + 1"},
    },
    "gold.bookings_reconciliation": {
        "adds_up": {"rounding": "rounding + 0.01"},
        "orders_that_do_not_count_are_taken_off": {"ended": "0.01", "rounding": "rounding + ended - 0.01"},
    },
    "gold.bookings": {
        "every_difference_has_a_reason": {"rate_difference": "rate_difference + 0.01"},
        "term_means_orders_with_one": {"mean_term_months": NOTHING},
        "no_more_with_a_term_than_all": {"orders_with_term": "orders + 1"},
        "growth_needs_a_year_before": {"arr_growth": "0.1", "is_complete": "false"},
    },
    "gold.churn_reasons": {"only_an_unknown_reason_has_no_type": {"churn_type": "'unknown'"}},
    "gold.churn_risk": {
        "at_risk_is_all_or_nothing": {"mrr_at_risk": "mrr_at_risk + 0.01"},
        "flag_with_action": {"suggested_action": NOTHING},
        "flag_with_evidence": {"evidence": "''"},
    },
    "gold.customer_acquisition_costs": {
        "cac_is_sum_of_parts": {"cac": "cac + 0.01"},
        "cac_exactly_when_ok": {"cac": NOTHING, "marketing_cost": NOTHING, "sales_cost": NOTHING},
    },
    "gold.customer_health": {
        "judged_at_the_month_end": {"as_of_date": "as_of_date - 1"},
        "band_with_score": {"health_band": NOTHING},
        "weights_sum_to_one": {"weight_usage": "weight_usage * 2", "health_usage": "health_usage / 2"},
        "score_is_its_components_by_weight": {"health_usage": "health_usage / 2"},
        "contributions_sum_to_the_change": {"contribution_usage": "contribution_usage + 0.01"},
        "driver_with_change": {"main_driver": NOTHING},
    },
    "gold.customer_lifetimes": {
        "ltv_at_least_realised": {"realised_ltv": "ltv + 0.01"},
        "ltv_within_its_bounds": {"ltv_high": "ltv - 0.01"},
    },
    "gold.customer_margins": {
        "gross_profit_is_revenue_less_costs": {"gross_profit": "gross_profit + 0.01"},
        "served_with_revenue_or_mrr": {"is_served": "NOT is_served"},
    },
    "gold.customer_signals": {
        "only_payers_have_health": {"is_churned": "true"},
        "band_with_score": {"health_band": NOTHING},
    },
    "gold.customer_usage": {
        "used_between_first_and_last": {"used_days": "date_diff('day', first_used_date, last_used_date) + 2"},
        "recent_are_part_of_all": {"events_30d": "events + 1"},
        "last_is_not_before_first": {"last_used_date": "first_used_date - 1", "used_days": "0", "active_days": "0"},
        "no_more_active_days_than_used_ones": {"active_days": "used_days + 1"},
    },
    "gold.dim_account": {
        "a_year_is_twelve_months": {"arr": "arr + 0.01"},
        "no_more_active_than_all": {"active_customers": "customers + 1"},
        "active_means_mrr": {"active_customers": "0"},
        "churned_means_no_mrr_after_some": {"mrr": "0", "arr": "0", "active_customers": "0"},
        "churned_has_a_date": {"churn_date": "cohort_month"},
        "churned_is_a_stage": {"lifecycle_stage": "'churned'"},
        "band_with_score": {"health_band": NOTHING},
    },
    "gold.dunning_recovery": {
        "no_more_succeed_than_are_tried": {"succeeded": "attempts + 1"},
        "no_more_are_recovered_than_failed": {"recovered_invoices": "failed_invoices + 1"},
        "the_first_attempt_recovers_nothing": {"attempt": "1"},
    },
    "gold.health_overrides": {"held_at_the_month_end": {"expires_on": "as_of_date"}},
    "gold.health_validation": {
        "no_more_churned_than_observed": {"churned": "observations + 1"},
        "value_within_its_bounds": {"value_high": "value / 2"},
        "value_or_reason": {"status": "'no_churn'", "value_low": NOTHING, "value_high": NOTHING},
        "interval_or_reason": {"value_low": NOTHING, "value_high": NOTHING},
        "bounds_on_the_scale": {"value_high": "1.5"},
        "shares_not_below_zero": {"value_low": "-0.5"},
    },
    "gold.monthly_usage": {
        "no_more_customers_than_users": {"active_customers": "active_users + 1"},
        "no_more_users_than_days": {"active_user_days": "active_users - 1"},
    },
    "gold.mrr_movements": {
        "movements_lead_from_opening_to_closing": {"fx_mrr": "fx_mrr + 0.01"},
        "customers_lead_from_opening_to_closing": {"customers_new": "customers_new + 1"},
        "nothing_is_transferred_in_total": {"transfer_mrr": "0.01", "opening_mrr": "opening_mrr - 0.01"},
        "committed_is_part_of_closing": {"committed_mrr": "closing_mrr + 0.01"},
        "passing_is_part_of_churned": {"passing_mrr": "churned_mrr + 0.01"},
        "kept_is_part_of_both": {"kept_mrr": "retained_mrr + 0.01"},
        "logo_churn_within_its_bounds": {"logo_churn_rate_high": "logo_churn_rate / 2"},
        "incomplete_months_have_no_rates": {"is_complete": "false"},
    },
    "gold.payment_summary": {
        "no_more_customers_than_attempts": {"customers": "attempts + 1"},
        "failure_brings_nothing": {"net_cash": "0.01"},
    },
    "gold.receivables": {
        "what_is_owed_is_owed_by_somebody": {"customers": "invoices + 1"},
        "nothing_open_owes_nothing": {"invoices": "0", "customers": "0"},
    },
    "gold.retention_cohorts": {
        "no_more_active_than_customers": {"active_customers": "customers + 1"},
        "complete_cells_and_only_they_are_known": {"is_complete": "false"},
        "retention_within_its_bounds": {"logo_retention_high": "logo_retention / 2", "logo_retention_low": "0"},
        "rank_is_among_the_cohorts": {"rank_at_age": "cohorts_at_age + 1"},
    },
    "gold.revenue_bridge": {
        "terms_to_invoices_adds_up": {"invoiced_fx": "invoiced_fx + 0.01"},
        "invoices_to_payments_adds_up": {"cash_fx": "cash_fx + 0.01"},
        "terms_to_revenue_adds_up": {"revenue_fx": "revenue_fx + 0.01"},
        "revenue_to_mrr_adds_up": {"mrr_rounding": "mrr_rounding + 0.01"},
    },
    "gold.revenue_cohorts": {
        "complete_cells_and_only_they_are_known": {"is_complete": "false"},
        "a_cohort_starts_with_what_it_starts_with": {"mrr": "mrr + 0.01"},
        "no_rate_has_changed_yet": {"retained_mrr": "retained_mrr + 0.01"},
        "kept_is_part_of_both": {"kept_mrr": "starting_mrr + 0.01"},
        "revenue_is_part_of_what_came_so_far": {"revenue": "cumulative_revenue + 0.01"},
        "rank_is_among_the_cohorts": {"rank_at_age": "cohorts_at_age + 1"},
    },
    "gold.revenue_concentration": {
        "more_customers_have_no_smaller_share": {"top_1_percent_share": "top_1_customer_share / 2"},
        "index_between_its_ends": {"hhi": "0"},
        "ten_customers_have_all_of_themselves": {"top_10_customers_share": "top_1_customer_share"},
    },
    "gold.revenue_reconciliation": {
        "difference_is_to_less_from": {"difference": "difference + 0.01"},
        "what_agrees_does_not_differ": {"to_amount": "from_amount + 0.01", "difference": "0.01"},
        "rounding_is_a_matter_of_cents": {
            "reason": "'rounding'",
            "to_amount": "from_amount + 0.50",
            "difference": "0.50",
        },
    },
    "gold.sla_adherence": {
        "responses_are_kept_or_missed": {"responses_within_target": "responses_within_target + 1"},
        "resolutions_are_kept_or_missed": {"resolutions_within_target": "resolutions_within_target + 1"},
        "tickets_are_kept_or_missed": {"tickets_within_targets": "tickets_within_targets + 1"},
        "a_ticket_is_measured_or_pending_or_has_no_target": {"pending_tickets": "tickets - measured_tickets + 1"},
        "a_breach_misses_one_target_or_both": {
            "breaches": "response_breaches + resolution_breaches + 1",
            "tickets_within_targets": "measured_tickets - response_breaches - resolution_breaches - 1",
        },
        "rate_within_its_bounds": {"sla_adherence_rate_high": "sla_adherence_rate / 2"},
    },
    "gold.survival_curves": {
        "no_more_churned_than_at_risk": {"churned": "at_risk + 1"},
        "bounds_around_survival": {"survival_high": "survival / 2"},
    },
    "gold.top_features": {
        "month_where_it_is_one": {"month": NOTHING},
        "no_more_customers_than_users": {"customers": "users + 1"},
    },
    "gold.term_mix": {
        "share_within_its_interval": {"share_of_orders_high": "share_of_orders - 0.001"},
        "no_more_than_of_all_terms": {"orders_of_all_terms": "orders - 1"},
    },
    "gold.unit_economics": {
        "churned_has_no_mrr": {"mrr": "0"},
        "ltv_within_its_bounds": {"ltv_high": "ltv - 0.01"},
        "ltv_at_least_realised": {"realised_ltv": "ltv + 0.01"},
        "nothing_ahead_once_churned": {"realised_ltv": "ltv - 0.01"},
        "ltv_null_only_without_data": {"ltv_status": "'no_data'"},
        "payback_reached_or_not": {"observed_payback_months": NOTHING},
        "scores_have_a_status": {"usage_score": NOTHING},
    },
    "gold.unit_economics_by_segment": {
        "active_and_churned_are_all": {"active_customers": "active_customers + 1"},
        "rate_within_its_bounds": {"churn_rate_high": "churn_rate / 2"},
        "ltv_within_its_bounds": {"ltv_high": "ltv - 0.01"},
        "ltv_interval_or_reason": {"ltv_status": "'no_churn'"},
    },
}

# What a row cannot help breaking beside a rule.
INSEPARABLE = {
    ("silver.customer_months", "no_month_before_the_cohort"): {"age_months_minimum"},
    ("gold.customer_usage", "last_is_not_before_first"): {"used_days_minimum"},
}

# Sound rows of tables that a company without dirt leaves empty.
SOUND_ROWS = {
    "silver.quarantine": """
        SELECT 'bronze.users' AS table_name, 'user_id_missing' AS rule, '{"customer_id":"C1"}' AS row_json,
            'user_id_missing: requires user_id IS NOT NULL' AS reason, false AS is_corrected,
            'generator' AS _source, 'batch' AS _batch_id, 1 AS _row
    """,
    "silver.repeated_events": "SELECT 1 AS event_hash, 2 AS times",
    "gold.health_overrides": """
        SELECT 'C1' AS customer_id, DATE '2026-03-01' AS month, DATE '2026-03-31' AS as_of_date, 50.0 AS health_score,
            'watch' AS health_band, 20.0 AS override_score, 'critical' AS override_band, 'CSM' AS owner,
            'champion left' AS reason, DATE '2026-03-05' AS starts_on, DATE '2026-04-05' AS expires_on
    """,
}
