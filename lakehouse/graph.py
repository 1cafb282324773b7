"""The order of jobs, which nobody writes down: it follows from their inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from lakehouse.errors import UsageError
from lakehouse.registry import Job


def order(jobs: Mapping[str, Job]) -> list[str]:
    """Return the names of the jobs, each after its inputs; jobs that are free to go come by layer and name.

    Raises:
        UsageError: if an input is unknown, a layer reads a later one, or there is a cycle.
    """
    problems = [
        f"{job.name} reads {source}, which no job declares"
        for job in jobs.values()
        for source in job.table.inputs.values()
        if source not in jobs
    ]
    problems += [f"{job.name} is received and may not read" for job in jobs.values() if _reads_in_bronze(job)]
    problems += [
        f"{job.name} reads {source} of a later layer"
        for job in jobs.values()
        for source in job.table.inputs.values()
        if job.table.layer == "silver" and source.startswith("gold.")
    ]
    if problems:
        raise _unordered("; ".join(problems))
    sorter = TopologicalSorter({job.name: set(job.table.inputs.values()) for job in jobs.values()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise _unordered("a cycle: " + " → ".join(error.args[1])) from error
    position = {name: index for index, name in enumerate(jobs)}
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        ordered += ready
        sorter.done(*ready)
    return ordered


def upstream(jobs: Mapping[str, Job], names: Iterable[str]) -> set[str]:
    """Return ``names`` and everything that they are computed from."""
    return _closure(names, lambda name: jobs[name].table.inputs.values())


def downstream(jobs: Mapping[str, Job], names: Iterable[str]) -> set[str]:
    """Return ``names`` and everything that is computed from them."""
    return _closure(names, lambda name: [job.name for job in jobs.values() if name in job.table.inputs.values()])


def selected(jobs: Mapping[str, Job], selectors: Iterable[str]) -> set[str]:
    """Return the jobs that the selectors name: ``+table`` with its upstream, ``table+`` with its downstream.

    Raises:
        UsageError: if a table is unknown.
    """
    chosen: set[str] = set()
    for selector in selectors:
        name = selector.strip("+")
        if name not in jobs:
            raise UsageError(
                "The selection names a table that does not exist",
                found=repr(selector),
                expected=f"one of {', '.join(jobs)}, with + before it for its upstream or after it for its downstream",
                do="Run `lakehouse tables` for what each of them holds.",
            )
        chosen.add(name)
        if selector.startswith("+"):
            chosen |= upstream(jobs, [name])
        if selector.endswith("+"):
            chosen |= downstream(jobs, [name])
    return chosen


def _closure(names: Iterable[str], neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += neighbours(name)
    return reached


def _reads_in_bronze(job: Job) -> bool:
    return job.table.layer == "bronze" and bool(job.table.inputs)


def _unordered(found: str) -> UsageError:
    return UsageError(
        "The jobs cannot be put in order",
        found=found,
        expected="inputs that other jobs declare, without a cycle, and no job reading a later layer",
        do="Correct the inputs in the job files' declarations.",
    )
