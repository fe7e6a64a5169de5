# What the jobs that compare layers read and get: one a block of pairs of networks.
def network_clouds_of(wildcards):
    """Return the clouds of all layers of a network, for one kind of cloud."""
    return network_clouds(wildcards.cloud, int(wildcards.network))


def network_clouds(cloud, network):
    """Return the clouds of all layers of a network."""
    return [
        RUN.activations(COMPARISONS[cloud].population, network, layer.name, cloud)
        for layer in COMPARISONS[cloud].layers
    ]


def removal_inputs(wildcards):
    """Return the clouds of a network that loses components, and those of the one it is compared with besides."""
    network = int(wildcards.network)
    another = COMPARISONS[wildcards.cloud].another(network)
    chosen = [network] if another is None else [network, another]
    return [path for n in chosen for path in network_clouds(wildcards.cloud, n)]


def compared_parts(wildcards):
    """Return all values of all pairs of networks."""
    return [
        RUN.part("network_pairs", comparison.population, cloud, block)
        for cloud, comparison in COMPARISONS.items()
        for block in comparison.blocks(PLAN.config.jobs.networks_per_job)
    ]


def curve_parts(wildcards):
    """Return the sensitivity curves of all networks that lose components."""
    return [
        RUN.part("component_curves", comparison.population, cloud, network)
        for cloud, comparison in COMPARISONS.items()
        for network in comparison.reduced
    ]


def network_of(wildcards):
    """Return the population, kind of cloud and network of a job."""
    return wildcards.population, wildcards.cloud, int(wildcards.network)


def compared_network(wildcards):
    """Return the comparison that a job belongs to, and its network."""
    return COMPARISONS[wildcards.cloud], int(wildcards.network)


def compared_block(wildcards):
    """Return the comparison that a job belongs to, and the name of its block of pairs."""
    return COMPARISONS[wildcards.cloud], wildcards.pairs


def networks_compared(wildcards):
    """Return the networks of a block of pairs."""
    comparison, pairs = compared_block(wildcards)
    rows, columns = comparison.blocks(PLAN.config.jobs.networks_per_job)[pairs]
    return sorted({*rows, *columns})


def compared_clouds(wildcards):
    """Return the clouds that a block of pairs is compared by; none where bars are compared."""
    if wildcards.pairs in (DIAGRAMS, MATCHINGS):
        return []
    networks = networks_compared(wildcards)
    return [path for n in networks for path in network_clouds(wildcards.cloud, n)]


def compared_barcodes(wildcards):
    """Return the bars that a block of pairs is compared by; none where clouds are compared."""
    if wildcards.pairs not in (DIAGRAMS, MATCHINGS):
        return []
    at = (COMPARISONS[wildcards.cloud].population, wildcards.cloud)
    return [
        RUN.part("activation_barcodes", *at, n) for n in networks_compared(wildcards)
    ]
