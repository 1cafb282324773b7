"""The jobs from the events to the most used features, without the tables that only their checks look at."""

from __future__ import annotations

from dataclasses import replace

from lakehouse.registry import job
from lakehouse.rules import QUARANTINE

EVENTS = "bronze.usage_events"
BY_MONTH = ("silver.repeated_events", "silver.user_days", "silver.feature_use", "silver.usage_daily")
NAMES = (EVENTS, *BY_MONTH, "gold.top_features")

GRAPH = {name: replace(job(name), table=replace(job(name).table, audits=(), foreign_keys={})) for name in NAMES}
# What is rejected is listed by another job, whose table is empty here.
GRAPH[QUARANTINE] = replace(job(QUARANTINE), table=replace(job(QUARANTINE).table, inputs={}, audits=()), transform=None)
