"""A run: build what is due, audit it, publish it or leave the published state as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import date
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession

from lakehouse import delta, graph, spark_writer
from lakehouse.audit import Result, audit, measures
from lakehouse.config import Config
from lakehouse.coverage import as_of
from lakehouse.failures import as_paragraph
from lakehouse.lake import Lake
from lakehouse.lock import jvm_lock, writer_lock
from lakehouse.months import basis, due_months
from lakehouse.ops import record
from lakehouse.plan import job_fingerprint, make_plan
from lakehouse.publish import candidate, has_versions, is_withdrawn, publish, remaining
from lakehouse.quality import audit_across_tables, refuse_broken
from lakehouse.registry import Job
from lakehouse.restatements import restated
from lakehouse.retention import forget_old_runs
from lakehouse.run import Reporter, Run, Step
from lakehouse.session import get_session
from lakehouse.settings import Settings

# While one job plans or commits, the other keeps the cores of a laptop busy.
WORKERS = 2
# Up to so many rows, telling whether a key is unique needs no Spark job.
KEYS_IN_MEMORY = 5_000_000


def execute(
    lake: Lake,
    config: Config,
    jobs: dict[str, Job],
    reporter: Reporter,
    *,
    receive: Callable[[Run], None] | None = None,
    selectors: list[str] | None = None,
    full: bool = False,
    wait: bool = False,
) -> Run:
    """Run the jobs that the selectors name (all, if None) as far as they are due, or all of them if ``full``.

    ``receive`` brings new records before the jobs start.

    Raises:
        LakeBusyError: if another process writes to the lake and the run is not to ``wait`` for it.
        QualityError: if a check failed; nothing was published then.
        LakehouseError: if a job failed; nothing was published then.
    """
    chosen = None if selectors is None else graph.selected(jobs, selectors)
    with writer_lock(lake.root, wait=wait):
        run = Run(lake, config, jobs, reporter)
        with _recorded(run):
            if receive is not None:
                _receive(run, receive)
            run.as_of = as_of(lake)
            settings = Settings.of(run.as_of, config.metrics, config.sla)
            _build_and_audit(run, settings, chosen, full=full)
            _publish(run, settings)
        if run.status == "published":
            forget_old_runs(lake, config.lake)
    return run


@contextmanager
def _recorded(run: Run) -> Iterator[None]:
    """Record the run, however it ends; where that fails as well, on a full disk say, the run's own failure is told."""
    try:
        yield
    except BaseException as error:
        run.message = str(as_paragraph(error, "The run failed"))
        try:
            record(run)
        except Exception as unrecorded:  # noqa: BLE001 - whatever it is, the first failure is the one to tell
            error.add_note(f"Nor could the run be recorded: {unrecorded}")
        raise
    try:
        record(run)
    except Exception as error:
        raise as_paragraph(error, f"The run {run.run_id} ended as {run.status}, but could not be recorded") from error


