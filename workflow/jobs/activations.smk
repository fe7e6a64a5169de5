# What the jobs on residual networks and their activations read and get: one a network, one some clouds of some networks.
def mask_demand(wildcards):
    """Forecast `cnn-topology masks`."""
    return forecast.masks(PLAN, wildcards.population, int(wildcards.number))


def example_demand(wildcards):
    """Forecast `cnn-topology example-pixels`."""
    return forecast.example_pixels(PLAN, wildcards.population)


def extractions():
    """Return the jobs of `cnn-topology activations`: name, population, its networks and their clouds, all layers each."""
    for clouds, networks in PLAN.extraction_blocks():
        population = PLAN.config.activation_clouds[clouds[0]].networks
        yield f"{clouds[0]}-{networks[0]:04d}", population, networks, clouds


def resnet_demand(wildcards):
    """Forecast `cnn-topology train-resnet`."""
    return forecast.train_resnet(PLAN, wildcards.population)


def resnet_images(wildcards):
    """Return the image set that a residual network is trained on."""
    return RUN.images(PLAN.config.resnets[wildcards.population].images)


def resnet_checkpoint(wildcards):
    """Return the checkpoint that takes the place of training, if there is one."""
    number = int(wildcards.network)
    files = PLAN.config.resnets[wildcards.population].checkpoints
    return ancient(files[number : number + 1])  # its content decides, not its time


def planned_resnet(wildcards):
    """Return the arguments that name that checkpoint, and those it must not be a copy of, as they are now."""
    name, number = wildcards.population, int(wildcards.network)
    files = PLAN.config.resnets[name].checkpoints
    if not files:
        return []
    all_files = {path: Path(path) for path in files}
    own = INPUTS.planned(f"resnets/{name}", lambda: all_files, files[: number + 1])
    return ["--planned", *own] if own else []


def resnet_others(wildcards):
    """Return the checkpoints of the networks before one, which must be other networks."""
    files = PLAN.config.resnets[wildcards.population].checkpoints
    return ancient(files[: int(wildcards.network)])


def resnet_parameters(wildcards):
    """Return the parameters of `cnn-topology train-resnet`."""
    return activation_parameters.ResNetParameters.of(
        PLAN, wildcards.population, int(wildcards.network)
    ).dump()


def masks_of(clouds):
    """Return the masks that clouds of foreground or background need, one file since they see the same images."""
    sections = [PLAN.config.activation_clouds[cloud] for cloud in clouds]
    images = f"{sections[0].split}-{sections[0].count}"
    masked = any(section.masked for section in sections)
    return [RUN.masks(sections[0].networks, images)] if masked else []


def mask_parameters(wildcards):
    """Return the parameters of `cnn-topology masks`."""
    return activation_parameters.MaskParameters.of(
        PLAN, wildcards.population, wildcards.split, int(wildcards.number)
    ).dump()


def example_parameters(wildcards):
    """Return the parameters of `cnn-topology example-pixels`."""
    return activation_parameters.ExamplePixelParameters.of(
        PLAN, wildcards.population
    ).dump()
