"""Surveys: how likely users are to recommend the product."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator import arrays
from lakehouse.generator.draws import log_normal, normal_quantile
from lakehouse.generator.messages import comments
from lakehouse.generator.product_parameters import Product
from lakehouse.generator.roster import Roster, user_ids
from lakehouse.generator.streams import Floats, Ints, stream, uniform, words

_PASSIVE_FROM, _PROMOTER_FROM = 7, 9
_SENT_SECOND = 8 * 3600


def month_surveys(parameters: Product, seed: int, roster: Roster, *, schema: pa.Schema) -> pa.Table:
    """Return the answers that users gave in the month, as rows of ``schema``.

    An account's users are asked together, and the answers that would come after access or the month never come.
    """
    surveys, month = parameters.surveys, roster.month
    index = arrays.month_index(month.month)
    is_asked_account = (month.customer + index) % surveys.every_months == 0
    place = np.arange(len(roster.number)) - roster.start[roster.position]
    is_settled = (place >= roster.leaving[roster.position]) & (roster.joined_day == 0)
    is_there_before = roster.started_on < arrays.day_number(month.month)
    user = np.flatnonzero(is_settled & (is_asked_account & is_there_before)[roster.position])
    position, number = roster.position[user], roster.number[user]
    customer, satisfaction = month.customer[position], month.satisfaction[position]

    def draw(name: str) -> Floats:
        return uniform(stream(seed, f"survey_{name}"), customer, number, index)

    asked_share = np.minimum(surveys.asked_share, surveys.asked_at_most / roster.count)
    willingness = normal_quantile(np.array([surveys.answered_share])) + surveys.answering_effect * satisfaction
    is_answered = (draw("asked") < asked_share[position]) & (normal_quantile(draw("answered")) < willingness)
    span = month.last_day - month.first_day + 1
    sent_day = month.first_day + (span * uniform(stream(seed, "survey_day"), month.customer, index)).astype(np.int64)
    delay = log_normal(draw("delay"), surveys.answer_delay.median_seconds, surveys.answer_delay.sigma)
    second = (sent_day[position] - 1) * arrays.SECONDS_PER_DAY + _SENT_SECOND + delay.astype(np.int64)
    in_time = second < month.last_day[position] * arrays.SECONDS_PER_DAY
    score = _score(surveys.score_shares, surveys.satisfaction_correlation, satisfaction, draw("score"))
    mood = (score >= _PASSIVE_FROM).astype(np.int64) + (score >= _PROMOTER_FROM)
    word = words(stream(seed, "survey_comment"), customer, number, index)
    has_comment = draw("commented") < surveys.comment_share
    yyyymm = np.full(len(customer), month.month.year * 100 + month.month.month)
    responded_at = arrays.day_number(month.month) * arrays.SECONDS_PER_DAY + second
    answers = arrays.table(
        schema,
        {
            "response_id": arrays.numbered_ids("N", (customer, 7), "-", (number, 5), "-", (yyyymm, 6)),
            "customer_id": arrays.customer_ids(customer),
            "user_id": user_ids(customer, number),
            "responded_at": arrays.instants(responded_at * arrays.MICROSECONDS_PER_SECOND),
            "score": score,
            "comment": pc.if_else(pa.array(has_comment), comments(mood, word), None),
        },
    )
    return answers.filter(pa.array(is_answered & in_time))


def _score(shares: list[float], correlation: float, satisfaction: Floats, draw: Floats) -> Ints:
    content = correlation * satisfaction + np.sqrt(1 - correlation**2) * normal_quantile(draw)
    return np.asarray(np.searchsorted(normal_quantile(np.cumsum(shares)[:-1]), content, side="right"))
