"""Each kind of rule, with a row that keeps it and one that breaks it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyspark.sql import Observation

from lakehouse import delta, spark_writer
from lakehouse.audit import audit, measures, row_rules
from lakehouse.lake import Lake
from lakehouse.rules import Check
from tests.lakehouse.tables import ACCOUNTS, CONFIG, accounts


def failures(spark, *rows):
    results = audit(spark.createDataFrame(accounts(*rows)), ACCOUNTS)
    assert {result.checked for result in results} == {len(rows)}
    assert {result.rule for result in results} == {*(rule.name for rule in row_rules(ACCOUNTS)), "key_unique"}
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
    spark_writer.replace(watched, lake, ACCOUNTS, CONFIG, {})
    known = {**observation.get, "keys": delta.distinct_keys(lake, ACCOUNTS, 0)}
    found = {result.rule: result.failed for result in audit(broken, ACCOUNTS, known) if result.failed}
    assert found == {"tier_accepted": 1, "balances": 1, "key_unique": 1}


def test_a_rule_that_crashes_is_an_error_and_the_others_still_have_results(spark):
    crashing = (
        Check("divides", "opening / (closing - closing) > 0"),
        Check("names_no_column", "nothing > 0", severity="warn", action="mark"),
    )
    table = replace(ACCOUNTS, checks=(*crashing, *ACCOUNTS.checks))
    frame = spark.createDataFrame(accounts(("a", "small", "1.00", "2.00", 0.5), ("b", "huge", "1.00", "0.50", 0.5)))
    results = {result.rule: result for result in audit(frame, table)}
    assert {name: result.status for name, result in results.items() if result.status != "pass"} == {
        "divides": "error",
        "names_no_column": "error",
        "tier_accepted": "fail",
        "balances": "fail",
    }
    assert "DIVIDE_BY_ZERO" in results["divides"].message
    assert results["divides"].stops, "a crash is never a pass"
    assert not results["names_no_column"].stops, "a warning that crashes stays a warning"


def test_failures_up_to_the_threshold_pass_and_a_warning_never_stops(spark):
    frame = spark.createDataFrame(accounts(("a", "small", "1.00", "0.50", 0.5), ("b", "small", "1.00", "0.50", 0.5)))
    checks = (
        Check("strict", "closing >= opening"),
        Check("lenient", "closing >= opening", threshold=2),
        Check("warning", "closing >= opening", severity="warn", action="mark"),
        Check("error_that_marks", "closing >= opening", action="mark"),
    )
    results = {result.rule: result for result in audit(frame, replace(ACCOUNTS, checks=checks))}
    found = {check.name: (results[check.name].status, results[check.name].stops) for check in checks}
    assert found == {
        "strict": ("fail", True),
        "lenient": ("pass", False),
        "warning": ("fail", False),
        "error_that_marks": ("fail", False),
    }
    assert {results[check.name].failed for check in checks} == {2}


def test_a_warning_that_would_stop_is_refused():
    with pytest.raises(ValueError, match="only an error may stop a run"):
        Check("c", "true", severity="warn")


def test_the_version_of_a_rule_is_that_of_its_declaration(spark):
    frame = spark.createDataFrame(accounts())
    versions = {
        audit(frame, replace(ACCOUNTS, checks=(check,)))[-2].rule_version
        for check in (Check("c", "true"), Check("c", "true", threshold=1), Check("c", "false"))
    }
    assert len(versions) == 3