def _receive(run: Run, receive: Callable[[Run], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        # A new lake needs a session for certain, and starting one takes about as long as generating a company.
        session = pool.submit(get_session) if run.lake.readable_current() is None else None
        receive(run)
        if session is not None:
            session.result()


def _build_and_audit(run: Run, settings: Settings, chosen: set[str] | None, *, full: bool) -> None:
    plan = make_plan(run.jobs, run.lake, settings, chosen=chosen, full=full)
    due = [name for name in plan.order if name in plan.due]
    for name in plan.order:
        if name not in plan.due and (chosen is None or name in chosen):
            head = run.lake.existing(name)
            rows = delta.stored_rows(run.lake, name, head)
            step = Step(name, "skipped", 0.0, rows, head.version, head.metadata.get("fingerprint"))
            run.steps.append(step)
            run.reporter.finished(step)
    unaudited = [name for name in _unpublished(run, plan.order) if name not in plan.due]
    if due or unaudited:
        with _session(run) as spark:
            for name in unaudited:
                run.results += _audited(run, spark, name)
            _build_all(run, settings, spark, due, full=full)
        run.results += audit_across_tables(run, settings)


@contextmanager
def _session(run: Run) -> Iterator[SparkSession]:
    spark = get_session()
    with jvm_lock(spark, run.lake.root):
        yield spark


def _unpublished(run: Run, order: list[str]) -> list[str]:
    current = run.lake.readable_current()
    published = current.versions if current else {}
    heads = {name: run.lake.head(name) for name in order}
    return [name for name, head in heads.items() if head is not None and published.get(name) != head.version]


def _build_all(run: Run, settings: Settings, spark: SparkSession, due: list[str], *, full: bool) -> None:
    sorter = TopologicalSorter({name: set(run.jobs[name].table.inputs.values()) & set(due) for name in due})
    sorter.prepare()
    running: dict[Future[Step], str] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: list[str] = []
        while sorter.is_active() and not (failure and not running):
            waiting += sorted(sorter.get_ready(), key=due.index)
            while waiting and len(running) < WORKERS and failure is None:
                name = waiting.pop(0)
                run.reporter.started(name)
                running[pool.submit(_build, run, settings, spark, name, full=full)] = name
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                failure = failure or future.exception()
                step = Step(name, "failed") if future.exception() else future.result()
                run.steps.append(step)
                run.reporter.finished(step)
                sorter.done(name)
    if failure is not None:
        raise failure


def _build(run: Run, settings: Settings, spark: SparkSession, name: str, *, full: bool) -> Step:
    started = time.monotonic()
    job = run.jobs[name]
    fingerprint = job_fingerprint(job, run.lake, settings)
    now = basis(job, run.jobs, run.lake, settings, run.config.lake)
    months = None if full else due_months(job, run.jobs, run.lake, now)
    try:
        output = computed(job, inputs(run.lake, run.jobs, spark, job, months), settings)
        metadata = {"run_id": run.run_id, "fingerprint": fingerprint, "basis": now}
        observed = _written(run, job, output, metadata, months)
        run.results += _audited(run, spark, name, observed, months)
    except Exception as error:
        raise as_paragraph(error, f"The job of {name} failed") from error
    head = run.lake.existing(name)
    rows = delta.stored_rows(run.lake, name, head)
    return Step(name, "done", time.monotonic() - started, rows, head.version, fingerprint)


def _written(
    run: Run, job: Job, output: DataFrame, metadata: Mapping[str, Any], months: AbstractSet[date] | None
) -> Mapping[str, int | None]:
    """Write ``output`` and return what its row rules measured on the way: nothing if one of them crashes."""
    observation = Observation()
    try:
        watched = output.observe(observation, *(value.alias(name) for name, value in measures(job.table).items()))
        spark_writer.replace(watched, run.lake, job.table, run.config.lake, metadata, months=months)
    except PySparkException:
        # A rule that crashes must not keep the table from being written; a job that does will do so again.
        spark_writer.replace(output, run.lake, job.table, run.config.lake, metadata, months=months)
        return {}
    return dict(observation.get)


def inputs(
    lake: Lake, jobs: dict[str, Job], spark: SparkSession, job: Job, months: AbstractSet[date] | None = None
) -> dict[str, DataFrame]:
    """Return the frames that ``job`` reads, each pinned to the newest version of its table.

    Those that are kept by month hold just the ``months``, if these are given.
    """
    heads = {parameter: (source, lake.head(source)) for parameter, source in job.table.inputs.items()}
    return {
        parameter: delta.read(spark, lake, jobs[source].table, head.version if head else None, months)
        for parameter, (source, head) in heads.items()
    }


def computed(job: Job, frames: dict[str, DataFrame], settings: Settings) -> DataFrame:
    """Return what the job computes from ``frames`` and the settings that it declares."""
    if job.transform is None:
        raise TypeError(f"{job.name} is received, not computed")
    return job.transform(**frames, **{name: getattr(settings, name) for name in job.table.settings})


def _audited(
    run: Run,
    spark: SparkSession,
    name: str,
    observed: Mapping[str, int | None] = MappingProxyType({}),
    months: AbstractSet[date] | None = None,
) -> list[Result]:
    """Return the results of the rules of a row and of the key, over the ``months`` that were written if not over all."""
    head, table = run.lake.existing(name), run.jobs[name].table
    known = dict(observed)
    if (known.get("rows") or delta.stored_rows(run.lake, name, head)) <= KEYS_IN_MEMORY:
        known["keys"] = delta.distinct_keys(run.lake, table, head.version, months)
    return audit(delta.read(spark, run.lake, table, head.version, months), table, known)


def _publish(run: Run, settings: Settings) -> None:
    refuse_broken(
        run.results,
        "Checks failed, so nothing was published",
        "The published run is as it was. Correct the records or the job, then run again.",
    )
    left = remaining(run.jobs, run.lake, settings)
    manifest = candidate(run, settings)
    current = run.lake.readable_current()
    if left:
        run.status = "kept"
        run.message = f"not published: {', '.join(left)} depend on what changed and remain to be run"
    elif current is not None and has_versions(run.jobs, current, manifest):
        run.status, run.manifest = "unchanged", current
    elif is_withdrawn(run.jobs, run.lake, manifest):
        run.status = "kept"
        run.message = "not published: a rollback withdrew just these versions; new records, code or settings lift that"
    else:
        run.manifest = restated(run, manifest)
        publish(run.lake, run.manifest)
        run.status = "published"
