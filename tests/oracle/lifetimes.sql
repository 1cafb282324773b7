-- Kaplan–Meier survival, and what customers have been worth and may still be.

CREATE TABLE lives AS
SELECT
    customer_id, is_churned, segment, billing_cadence,
    date_diff('month', cohort_month, coalesce(churn_date, getvariable('as_of'))) AS age
FROM groups;

CREATE TABLE curve_members AS
SELECT 0 AS rank, 'segment_x_billing_cadence' AS dimension, segment || ' | ' || billing_cadence AS value, * FROM lives
UNION ALL SELECT 1, 'segment', segment, * FROM lives
UNION ALL SELECT 2, 'all', 'all', * FROM lives;

-- The share of those at risk who leave, by age; with fewer than 30 at risk that of the last twelve ages with as many,
-- and where no age has as many, that of all ages.
CREATE TABLE hazards AS
WITH counted AS (
    SELECT
        dimension, value, age.age,
        count(*) FILTER (WHERE lives.age >= age.age) AS at_risk,
        count(*) FILTER (WHERE is_churned AND lives.age = age.age) AS churned,
        at_risk < 30 AS is_extrapolated
    FROM curve_members AS lives
    CROSS JOIN (SELECT range AS age FROM range(0, (SELECT max(age) FROM lives) + 121)) AS age
    GROUP BY ALL
),
tails AS (
    SELECT dimension, value, sum(churned) / sum(at_risk) AS hazard
    FROM (
        SELECT * FROM counted WHERE NOT is_extrapolated
        QUALIFY row_number() OVER (PARTITION BY dimension, value ORDER BY age DESC) <= 12
    )
    GROUP BY ALL
)
SELECT
    counted.*,
    CASE
        WHEN NOT is_extrapolated THEN churned / at_risk
        ELSE coalesce(tails.hazard, sum(churned) OVER curve / sum(at_risk) OVER curve)
    END AS hazard
FROM counted LEFT JOIN tails USING (dimension, value)
WINDOW curve AS (PARTITION BY dimension, value);

CREATE TABLE survival AS
SELECT *, product(1 - hazard) OVER (PARTITION BY dimension, value ORDER BY age) AS survival
FROM hazards;

CREATE TABLE ahead AS
SELECT now.dimension, now.value, now.age,
    sum(later.survival / now.survival / 1.1 ** ((later.age - now.age) / 12)) AS remaining
FROM survival AS now
JOIN survival AS later
    ON later.dimension = now.dimension AND later.value = now.value AND later.age BETWEEN now.age + 1 AND now.age + 120
GROUP BY ALL;

CREATE VIEW oracle_survival AS
SELECT
    dimension, value AS dimension_value, age AS age_months, at_risk, churned,
    nine_digits(hazard) AS hazard, nine_digits(survival) AS survival, nine_digits(remaining) AS remaining_months
FROM survival JOIN ahead USING (dimension, value, age)
WHERE age <= (SELECT max(age) FROM lives);

CREATE TABLE lifetimes AS
WITH churned_of_curve AS (
    SELECT dimension, value, sum(churned) AS churned FROM hazards GROUP BY ALL
),
curve_of_customer AS (
    SELECT customer_id, is_churned, remaining
    FROM curve_members
    JOIN churned_of_curve USING (dimension, value)
    JOIN ahead USING (dimension, value, age)
    WHERE churned >= 50 OR dimension = 'all'
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY rank) = 1
),
collected AS (
    SELECT
        customer_id,
        half_up(sum(amount_net_of_tax * CASE status WHEN 'succeeded' THEN 1 ELSE -1 END), 10000) AS cents
    FROM payments
    WHERE status IN ('succeeded', 'refunded') AND day <= getvariable('as_of')
    GROUP BY ALL
),
arpa AS (
    SELECT customer_id, half_up(sum(closing), count(*)) AS cents
    FROM (
        SELECT * FROM ledger WHERE closing > 0
        QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY month DESC) <= 12
    )
    GROUP BY ALL
)
SELECT
    customer_id,
    arpa.cents AS arpa,
    half_up(coalesce(collected.cents, 0) * least(greatest(billionths, 0), 950000000), 1000000000) AS realised,
    realised + CASE
        WHEN is_churned THEN 0
        ELSE half_up(
            arpa.cents * least(greatest(billionths, 0), 950000000) * (nine_digits(remaining) * 1e9)::HUGEINT,
            1000000000000000000
        )
    END AS ltv
FROM curve_of_customer
JOIN margin_of_customer USING (customer_id)
LEFT JOIN arpa USING (customer_id)
LEFT JOIN collected USING (customer_id);

CREATE VIEW oracle_ltv AS
SELECT customer_id, money(arpa) AS arpa, money(realised) AS realised_ltv, money(ltv) AS ltv FROM lifetimes;
