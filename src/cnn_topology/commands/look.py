"""`cnn-topology look`: look at trained networks: the loops of each layer's filters, without a config."""

import argparse
from functools import partial
from inspect import signature
from pathlib import Path
from typing import get_args

import yaml

from cnn_topology.errors import InputError, readable
from cnn_topology.looks.look import look as take_a_look
from cnn_topology.looks.page import write_page
from cnn_topology.looks.steps import look_at_steps, name_of
from cnn_topology.looks.store import write_tables
from cnn_topology.storage.atomic import write_text
from cnn_topology.storage.weight_forms import Order

# Exit status of what Ctrl-C stopped.
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="weights of one network, or of several of one kind")
    parser.add_argument(
        "--steps",
        nargs="+",
        default=[],
        metavar="FILE",
        help="in place of FILE, one network over its training, as 'epoch_*.pt': a file a step, which its name ends in",
    )
    parser.add_argument("--layers", nargs="+", default=[], metavar="NAME", help="names or patterns, such as 'layer3*'")
    parser.add_argument("--exclude", nargs="+", default=[], metavar="NAME", help="names or patterns of layers left out")
    parser.add_argument("--entry", help="where in the file the weights lie, as keys with dots: net.state_dict")
    parser.add_argument(
        "--layout", choices=get_args(Order), help="order of the axes of kernels, where the file cannot say"
    )
    parser.add_argument(
        "--k", type=_share, help="neighbour of the density filter: a count or a share (default %(default)s)"
    )
    parser.add_argument(
        "--p", type=float, help="share of the filters that the density filter keeps (default %(default)s)"
    )
    parser.add_argument(
        "--draws", type=int, help="random clouds of each null (default %(default)s; two-sided p-values need 199)"
    )
    parser.add_argument("--seed", type=int, help="seed of all draws (default %(default)s)")
    parser.add_argument("--sample", type=int, help="filters taken of a larger layer (default %(default)s; 0 for all)")
    parser.add_argument("--threads", type=int, help="random clouds made at once (default: one a core)")
    parser.add_argument("--compare", metavar="FILE", help="another network, or the same one untrained, layer by layer")
    parser.add_argument("--config", type=Path, metavar="YAML", help="write the config of a run that does the same")
    parser.add_argument("--folder", type=Path, help="where page and tables go (default: <name of the file>-look)")
    stated = signature(take_a_look).parameters
    parser.set_defaults(**{name: stated[name].default for name in ("k", "p", "draws", "seed", "sample")})


def _share(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def run(arguments: argparse.Namespace) -> None:
    """Look, print a line a layer, and write page and tables."""
    if bool(arguments.files) == bool(arguments.steps) or (arguments.steps and arguments.compare):
        raise InputError("name files of weights, or those of --steps without --compare: one of the two")
    names = ("layers", "exclude", "entry", "layout", "k", "p", "draws", "seed", "sample", "threads")
    options = {name: getattr(arguments, name) for name in names}
    folder, steps, report = arguments.folder, None, partial(print, flush=True)
    if arguments.steps:
        folder = folder or Path(f"{name_of(arguments.steps)}-look")
        steps = look_at_steps(arguments.steps, **options, folder=folder, report=report)
        look = steps.last
        print("", steps.table[["layer", "onset"]].to_string(index=False), sep="\n")
    else:
        folder = folder or Path(f"{readable(Path(arguments.files[0]).stem)}-look")
        look = take_a_look(arguments.files, **options, folder=folder, report=report)
    others = steps.others if steps else look.source.others
    print("", *look.sentences, *(f"Not looked at: {other}." for other in others), sep="\n")
    if arguments.config:
        write_text(arguments.config, yaml.safe_dump(look.config(), sort_keys=False), checksum=False)
        config = arguments.config.absolute()
        print(f"A run that does the same, from the project's folder: snakemake --cores all --configfile {config}")
    other = None
    if arguments.compare and not look.interrupted:
        print()
        other = take_a_look(arguments.compare, **options, folder=folder, report=report)
        print("", look.compared(other).to_string(index=False), sep="\n")
        print(*(f"Not looked at in {arguments.compare}: {left_out}." for left_out in other.source.others), sep="\n")
    over = (steps.onsets, steps.tracks) if steps else ([], [])
    write_tables(folder, steps.layers if steps else look.layers, look.rows, *over)
    write_page(folder / "index.html", look, other, steps)
    print(f"\nThe page, which opens without a network: {folder / 'index.html'}")
    if look.interrupted or (other and other.interrupted):
        print(f"Stopped after {look.tested} of {len(look.layers)} layers; the same command resumes there.")
        raise SystemExit(INTERRUPTED)
