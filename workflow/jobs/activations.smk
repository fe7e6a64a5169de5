# What the jobs on networks whose activations are recorded read and get: one a network, one some clouds of some networks.
def extractions():
    """Return the jobs of `cnn-topology activations`: name, population, its networks and their clouds, all layers each."""
    for clouds, networks in PLAN.extraction_blocks():
        population = PLAN.config.activation_clouds[clouds[0]].population
        yield f"{clouds[0]}-{networks[0]:04d}", population, networks, clouds


def resnet_images(wildcards):
    """Return the image set that a network looks at."""
    return RUN.images(RECORDED[wildcards.population].images)


def resnet_checkpoint(wildcards):
    """Return the checkpoint that takes the place of training, if there is one."""
    number = int(wildcards.network)
    files = RECORDED[wildcards.population].checkpoints
    return ancient(files[number : number + 1])  # its content decides, not its time


def resnet_files(wildcards):
    """Return what is planned of that checkpoint, of those it must not be a copy of, and of the code of a module."""
    name, number = wildcards.population, int(wildcards.network)
    section = RECORDED[name]
    code = section.recorded.code if name in PLAN.config.modules else ()
    all_files = {path: Path(path) for path in (*code, *section.checkpoints)}
    if not all_files:
        return []
    read = (*code, *section.checkpoints[: number + 1])
    key = "modules" if name in PLAN.config.modules else "resnets"
    return INPUTS.planned(f"{key}/{name}", lambda: all_files, read)


def resnet_others(wildcards):
    """Return the checkpoints of the networks before one, which must be other networks."""
    files = RECORDED[wildcards.population].checkpoints
    return ancient(files[: int(wildcards.network)])


def masks_of(clouds):
    """Return the masks that clouds of foreground or background need, one file since they see the same images."""
    sections = [PLAN.config.activation_clouds[cloud] for cloud in clouds]
    images = f"{sections[0].split}-{sections[0].n_images}"
    masked = any(section.masked for section in sections)
    return [RUN.masks(sections[0].population, images)] if masked else []


def population_of(wildcards):
    """Return the population of a job."""
    return (wildcards.population,)


def resnet_of(wildcards):
    """Return the population of a job, and the network."""
    return wildcards.population, int(wildcards.network)


def masked_images(wildcards):
    """Return the population of a job, and the images that it finds masks of."""
    return wildcards.population, wildcards.split, int(wildcards.number)
