"""Visits to the web site: one row per day and channel."""

from __future__ import annotations

from lakehouse.rules import Freshness, Volume
from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import CHANNELS

table = Table(
    name="bronze.web_traffic",
    description=__doc__,
    grain="day and channel",
    key=("traffic_date", "channel"),
    columns=(
        Column("traffic_date", "date", "Day"),
        Column("channel", "string", "Channel that brought the visitors", values=CHANNELS),
        Column("unique_visitors", "bigint", "Different visitors on the day", minimum=0),
        Column("sessions", "bigint", "Visits on the day", minimum=0),
        *PROVENANCE,
    ),
    audits=(
        Freshness("recent", "traffic_date", days=7),
        Volume("usual_volume", least=1.0, most=2.0),
    ),
    rejects=(
        Check("traffic_date_missing", "traffic_date IS NOT NULL"),
        Check("channel_missing", "channel IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
