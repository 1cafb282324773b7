"""Publishing: one pointer, replaced in one step, decides which versions everybody sees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from lakehouse import delta, fingerprint
from lakehouse.coverage import received
from lakehouse.errors import UsageError
from lakehouse.files import replacing
from lakehouse.forgotten import erasure_after
from lakehouse.lake import CURRENT, MANIFESTS, Lake
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.plan import make_plan
from lakehouse.registry import Job
from lakehouse.run import Run
from lakehouse.settings import Settings


def candidate(run: Run, settings: Settings) -> Manifest:
    """Return the manifest of the newest versions of all tables that are up to date with their inputs.

    What a run records itself of what it publishes is still to come.
    """
    lake, jobs, config = run.lake, run.jobs, run.config
    stale = make_plan(jobs, lake, settings).due
    return Manifest(
        run_id=run.run_id,
        published_at=datetime.now(UTC),
        as_of=settings.as_of,
        code=fingerprint.digest({name: fingerprint.of_code(job.path) for name, job in jobs.items()}),
        configuration=fingerprint.digest([config.company, config.metrics, config.sla]),
        batch=received(lake),
        tables={
            name: entry(lake, job)
            for name, job in jobs.items()
            if name not in stale and lake.head(name) and not job.is_recorded
        },
        quality=Quality(
            checks=len(run.results),
            failed=sum(result.stops for result in run.results),
            warned=sum(result.is_broken and not result.stops for result in run.results),
        ),
    )


def remaining(jobs: Mapping[str, Job], lake: Lake, settings: Settings) -> list[str]:
    """Return the published tables that are not up to date with the newest versions of their inputs."""
    current = lake.readable_current()
    plan = make_plan(jobs, lake, settings)
    return [name for name in plan.order if name in plan.due and current is not None and name in current.tables]


def has_versions(jobs: Mapping[str, Job], published: Manifest, manifest: Manifest) -> bool:
    """Say whether ``published`` has just the versions of the candidate ``manifest``, beside what runs record themselves."""
    recorded = {name for name, job in jobs.items() if job.is_recorded}
    return {name: version for name, version in published.versions.items() if name not in recorded} == manifest.versions


def is_withdrawn(jobs: Mapping[str, Job], lake: Lake, manifest: Manifest) -> bool:
    """Say whether just these versions were published before and then rolled back."""
    return any(kept.withdrawn and has_versions(jobs, kept, manifest) for kept in lake.manifests())


def publish(lake: Lake, manifest: Manifest) -> None:
    """Write the manifest and let ``CURRENT`` name it."""
    path = manifest.write(lake.root / MANIFESTS)
    _point_to(lake, f"{MANIFESTS}/{path.name}")


def rollback(lake: Lake, run_id: str | None = None) -> Manifest:
    """Publish an earlier run again (the one before the current, if none is named) and return its manifest.

    The runs after it are marked as withdrawn, so that the next run does not publish the same versions again.

    Raises:
        UsageError: if there is no such run, its versions are gone, or it still shows a customer who was forgotten since.
    """
    manifests = lake.manifests()
    current = lake.readable_current()
    current_id = current.run_id if current else "~"
    earlier = [m for m in manifests if m.run_id < current_id and not m.withdrawn]
    chosen = [m for m in earlier if run_id in (None, m.run_id)]
    if not chosen:
        raise UsageError(
            f"The lake {lake.root} cannot go back to {run_id or 'an earlier run'}",
            found=f"{len(earlier)} earlier published runs: {', '.join(m.run_id for m in earlier) or 'none'}",
            expected="one of them",
            do="Run `lakehouse runs` for all runs.",
        )
    target = chosen[-1]
    _refuse_forgotten(lake, target)
    lost = [name for name, version in target.versions.items() if not lake.has_version(name, version)]
    if lost:
        raise UsageError(
            f"The run {target.run_id} cannot be published again",
            found=f"no version any more of {', '.join(lost)}",
            expected="every version that its manifest names",
            do="Choose a later run of `lakehouse runs`.",
        )
    for manifest in manifests:
        if target.run_id < manifest.run_id <= current_id:
            manifest.model_copy(update={"withdrawn": True}).write(lake.root / MANIFESTS)
    _point_to(lake, f"{MANIFESTS}/{target.run_id}.json")
    return target


def not_published(name: str, manifest: Manifest) -> UsageError:
    """Return the error of asking for a table that the published run does not hold."""
    return UsageError(
        f"The table {name} is not published",
        found=f"run {manifest.run_id} with {', '.join(manifest.tables)}",
        expected="one of these tables",
        do="Run `lakehouse run` to build what is missing.",
    )


def _refuse_forgotten(lake: Lake, target: Manifest) -> None:
    later = erasure_after(lake, target.published_at)
    if later is not None:
        raise UsageError(
            f"The run {target.run_id} cannot be published again",
            found=f"a run from before a customer was forgotten on {later.begun_at:%Y-%m-%d %H:%M:%S} UTC, which erased its versions",
            expected="a later run",
            do="Choose one of `lakehouse runs`.",
        )


def entry(lake: Lake, job: Job) -> Entry:
    """Return what a manifest says of the newest version of a table."""
    head = lake.existing(job.name)
    rows = delta.stored_rows(lake, job.name, head)
    return Entry(version=head.version, rows=rows, fingerprint=str(head.metadata.get("fingerprint", head.identity)))


def _point_to(lake: Lake, name: str) -> None:
    with replacing(lake.root / CURRENT) as draft:
        draft.write_text(name + "\n", encoding="utf-8")
