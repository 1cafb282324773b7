"""Every rule of a row, with rows that keep it and one that breaks it: published rows, and what is spoilt in them."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from lakehouse.audit import holds, row_rules
from lakehouse.cleaning import rejected
from lakehouse.generator.build import views
from lakehouse.registry import jobs
from tests.quality.broken_rows import BROKEN, INSEPARABLE, REJECTED, SOUND_ROWS

TABLES = {name: job.table for name, job in jobs().items()}
RECEIVED = sorted(name for name, table in TABLES.items() if table.layer == "bronze")
COMPUTED = sorted(TABLES.keys() - set(RECEIVED))
SAMPLE = 300
SOUND = "nothing"


@pytest.fixture(scope="module")
def published(small_lake):
    connection = views(small_lake, jobs())
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def spoilt(published, table, changes, of_columns) -> pa.Table:
    """Return a sample of the published rows as they are, and under each change, whose name is in ``_spoilt``.

    The changes ``of_columns``, which break their rule in whatever row, are made to one row only.
    """
    types = {column.name: column.type.replace("timestamp", "timestamptz") for column in table.columns}
    key = ", ".join(table.key)
    source = f"({SOUND_ROWS[table.name]})" if table.name in SOUND_ROWS else table.name.replace(".", "_")
    rows = f"FROM {source} ORDER BY hash(({key})), ({key}) LIMIT {SAMPLE}"
    published.execute(f"CREATE OR REPLACE TEMP TABLE sample AS {rows}")
    parts = [f"SELECT *, '{SOUND}' AS _spoilt FROM sample"]  # noqa: S608 - names of the project
    for name, change in (changes | of_columns).items():
        spoiling = ", ".join(f"({sql})::{types[column]} AS {column}" for column, sql in change.items())
        spoilt_rows = "(FROM sample LIMIT 1)" if name in of_columns else "sample"
        parts.append(f"SELECT * REPLACE ({spoiling}), '{name}' AS _spoilt FROM {spoilt_rows}")  # noqa: S608
    schema = pa.schema([*(field.with_nullable(True) for field in table.arrow_schema), ("_spoilt", pa.string())])
    found = published.sql(" UNION ALL ".join(parts)).to_arrow_table()
    assert found.num_rows >= len(parts), f"{table.name} has no rows"
    return found.select(schema.names).cast(schema)


def changes_of_columns(table) -> dict[str, dict[str, str]]:
    """Return what breaks each rule that the declaration of a column makes: nothing, a strange word, beyond a bound."""
    changes = {}
    for column in table.columns:
        wrong = {
            "not_null": None if column.nullable else "NULL",
            "accepted": "'?'" if column.values else None,
            "minimum": None if column.minimum is None else f"{column.minimum} - 1",
            "maximum": None if column.maximum is None else f"{column.maximum} + 1",
        }
        changes |= {f"{column.name}_{kind}": {column.name: value} for kind, value in wrong.items() if value}
    return changes


@pytest.mark.parametrize("name", COMPUTED)
def test_every_rule_of_a_computed_row_passes_sound_rows_and_catches_a_broken_one(spark, published, name):
    table, rules = TABLES[name], row_rules(TABLES[name])
    of_columns, of_rows = changes_of_columns(table), BROKEN.get(name, {})
    assert of_rows.keys() == {check.name for check in table.checks}
    assert of_columns.keys() | of_rows.keys() == {rule.name for rule in rules}

    broken = F.array_compact(F.array(*(F.when(~holds(rule.expression), rule.name) for rule in rules)))
    frame = spark.createDataFrame(spoilt(published, table, of_rows, of_columns))
    caught = defaultdict(list)
    for row in frame.select("_spoilt", broken.alias("broken")).toArrow().to_pylist():
        caught[row["_spoilt"]].append(set(row["broken"]))

    assert not any(caught[SOUND]), [broken_rules for broken_rules in caught[SOUND] if broken_rules][:3]
    assert all(rule in broken_rules for rule in of_columns for broken_rules in caught[rule])
    alone = {rule: {rule} | INSEPARABLE.get((name, rule), set()) for rule in of_rows}
    missed = {rule: caught[rule][:5] for rule, expected in alone.items() if expected not in caught[rule]}
    assert missed == {}


@pytest.mark.parametrize("name", RECEIVED)
def test_every_rule_of_a_received_row_lets_sound_rows_pass_and_rejects_a_broken_one(spark, published, name):
    table, changes = TABLES[name], REJECTED[name]
    assert changes.keys() == {rule.name for rule in table.rejects}
    frame = spark.createDataFrame(spoilt(published, table, changes, {})).withColumn("_source", F.col("_spoilt"))
    reasons = defaultdict(set)
    for row in rejected(frame, table).select("_source", "rule", "reason").toArrow().to_pylist():
        reasons[row["_source"]].add((row["rule"], row["reason"].count("; ")))
    assert SOUND not in reasons
    assert {rule: (rule, 0) in found for rule, found in reasons.items()} == dict.fromkeys(changes, True)
