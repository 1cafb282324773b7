"""Each kind of rule, with a row that keeps it and one that breaks it."""

from __future__ import annotations

from pyspark.sql import Observation

from lakehouse import delta
from lakehouse.audit import audit, measures, rules
from lakehouse.lake import Lake
from tests.lakehouse.tables import ACCOUNTS, CONFIG, accounts


def failures(spark, *rows):
    results = audit(spark.createDataFrame(accounts(*rows)), ACCOUNTS)
    assert {result.checked for result in results} == {len(rows)}
    assert {result.rule for result in results} == {*rules(ACCOUNTS), "key_unique"}
    return {result.rule: result.failed for result in results if result.status == "fail"}


def test_sound_rows_pass_every_rule(spark):
    assert failures(spark, ("a", "small", "1.00", "2.00", 0.5), ("b", None, "0.00", "0.00", None)) == {}


def test_each_broken_rule_counts_its_rows(spark):
    broken = failures(
        spark,
        (None, "small", "1.00", "2.00", 0.5),
        ("a", "huge", "1.00", "2.00", 0.5),
        ("b", "large", "-1.00", "2.00", 1.5),
        ("c", "large", "3.00", "2.00", -0.5),
        ("c", "large", "3.00", "4.00", 0.5),
    )
    assert broken == {
        "account_id_not_null": 1,
        "tier_accepted": 1,
        "opening_minimum": 1,
        "share_maximum": 1,
        "share_minimum": 1,
        "balances": 1,
        "key_unique": 1,
    }


def test_an_empty_table_is_sound(spark):
    results = audit(spark.createDataFrame(accounts()), ACCOUNTS)
    assert {(result.status, result.checked) for result in results} == {("pass", 0)}


def test_rules_observed_while_a_table_is_written_find_the_same(spark, tmp_path):
    broken = spark.createDataFrame(accounts(("a", "huge", "1.00", "2.00", 0.5), ("a", "large", "3.00", "2.00", 0.5)))
    lake, observation = Lake(tmp_path), Observation()
    watched = broken.observe(observation, *(value.alias(name) for name, value in measures(ACCOUNTS).items()))
    delta.replace(watched, lake, ACCOUNTS, CONFIG, {})
    known = {**observation.get, "keys": delta.distinct_keys(lake, ACCOUNTS, 0)}
    found = {result.rule: result.failed for result in audit(broken, ACCOUNTS, known) if result.failed}
    assert found == {"tier_accepted": 1, "balances": 1, "key_unique": 1}
