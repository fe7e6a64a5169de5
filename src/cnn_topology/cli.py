"""`cnn-topology VERB`: what a person asks of a run, and the jobs that its rules call."""

import argparse
import importlib
import os
import shlex
import sys
from functools import cache
from pathlib import Path

import cnn_topology
from cnn_topology.errors import InputError, escape_unprintable
from cnn_topology.extras import needing_an_extra
from cnn_topology.runs.machine import cost_line, machine_line

# What people ask for: modules of `cnn_topology.commands` with `add_arguments` and `run`, imported only when called. The
# other modules there carry out jobs.
VERBS = ("look", "plan", "fetch", "status", "verify", "compare", "job")


@cache
def purposes() -> dict[str, str]:
    """Return what each module of `commands` does, as its docstring says."""
    texts = {}
    for path in sorted(Path(__file__).parent.glob("commands/[!_]*.py")):
        described = path.read_text(encoding="utf-8").split('"""')[1]
        texts[path.stem.replace("_", "-")] = described.partition("`: ")[2].removesuffix(".")
    return texts


def kinds_of_jobs() -> dict[str, str]:
    """Return what each kind of job does."""
    return {kind: purpose for kind, purpose in purposes().items() if kind not in VERBS}


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; a user's error is printed without a traceback and gives exit status 2."""
    parser = argparse.ArgumentParser(
        prog="cnn-topology",
        description="The topology of convolutional networks. Runs are made by `snakemake --cores all`; "
        "the log of each of its jobs begins with the command that repeats it.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {cnn_topology.__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    given = sys.argv[1:] if arguments is None else arguments
    escape_unprintable()  # the name of a file may be no UTF-8
    try:
        with needing_an_extra("this command"):
            for verb in VERBS:
                purpose = purposes()[verb]
                subparser = verbs.add_parser(verb, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
                if verb in given[:1]:
                    command = importlib.import_module(f"cnn_topology.commands.{verb.replace('-', '_')}")
                    command.add_arguments(subparser)
            parsed, unknown = parser.parse_known_args(given)
            if unknown:  # argparse itself shows how to call the program, not the verb
                verbs.choices[parsed.verb].error(f"unrecognized arguments: {shlex.join(unknown)}")
            if not sys.stderr.isatty():
                print(shlex.join(["cnn-topology", *given]), machine_line(), sep="\n", file=sys.stderr, flush=True)
            command.run(parsed)
        sys.stdout.flush()
        if not sys.stderr.isatty():
            print(cost_line(), file=sys.stderr, flush=True)
    except InputError as error:
        print(f"cnn-topology {given[0]}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output went away: `cnn-topology status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
