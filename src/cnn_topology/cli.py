"""`cnn-topology VERB`: what a rule calls, and what a person can call by hand to repeat one job."""

import argparse
import importlib
import os
import shlex
import sys

from cnn_topology.errors import InputError
from cnn_topology.runs.machine import cost_line, machine_line

# Each verb is a module of `cnn_topology.commands` with `add_arguments` and `run`, imported only when it is called.
VERBS = {
    "look": "look at trained networks: the loops of each layer's 3x3 filters, without a config",
    "job": "carry out one job of a run, or repeat it: a training, an analysis, a table",
    "activation-mapper": "mapper graphs and purity of activation clouds of one network",
    "example-images": "images that stand for the nodes of mapper graphs, as small pictures",
    "purity-tests": "tests on the purity of mapper graphs: layers, sampling, input noise",
    "improvements": "learning speed and accuracy of populations compared with a plain one",
    "networks": "loops, weight statistics and accuracy of each single network",
    "dynamics": "onset of a layer's loop over training, the loop followed, and its bar against accuracy",
    "cross-accuracy": "accuracy of networks trained on one image set and tested on another",
    "correlations": "correlations of topology and weight statistics with accuracy and generalization gap",
    "claims": "test the claims of the papers by the tables of a run",
    "collect": "join the parts of tables",
    "figures": "draw figures from tables, and write interactive pages",
    "summary": "say what a run found",
    "train-resnet": "train one residual network, or take its weights from a checkpoint",
    "masks": "foreground and background of images by GrabCut, published and corrected",
    "activations": "draw the point clouds of the layers of residual networks",
    "example-pixels": "images that figures show: with masks, position weights and noise",
    "activation-barcodes": "persistent homology of the activation clouds of all layers of a network",
    "layer-distances": "compare the layers of some networks with those of others by all measures",
    "component-sensitivity": "compare every layer of a network with itself after components were removed",
    "activation-tensor": "take the activation tensor of one image from a cloud that holds all positions",
    "measure-tests": "test the measures that compare layers: order, specificity, sensitivity, agreement",
    "reference": "write the key reference and the JSON schema of the config",
    "provenance": "say what a run was made by and what it took",
    "plan": "say what a run will cost before it starts",
    "status": "say how far a run is, what failed, and how to repeat it",
    "compare": "say how far two runs agree, table by table, such as those of two machines",
    "verify": "hash every file of a run again and name what is missing, cut short or altered",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; a user's error is printed without a traceback and gives exit status 2."""
    parser = argparse.ArgumentParser(
        prog="cnn-topology",
        description="The topology of convolutional networks. Runs are made by `snakemake --cores all`; "
        "each of its jobs is one of these verbs, and its log begins with the command that repeats it.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    given = sys.argv[1:] if arguments is None else arguments
    for verb, purpose in VERBS.items():
        subparser = verbs.add_parser(verb, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        if verb in given[:1]:
            command = importlib.import_module(f"cnn_topology.commands.{verb.replace('-', '_')}")
            command.add_arguments(subparser)
    try:
        parsed = parser.parse_args(given)
        if not sys.stderr.isatty():
            print(shlex.join(["cnn-topology", *given]), machine_line(), sep="\n", file=sys.stderr, flush=True)
        command.run(parsed)
        sys.stdout.flush()
        if not sys.stderr.isatty():
            print(cost_line(), file=sys.stderr, flush=True)
    except InputError as error:
        print(f"cnn-topology {given[0]}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output went away: `cnn-topology summary | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
