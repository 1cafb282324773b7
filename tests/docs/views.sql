-- What several of the queries in measures.sql start from.
CREATE MACRO last_month() AS (SELECT max(month) FROM dim_date WHERE is_complete);
CREATE VIEW total AS FROM unit_economics_by_segment WHERE dimension = 'all';
CREATE VIEW last_ledger AS FROM fct_revenue WHERE month = last_month();
CREATE VIEW year_ledger AS FROM fct_revenue WHERE month > last_month() - INTERVAL 12 MONTH AND month <= last_month();
CREATE VIEW with_own_margin AS
SELECT unit_economics.* FROM unit_economics JOIN dim_customer USING (customer_id)
WHERE lifecycle_stage = 'active' AND gross_margin_source = 'customer';
CREATE VIEW recent_tickets AS
SELECT fct_tickets.* FROM fct_tickets SEMI JOIN customer_signals USING (customer_id)
WHERE opened_date > (SELECT max(date_key) FROM dim_date WHERE is_complete) - 90;
