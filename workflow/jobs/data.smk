# What the jobs on image sets get, and what makes them run again.
def state_of_files(wildcards):
    """Give what changes when a user's own images change: name, size and time of every file."""
    path = getattr(PLAN.config.images[wildcards.images], "path", None)
    if path is None:
        return ""
    root = Path(path)
    files = (
        sorted(root.rglob("*")) if root.is_dir() else [root] if root.exists() else []
    )
    states = [
        f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}"
        for file in files
        if file.is_file()
    ]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


def images_demand(wildcards):
    """Forecast `cnn-topology images`."""
    return forecast.images(PLAN.config.images[wildcards.images])


def images_parameters(wildcards):
    """Give the parameters of `cnn-topology images`."""
    return parameters.ImagesParameters.of(PLAN, wildcards.images).dump()
