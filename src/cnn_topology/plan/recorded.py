"""Networks whose activations are recorded: what residual networks and modules of a user's own share, and the latter.

To the rest of the program such a network is a torch module and the names of the layers to record, in order. Which these
are follows of a residual network from its config, of a module from one look at it by each start of a run
(`networks.modules`): nothing here loads PyTorch or a user's code.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from cnn_topology.plan.base import Distinct, FilePath, Name, OneOrMore, Section, as_tuple, expand_paths
from cnn_topology.plan.images import Shape

# Mean and standard deviation of each colour that both halves of the paper normalize CIFAR-10 by, pixels in [0, 1].
PAPER_MEAN, PAPER_SD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


class Normalization(Section):
    """Mean and standard deviation of each channel, for networks that were trained with others than the paper's."""

    # Numbers above 1 are those of pixels from 0 to 255.
    mean: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        min_length=1, max_length=3, description="One per channel, pixels in [0, 1]."
    )
    sd: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        min_length=1, max_length=3, description="One per channel, pixels in [0, 1]."
    )


class RecordedLayer(Section):
    """One layer whose activations are recorded: its name, depth (1 = nearest the image) and the shape of its output.

    `convolution` and `norm` are the names of the modules whose output is taken, before and after batch norm: of a
    residual network two, and `name` is one of them as the variant has it; of a user's module all three are the same.
    """

    name: str = Field(description="Its name in tables.")
    depth: int = Field(description="1 nearest the image.")
    convolution: str = Field(description="Module whose output is taken before batch norm.")
    norm: str = Field(description="Module whose output is taken after it.")
    channels: int = Field(description="Of its output.")
    height: int = Field(description="Of its output.")
    width: int = Field(description="Of its output.")


class RecordedNetworks(Section):
    """What all networks share whose activations are recorded."""

    images: Name = Field(description="The image set that they look at, a key of `images`.")
    networks: int = Field(1, ge=1, le=9_999, description="How many networks, which differ in nothing but their seed.")
    normalization: Literal["paper", "set"] | Normalization = Field(
        "paper",
        description="How pixels are standardized per channel: by the paper's numbers for CIFAR-10, by the statistics "
        "of the training images (`set`), or by given numbers.",
    )
    checkpoints: Annotated[Distinct[FilePath], BeforeValidator(expand_paths)] = Field(
        (),
        description="Trained weights, one file per network, of the types that `checkpoints.<name>.files` takes; "
        "`networks` is then their number. What stands in front of all names (`module.`, `backbone.`) is passed over.",
    )
    entry: str | None = Field(
        None, description="Which network of a file, where it holds several, as keys with dots: `net.state_dict`."
    )

    @model_validator(mode="before")
    @classmethod
    def _checkpoints_are_the_networks(cls, content: Any) -> Any:
        files = expand_paths(content.get("checkpoints")) if isinstance(content, dict) else None
        if not isinstance(files, tuple) or not files:
            return content
        return {**content, "networks": content.get("networks", len(files))}

    @model_validator(mode="after")
    def _as_many_as_files(self) -> "RecordedNetworks":
        if self.checkpoints and self.networks != len(self.checkpoints):
            raise ValueError(
                f"networks is {self.networks}, but checkpoints names {len(self.checkpoints)} files: leave networks out"
            )
        return self


class Recorded(Section):
    """What a start has seen of a user's module."""

    layers: tuple[RecordedLayer, ...] = Field(description="In the order in which they are called.")
    parameters: int = Field(description="How many it has.")
    code: tuple[str, ...] = Field(description="Files of Python below the folder of the start that it is made from.")


def _as_lists(value: Any) -> Any:
    """Return a value as it is read from the JSON of a job: tuples are lists."""
    if isinstance(value, dict):
        return {name: _as_lists(inner) for name, inner in value.items()}
    return [_as_lists(inner) for inner in value] if isinstance(value, list | tuple) else value


class ModuleNetworks(RecordedNetworks):
    """A network of your own, any `torch.nn.Module`: its code is imported and run by each start and by the jobs."""

    variant: Literal["module"] = Field("module", description="No key to be stated.")
    module: Annotated[str, Field(pattern=r"^[^\W\d]\w*(\.\w+)*:\w+(\.\w+)*$")] = Field(
        description="Where its class, or a function that returns it, is imported from: `mypackage.nets:Net`, in the "
        "folder where Snakemake starts or among the installed packages (`torchvision.models:vgg11`). Importing runs "
        "that code, for `cnn-topology plan`, `status` and `verify` too: a config with `modules` is code."
    )
    arguments: Annotated[dict[str, JsonValue], BeforeValidator(_as_lists)] = Field(
        {},
        description="What the class or function is called with, by name: numbers, text, `true`, `false`, `null`, and "
        "lists and maps of these.",
    )
    layers: Annotated[OneOrMore[str] | None, BeforeValidator(as_tuple)] = Field(
        None,
        description="Modules whose output is recorded, by name or pattern (`features*`, which takes those without "
        "parts). Absent: all two-dimensional convolutions. They are recorded in the order in which they are called; an "
        "output without positions, as of linear layers, is one of a single position.",
    )
    normalization: Literal["paper", "set"] | Normalization = Field(
        description="How pixels are standardized per channel, as the networks were trained: by given numbers, by the "
        "statistics of the training images (`set`), or by the paper's numbers for CIFAR-10 (`paper`)."
    )
    recorded: Recorded | None = Field(
        None, description="No key to be stated: what the last start has seen of the module."
    )


def check_normalization(section: RecordedNetworks, shape: Shape) -> None:
    """Raise ValueError unless the numbers that standardize pixels are as many as the images have channels."""
    given = section.normalization
    mean, sd = (PAPER_MEAN, PAPER_SD) if given == "paper" else ((), ()) if given == "set" else (given.mean, given.sd)
    if given != "set" and {len(mean), len(sd)} != {shape[2]}:
        raise ValueError(
            f"normalization gives {len(mean)} means and {len(sd)} standard deviations, the images have {shape[2]} "
            "channels; use normalization: set"
        )
