-- One row per ticket, in the segment that its customer had at the close of the month of opening.
WITH described AS (
    SELECT
        tickets.*, coalesce(tickets.priority, 'unknown') AS known_priority,
        coalesce(months.segment, customers.segment, 'unknown') AS segment,
        first_responded_at IS NOT NULL OR is_resolved AS is_answered
    FROM silver.tickets AS tickets
    LEFT JOIN silver.customer_months AS months
        ON months.customer_id = tickets.customer_id AND months.month = tickets.opened_month
    LEFT JOIN silver.customers AS customers ON customers.customer_id = tickets.customer_id
)
SELECT
    ticket_id AS record_id, customer_id, opened_month AS month, known_priority AS priority, segment,
    1 AS tickets, is_resolved::INT AS resolved_tickets,
    coalesce(NOT is_resolved AND NOT is_breached, false)::INT AS pending_tickets,
    coalesce(is_first_response_breached OR (is_answered AND is_first_response_breached IS NOT NULL), false)::INT
        AS measured_responses,
    coalesce(is_answered AND NOT is_first_response_breached, false)::INT AS responses_within_target,
    coalesce(is_first_response_breached, false)::INT AS response_breaches,
    coalesce(is_resolution_breached OR (is_resolved AND is_resolution_breached IS NOT NULL), false)::INT
        AS measured_resolutions,
    coalesce(is_resolved AND NOT is_resolution_breached, false)::INT AS resolutions_within_target,
    coalesce(is_resolution_breached, false)::INT AS resolution_breaches,
    coalesce(is_breached OR (is_resolved AND is_breached IS NOT NULL), false)::INT AS measured_tickets,
    coalesce(is_resolved AND NOT is_breached, false)::INT AS tickets_within_targets,
    coalesce(is_breached, false)::INT AS breaches
FROM described
