"""`cnn-topology compare`: compare two runs table by table, such as those of two machines."""

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import Any

from cnn_topology.errors import InputError
from cnn_topology.plan.config_file import read_yaml
from cnn_topology.runs.agreement import compare_tables
from cnn_topology.runs.jobs import find_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("runs", nargs=2, help="the runs' names or folders: results/<run>")


def run(arguments: argparse.Namespace) -> None:
    """Compare two runs.

    Raises
    ------
    InputError
        If a table differs by more than the tolerance; all of them have been named on standard output by then. If both
        are one run, or hold no tables.
    """
    first, second = map(find_run, arguments.runs)
    if first.samefile(second):
        raise InputError(f"{first}, {second}: are the same run; name two different ones")
    # As written, not validated: runs of an earlier config format are compared too.
    if changed := differing_keys(*(read_yaml(folder / "config.yaml").content for folder in (first, second))):
        print(f"the configs differ in {', '.join(changed)}")
    states = Counter[str]()
    for table in compare_tables(first, second):
        states[table.state] += 1
        print(f"{table.state:<9} {table.table}: {table.said}", flush=True)
    if not states:
        raise InputError(f"{first}/tables, {second}/tables: hold no tables")
    # The last file that a run makes: without it tables may lack that no search finds missing.
    for unfinished in (folder for folder in (first, second) if not (folder / "provenance.json").is_file()):
        print(f"{unfinished} has not finished: tables that neither run has were not compared")
    summary = (
        f"of {states.total()} tables {states['identical']} are identical and {states['within']} within the tolerance"
    )
    if states["different"]:
        raise InputError(
            f"{summary}; {states['different']} are different. Networks that were trained separately always differ"
        )
    print(summary)


def differing_keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """List the sections in which two configs differ, the name of the run aside."""
    return [key for key in dict.fromkeys((*one, *other)) if key != "name" and one.get(key) != other.get(key)]
