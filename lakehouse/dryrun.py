"""The dry run: every job on empty frames of the declared schemas, so that a wrong column shows before any data do."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession

from lakehouse import spark_writer
from lakehouse.failures import as_paragraph
from lakehouse.registry import Job
from lakehouse.runner import computed
from lakehouse.settings import Settings


def dry_run(spark: SparkSession, jobs: Mapping[str, Job], settings: Settings) -> None:
    """Call every ``transform`` on empty frames and compare what it returns with its declaration.

    Raises:
        LakehouseError: for the first job that fails or returns other columns.
    """
    empty = {name: spark.createDataFrame(job.table.arrow_schema.empty_table()) for name, job in jobs.items()}
    for job in jobs.values():
        if job.transform is not None:
            frames = {parameter: empty[source] for parameter, source in job.table.inputs.items()}
            try:
                spark_writer.check_schema(computed(job, frames, settings), job.table)
            except Exception as error:
                raise as_paragraph(error, f"The job of {job.name} failed on empty frames") from error
