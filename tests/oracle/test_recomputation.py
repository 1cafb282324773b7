"""Every headline number once more: in DuckDB SQL, from the bronze records and the metric definitions alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest

from tests.oracle.recomputation import SUBJECTS, both, differences, recompute

AS_OF = date(2024, 12, 31)


@pytest.fixture(scope="session")
def oracle(small_lake) -> duckdb.DuckDBPyConnection:
    return recompute(small_lake)


def falsified(value: object) -> object:
    """Return the value with the least error that must be found: a cent, a unit, a day, a letter, a millionth."""
    match value:
        case None:
            return 0
        case Decimal():
            return value + Decimal("0.01")
        case float():
            return value + 1e-6 * max(1.0, abs(value))
        case date():
            return value + timedelta(days=1)
        case str():
            return value + "?"
    return value + 1


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.recomputed)
def test_what_is_published_is_what_the_definitions_give(oracle, subject):
    recomputed, published = both(oracle, subject)
    assert differences(recomputed, published, subject.key) == []


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.recomputed)
def test_the_least_error_in_any_column_is_found(oracle, subject):
    recomputed, published = both(oracle, subject)
    first, *others = published
    for column in first.keys() - set(subject.key):
        wrong = {**first, column: falsified(first[column])}
        assert len(differences(recomputed, [wrong, *others], subject.key)) == 1, column


def test_a_row_on_one_side_only_is_found(oracle):
    recomputed, published = both(oracle, SUBJECTS[0])
    (lost,) = differences(recomputed, published[1:], SUBJECTS[0].key)
    (invented,) = differences(recomputed[1:], published, SUBJECTS[0].key)
    assert lost.endswith("not published")
    assert invented.endswith("not recomputed")


def test_nothing_is_never_the_same_as_nothing(oracle):
    recomputed, published = both(oracle, SUBJECTS[0])
    for one, other in ((recomputed, []), ([], published), ([], [])):
        with pytest.raises(AssertionError, match="nothing to compare"):
            differences(one, other, SUBJECTS[0].key)


def test_the_small_company_has_lived_through_what_is_compared(oracle, small_lake):
    assert small_lake.current().as_of == AS_OF
    movements = {movement for (movement,) in oracle.sql("SELECT DISTINCT movement FROM ledger").fetchall()}
    assert movements >= {"new", "expansion", "contraction", "churn", "none"}
    outcomes = {outcome for (outcome,) in oracle.sql("SELECT DISTINCT status FROM payments").fetchall()}
    assert outcomes >= {"succeeded", "failed"}
    assert oracle.sql("FROM ledger WHERE fx <> 0").fetchall()
