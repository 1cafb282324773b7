"""Sentiment: what is given stands, what is missing is scored from the message."""

from __future__ import annotations

from jobs.bronze.support_interactions import table
from lakehouse.metrics.sentiment import with_sentiment


def test_a_given_score_stands_and_a_missing_one_is_scored_from_the_message(rows):
    tickets = rows(
        table,
        {"ticket_id": "given", "sentiment_score": -0.9, "message": "I love it, great work!"},
        {"ticket_id": "glad", "message": "I love it, great work!"},
        {"ticket_id": "angry", "message": "This is terrible, I am really angry."},
        {"ticket_id": "out of range", "sentiment_score": 7.0, "message": "This is terrible, I am really angry."},
        {"ticket_id": "blank", "message": "  "},
        {"ticket_id": "silent"},
    )
    found = {row.ticket_id: (row.sentiment, row.sentiment_source) for row in with_sentiment(tickets).collect()}
    assert found["given"] == (-0.9, "given")
    assert found["glad"][0] > 0.05
    assert found["angry"][0] < -0.05
    assert found["glad"][1] == found["angry"][1] == "scored"
    assert found["out of range"] == found["angry"]
    assert found["blank"] == found["silent"] == (None, "none")
