-- What the queries have in common beside the tables. Each has the meaning of the function of that name in
-- lakehouse/metrics (bands.py, stages.py).
CREATE MACRO setting(path) AS json_extract(getvariable('settings')::JSON, '$.' || path);
CREATE MACRO band(value, edges) AS CASE
    WHEN value < edges[1] THEN 'under ' || edges[1]
    WHEN value >= edges[-1] THEN edges[-1] || ' and more'
    ELSE list_filter(edges, lambda edge: edge <= value)[-1] || ' to ' || list_filter(edges, lambda edge: edge > value)[1]
END;
CREATE MACRO is_open(stage) AS stage NOT IN ('closed_won', 'closed_lost');
CREATE MACRO quarter_end(day) AS (date_trunc('quarter', day) + INTERVAL 3 MONTH - INTERVAL 1 DAY)::DATE;
-- Whole units of a total by weight, the odd ones to the largest remainders: lakehouse/metrics/allocation.py.
CREATE MACRO shared_by_weight(units, weight, weights, members, place) AS
    (units::HUGEINT * weight // weights + (
        row_number() OVER (PARTITION BY members ORDER BY units::HUGEINT * weight % weights DESC, place)
        <= units - sum(units::HUGEINT * weight // weights) OVER (PARTITION BY members)
    )::INT);
CREATE MACRO is_near_holiday(day) AS list_has_any(
    json_keys(setting('calendar.holidays')), [strftime(day + offset_days, '%m-%d') for offset_days in [-1, 0, 1]]
);
CREATE MACRO stage_rank(stage) AS CASE
    WHEN is_open(stage) THEN list_position(['prospecting', 'discovery', 'proposal', 'negotiation'], stage)
    WHEN NOT is_open(stage) THEN 5
END;
