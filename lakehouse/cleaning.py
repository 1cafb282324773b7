"""From received rows to clean ones: each received row is kept, superseded by a newer version, or rejected with reasons.

The rules stand beside the bronze declaration (``rejects``), so the job that keeps rows and the quarantine that lists
the others cannot disagree.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window, WindowSpec

from lakehouse.rules import CORRECTION_OF
from lakehouse.table import READABLE, Check, Table


def sound(frame: DataFrame, table: Table) -> DataFrame:
    """Return the rows of ``frame`` that break none of the table's rules."""
    return frame.filter(_is_sound(table))


def kept(frame: DataFrame, table: Table) -> DataFrame:
    """Return the newest sound version of each thing: one row per key without ``version_by``.

    Versions of the same moment are told apart by their content, never by the order or the batch of arrival.
    """
    order = [F.col(table.version_by).desc_nulls_last()] if table.version_by else []
    newest_first = _per_thing(table).orderBy(*order, _content(table).desc_nulls_last())
    ranked = sound(frame, table).withColumn("_rank", F.row_number().over(newest_first))
    return ranked.filter(F.col("_rank") == 1).drop("_rank")


def kept_as_of(frame: DataFrame, table: Table, until: Column) -> DataFrame:
    """Return for each thing its newest sound version before the moment ``until``, else the first one after it.

    ``_is_later`` says that the version is a later one: what it says may not have held yet.
    """
    is_later = F.col(str(table.version_by)) >= until
    moment = F.unix_micros(str(table.version_by))
    nearest = F.when(is_later, moment).otherwise(-moment)
    order = _per_thing(table).orderBy("_is_later", nearest, _content(table).desc_nulls_last())
    ranked = sound(frame, table).withColumn("_is_later", is_later).withColumn("_rank", F.row_number().over(order))
    return ranked.filter(F.col("_rank") == 1).drop("_rank")


def kept_by_day(frame: DataFrame, table: Table) -> DataFrame:
    """Return every sound version with the days at whose close it is the newest: from ``_valid_from`` to ``_valid_to``.

    ``_valid_to`` is exclusive; both are dates and null where open, so the first version also serves the days before it.
    A version superseded on its own day serves none.
    """
    oldest_first = _per_thing(table).orderBy(F.col(str(table.version_by)), _content(table))
    came_on = F.to_date(str(table.version_by))
    is_first = F.row_number().over(oldest_first) == 1
    return sound(frame, table).withColumns(
        {"_valid_from": F.when(~is_first, came_on), "_valid_to": F.lead(came_on).over(oldest_first)}
    )


def rejected(frame: DataFrame, table: Table) -> DataFrame:
    """Return the rejected rows: table_name, rule (the first broken one), reason (all of them), row as JSON.

    Released corrections come along, with a null rule if they are sound, for :func:`with_corrections` to see.
    """
    # Not coalesced, so that Parquet's own statistics can tell which files hold none: null is left out as well.
    is_listed = ~_is_sound(table) | F.startswith("_source", F.lit(CORRECTION_OF))
    listed = frame.filter(is_listed).withColumn("_reasons", _reasons(table))
    return listed.select(
        F.lit(table.name).alias("table_name"),
        F.split_part(F.get("_reasons", 0), F.lit(":"), F.lit(1)).alias("rule"),
        F.concat_ws("; ", "_reasons").alias("reason"),
        _as_received(table).alias("row_json"),
        "_source",
        "_batch_id",
        "_row",
    )


def with_corrections(rejections: DataFrame) -> DataFrame:
    """Return the rejected rows with ``is_corrected``: whether a correction was received in their place."""
    itself = _told_of(_reference(), is_correction=False)
    original = _told_of(F.substr("_source", F.lit(len(CORRECTION_OF) + 1)), is_correction=True)
    told = rejections.select("*", F.inline(F.array_compact(F.array(itself, F.when(_is_correction(), original)))))
    about_one_row = Window.partitionBy("table_name", "about")
    is_corrected = F.max("is_correction").over(about_one_row)
    return told.withColumn("is_corrected", is_corrected).filter("rule IS NOT NULL AND NOT is_correction")


def _as_received(table: Table) -> Column:
    """Return the row as JSON; a cell that could not be read stands there as its text."""
    read = F.to_json(F.struct(*(name for name in table.column_names if not name.startswith("_"))))
    both = F.concat(F.regexp_replace(read, r"\}$", ","), F.substr("_unread", F.lit(2)))
    return F.when(F.col("_unread").isNull(), read).when(read == "{}", F.col("_unread")).otherwise(both)


def _told_of(about: Column, *, is_correction: bool) -> Column:
    return F.struct(about.alias("about"), F.lit(is_correction).alias("is_correction"))


def _reference() -> Column:
    return F.concat_ws(" / ", "_source", "_batch_id", F.col("_row").cast("string"))


def _is_correction() -> Column:
    return F.coalesce(F.startswith("_source", F.lit(CORRECTION_OF)), F.lit(False))


def _is_sound(table: Table) -> Column:
    # One text to parse: a call from Python for each part of each rule would take longer.
    return F.expr(" AND ".join(map(_holds, table.rejections)) or "true")


def _reasons(table: Table) -> Column:
    broken = ", ".join(f"IF({_holds(rule)}, NULL, {_reason(rule)})" for rule in table.rejects)
    # What a row with an unreadable cell lacks besides is not known.
    return F.expr(f"IF({_holds(READABLE)}, array_compact(array({broken})), array({_reason(READABLE)}))")


def _holds(rule: Check) -> str:
    return f"coalesce({rule.expression}, false)"


def _reason(rule: Check) -> str:
    reason = f"{rule.name}: requires {rule.expression}"
    return "'" + reason.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _per_thing(table: Table) -> WindowSpec:
    return Window.partitionBy(*(name for name in table.key if name != table.version_by))


def _content(table: Table) -> Column:
    return F.struct(*(name for name in table.column_names if not name.startswith("_") and name not in table.key))
