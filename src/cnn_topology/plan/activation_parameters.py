"""Parameter blocks of the commands of the activations paper; see `parameters` for what a block is."""

from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import Parameters
from cnn_topology.plan.resnets import ResNets


class ResNetParameters(Parameters):
    """For `cnn-topology train-resnet`: one network; how many others there are does not matter to it."""

    population: str
    network: int
    section: ResNets

    @classmethod
    def of(cls, plan: Plan, population: str, network: int) -> "ResNetParameters":
        """Make the block of one network."""
        section = plan.config.resnets[population]
        files = section.checkpoints[network : network + 1]
        alone = section.model_copy(update={"networks": 1, "checkpoints": files})
        return cls(run_seed=plan.config.seed, population=population, network=network, section=alone)
