"""`cnn-topology compare`: say how far two runs agree, table by table, such as those of two machines."""

import argparse
from collections import Counter

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig, read_config
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
        If a table differs by more than the tolerance; all of them have been named on standard output by then.
    """
    first, second = map(find_run, arguments.runs)
    if changed := differing_keys(*(read_config(folder / "config.yaml") for folder in (first, second))):
        print(f"the configs differ in {', '.join(changed)}")
    found = Counter[str]()
    for table in compare_tables(first, second):
        found[table.state] += 1
        print(f"{table.state:<9} {table.table}: {table.said}", flush=True)
    if not found:
        raise InputError(f"{first}/tables, {second}/tables: hold no tables")
    said = f"of {found.total()} tables {found['identical']} are identical and {found['within']} within the tolerance"
    if found["apart"]:
        raise InputError(f"{said}; {found['apart']} differ by more. Networks that were trained apart differ always")
    print(said)


def differing_keys(one: RunConfig, other: RunConfig) -> list[str]:
    """List the sections in which two configs differ, the name of the run aside."""
    contents = [config.model_dump(exclude={"name"}) for config in (one, other)]
    return [key for key in contents[0] if contents[0][key] != contents[1][key]]
