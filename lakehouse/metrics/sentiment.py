"""The sentiment of a message, from -1 (negative) to 1 (positive).

Scored by VADER: Hutto, C.J. & Gilbert, E.E. (2014), VADER: a parsimonious rule-based model for sentiment analysis of
social media text. Its compound score; below -0.05 counts as negative, above 0.05 as positive.
"""

from __future__ import annotations

from functools import cache

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

SOURCES = ("given", "scored", "none")


def with_sentiment(tickets: DataFrame) -> DataFrame:
    """Add sentiment, as given by sentiment_score, else scored from message, and sentiment_source to tickets.

    A given score out of range counts as none, and so does a blank message. Only messages that are needed are scored.
    """
    given = F.when(F.col("sentiment_score").between(-1, 1), F.col("sentiment_score"))
    # A Python function is called for every row, whatever condition stands around it: for most with null.
    needed = F.when(given.isNull() & (F.trim("message") != ""), F.col("message"))
    scored = tickets.withColumns({"_given": given, "_scored": _score(needed)})
    source = F.when(F.col("_given").isNotNull(), "given").when(F.col("_scored").isNotNull(), "scored").otherwise("none")
    return scored.withColumns({"sentiment": F.coalesce("_given", "_scored"), "sentiment_source": source})


def _compound(message: str | None) -> float | None:
    return None if message is None else float(_analyzer().polarity_scores(message)["compound"])


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    """Return the analyzer of this process; reading its lexicon takes longer than scoring many messages."""
    return SentimentIntensityAnalyzer()


_score = F.udf(_compound, T.DoubleType(), useArrow=False)
