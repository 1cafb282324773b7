"""Pictures of the graph: each arrow once, none that follows from others in a layer's."""

from __future__ import annotations

import re

from lakehouse import lineage
from lakehouse.registry import jobs
from tests.lakehouse.test_graph import job, known

GRAPH = known(
    job("bronze.a"),
    job("silver.b", "bronze.a"),
    job("silver.c", "silver.b", "bronze.a"),
    job("gold.d", "silver.b", "silver.c"),
    job("gold.e", "silver.c"),
    job("gold.alone"),
)


def arrows(picture):
    return re.findall(r"^    (\w+) --> (\w+)$", picture, re.MULTILINE)


def test_a_table_stands_between_its_inputs_and_its_readers():
    assert lineage.of_table(GRAPH["silver.c"].table, GRAPH) == (
        "```mermaid\n"
        "flowchart LR\n"
        '    bronze_a["bronze.a"]\n'
        '    gold_d["gold.d"]\n'
        '    gold_e["gold.e"]\n'
        '    silver_b["silver.b"]\n'
        '    silver_c["silver.c"]\n'
        "    bronze_a --> silver_c\n"
        "    silver_b --> silver_c\n"
        "    silver_c --> gold_d\n"
        "    silver_c --> gold_e\n"
        "    style silver_c stroke-width:3px\n"
        "```"
    )


def test_a_table_without_inputs_and_readers_has_no_picture():
    assert lineage.of_table(GRAPH["gold.alone"].table, GRAPH) == ""


def test_the_picture_of_a_layer_leaves_out_what_follows():
    bronze, silver = (
        [job.table for job in GRAPH.values() if job.table.layer == layer] for layer in ("bronze", "silver")
    )
    # That silver.c reads bronze.a follows from its reading silver.b, and gold.d's reading silver.b from silver.c.
    assert arrows(lineage.of_layer(bronze, GRAPH)) == [("bronze_a", "silver_b")]
    assert arrows(lineage.of_layer(silver, GRAPH)) == [
        ("silver_b", "silver_c"),
        ("silver_c", "gold_d"),
        ("silver_c", "gold_e"),
    ]


def test_the_pictures_of_the_tables_show_every_input_twice():
    """Once in the picture of the table that reads it, once in that of the table that is read."""
    drawn = sorted(arrow for job in jobs().values() for arrow in arrows(lineage.of_table(job.table, jobs())))
    read = {
        (source.replace(".", "_"), name.replace(".", "_"))
        for name, job in jobs().items()
        for source in job.table.inputs.values()
    }
    assert drawn == sorted([*read, *read])
