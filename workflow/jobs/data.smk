# What the jobs on image sets get, and what makes them run again.
def planned_images(wildcards):
    """Return the arguments that name a user's own images as they are now."""
    name = wildcards.images
    section = PLAN.config.images[name]
    if not isinstance(section, OwnImages):
        return []

    def files():
        # Loads NumPy and Pillow, which no other start needs.
        from cnn_topology.data.image_files import image_files

        return image_files(name, section, PLAN.config.seed)

    return INPUTS.planned(f"images/{name}", files)


def images_demand(wildcards):
    """Forecast `cnn-topology images`."""
    return forecast.images(PLAN, wildcards.images)


def images_parameters(wildcards):
    """Return the parameters of `cnn-topology images`."""
    return parameters.ImagesParameters.of(PLAN, wildcards.images).dump()
