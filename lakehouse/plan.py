"""What a run has to do: the jobs whose code, configuration, libraries or inputs are not those of their newest version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse import fingerprint, graph
from lakehouse.lake import Lake
from lakehouse.registry import Job
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Plan:
    """``order`` holds every job that computes, each after its inputs; ``due`` those that have to be computed."""

    order: list[str]
    due: set[str]


def job_fingerprint(job: Job, lake: Lake, settings: Settings) -> str:
    """Return the fingerprint of ``job`` over the newest versions of its inputs."""
    heads = {name: lake.head(name) for name in job.table.inputs.values()}
    identities = {name: head.identity if head else None for name, head in heads.items()}
    used = {name: getattr(settings, name) for name in job.table.settings}
    return fingerprint.of_job(job.path, used, identities)


def make_plan(
    jobs: Mapping[str, Job], lake: Lake, settings: Settings, *, chosen: set[str] | None = None, full: bool = False
) -> Plan:
    """Return the plan for the ``chosen`` jobs (all, if None); ``full`` computes them whether they changed or not.

    A job also is due when one of its inputs is: its input version will be another one.
    """
    order = [name for name in graph.order(jobs) if jobs[name].transform is not None]
    due: set[str] = set()
    for name in order:
        if chosen is not None and name not in chosen:
            continue
        job = jobs[name]
        if full or due.intersection(job.table.inputs.values()) or not _is_current(job, lake, settings):
            due.add(name)
    return Plan(order, due)


def _is_current(job: Job, lake: Lake, settings: Settings) -> bool:
    head = lake.head(job.name)
    return head is not None and head.metadata.get("fingerprint") == job_fingerprint(job, lake, settings)
