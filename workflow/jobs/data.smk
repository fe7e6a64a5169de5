# What the jobs on image sets get, and what makes them run again.
def own_images(wildcards):
    """Return what is planned of a user's own images."""
    name = wildcards.images
    section = PLAN.config.images[name]
    if not isinstance(section, OwnImages):
        return []

    def files():
        # Loads NumPy and Pillow, which no other start needs.
        from cnn_topology.data.image_files import image_files

        return image_files(name, section, PLAN.config.seed)

    return INPUTS.planned(f"images/{name}", files)


def image_set(wildcards):
    """Return the name of the image set of a job."""
    return (wildcards.images,)
