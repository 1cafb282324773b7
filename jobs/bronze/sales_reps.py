"""People who sell: one row per version of a rep."""

from __future__ import annotations

from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import REP_ROLES

table = Table(
    name="bronze.sales_reps",
    description=__doc__,
    grain="version of a rep",
    key=("rep_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("rep_id", "string", "Rep"),
        Column("rep_name", "string", "Name of the rep", personal=True),
        Column("role", "string", "BDR follows up leads, AE closes, CSM looks after customers", values=REP_ROLES),
        Column("region", "string", "Sales region that the rep covers first"),
        Column("team", "string", "Team: a segment for an AE, the role for the others"),
        Column("manager_id", "string", "Rep who leads the team; null for the leader"),
        Column("hired_on", "date", "First day at work"),
        Column("left_on", "date", "First day no longer there; null while employed"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    rejects=(
        Check("rep_id_missing", "rep_id IS NOT NULL"),
        Check("hired_on_missing", "hired_on IS NOT NULL"),
        Check("updated_at_missing", "updated_at IS NOT NULL"),
        Check("left_before_hired", "left_on IS NULL OR left_on > hired_on"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
