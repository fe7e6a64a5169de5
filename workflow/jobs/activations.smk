# What the jobs on residual networks and their activations read and get: one a network, one a cloud of some networks.
def mask_demand(wildcards):
    """Forecast `cnn-topology masks`."""
    return activation_forecast.masks(PLAN, wildcards.population, int(wildcards.number))


def extractions():
    """Give the jobs of `cnn-topology activations`: name, cloud, its section and the networks, all layers in one pass."""
    for cloud, section in PLAN.config.activation_clouds.items():
        for number, networks in enumerate(PLAN.extraction_blocks(cloud)):
            yield f"{cloud}-{number:04d}", cloud, section, networks


def resnet_demand(wildcards):
    """Forecast `cnn-topology train-resnet`."""
    return forecast.resnet(PLAN, wildcards.population)


def resnet_images(wildcards):
    """Give the image set that a residual network is trained on."""
    return RUN.images(PLAN.config.resnets[wildcards.population].images)


def resnet_checkpoint(wildcards):
    """Give the checkpoint that takes the place of training, if there is one."""
    number = int(wildcards.network)
    return PLAN.config.resnets[wildcards.population].checkpoints[number : number + 1]


def resnet_parameters(wildcards):
    """Give the parameters of `cnn-topology train-resnet`."""
    return activation_parameters.ResNetParameters.of(
        PLAN, wildcards.population, int(wildcards.network)
    ).dump()


def masks_of(cloud):
    """Give the masks that a cloud of foreground or background needs."""
    section = PLAN.config.activation_clouds[cloud]
    images = f"{section.split}-{section.count}"
    return [RUN.masks(section.networks, images)] if section.masked else []


def mask_parameters(wildcards):
    """Give the parameters of `cnn-topology masks`."""
    return activation_parameters.MaskParameters.of(
        PLAN, wildcards.population, wildcards.split, int(wildcards.number)
    ).dump()


def example_parameters(wildcards):
    """Give the parameters of `cnn-topology example-pixels`."""
    return activation_parameters.ExampleParameters.of(PLAN, wildcards.population).dump()
