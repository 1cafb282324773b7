"""silver.nps_responses: the groups and their bounds."""

from __future__ import annotations

from datetime import datetime

from jobs.bronze.nps_responses import table as received
from jobs.silver.nps_responses import transform

ANSWERED = datetime(2026, 3, 9, 12, 0)


def test_nine_is_a_promoter_seven_a_passive_and_six_a_detractor(rows):
    answers = rows(
        received,
        {"response_id": "a", "customer_id": "c1", "responded_at": ANSWERED, "score": 9},
        {"response_id": "b", "customer_id": "c1", "responded_at": ANSWERED, "score": 8},
        {"response_id": "c", "customer_id": "c1", "responded_at": ANSWERED, "score": 7},
        {"response_id": "d", "customer_id": "c1", "responded_at": ANSWERED, "score": 6},
    )
    groups = {row.response_id: row.nps_group for row in transform(responses=answers).collect()}
    assert groups == {"a": "promoter", "b": "passive", "c": "passive", "d": "detractor"}


def test_an_answer_out_of_range_is_not_kept(rows):
    answers = rows(received, {"response_id": "a", "customer_id": "c1", "responded_at": ANSWERED, "score": 11})
    assert transform(responses=answers).collect() == []
