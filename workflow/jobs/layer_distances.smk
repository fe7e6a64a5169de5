# What the jobs that compare layers read and get: one a block of pairs of networks.
def activation_barcode_demand(wildcards):
    """Forecast `cnn-topology activation-barcodes`."""
    return forecast.activation_barcodes(PLAN, wildcards.cloud)


def comparison_demand(wildcards):
    """Forecast `cnn-topology layer-distances`."""
    return forecast.layer_distances(
        COMPARISONS[wildcards.cloud], wildcards.pairs, PLAN.config.jobs.networks
    )


def removal_demand(wildcards):
    """Forecast `cnn-topology component-sensitivity`."""
    return forecast.component_sensitivity(COMPARISONS[wildcards.cloud])


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


def pairs_inputs(wildcards):
    """Return what a block of pairs of networks is compared by: bars of all networks, or clouds of those in the block."""
    comparison = COMPARISONS[wildcards.cloud]
    rows, columns = comparison.blocks(PLAN.config.jobs.networks)[wildcards.pairs]
    networks = sorted({*rows, *columns})
    if wildcards.pairs == DIAGRAMS:
        folder = (comparison.population, wildcards.cloud)
        return {
            "barcodes": [RUN.part("activation_barcodes", *folder, n) for n in networks]
        }
    return {
        "clouds": [
            path for n in networks for path in network_clouds(wildcards.cloud, n)
        ]
    }


def compared_parts(wildcards):
    """Return all values of all pairs of networks."""
    return [
        RUN.part("network_pairs", comparison.population, cloud, block)
        for cloud, comparison in COMPARISONS.items()
        for block in comparison.blocks(PLAN.config.jobs.networks)
    ]


def curve_parts(wildcards):
    """Return the sensitivity curves of all networks that lose components."""
    return [
        RUN.part("component_curves", comparison.population, cloud, network)
        for cloud, comparison in COMPARISONS.items()
        for network in comparison.reduced
    ]


def activation_barcode_parameters(wildcards):
    """Return the parameters of `cnn-topology activation-barcodes`."""
    return layer_parameters.ActivationBarcodeParameters(
        run_seed=PLAN.config.seed,
        population=wildcards.population,
        cloud=wildcards.cloud,
        network=int(wildcards.network),
    ).dump()


def layer_distance_parameters(wildcards):
    """Return the parameters of `cnn-topology layer-distances`."""
    return layer_parameters.LayerDistanceParameters.of(
        PLAN, COMPARISONS[wildcards.cloud], wildcards.pairs
    ).dump()


def component_sensitivity_parameters(wildcards):
    """Return the parameters of `cnn-topology component-sensitivity`."""
    return layer_parameters.ComponentSensitivityParameters.of(
        PLAN, COMPARISONS[wildcards.cloud], int(wildcards.network)
    ).dump()


def measure_test_parameters(wildcards):
    """Return the parameters of `cnn-topology measure-tests`."""
    return layer_parameters.MeasureTestParameters(
        run_seed=PLAN.config.seed, draws=PLAN.config.layer_distances.draws
    ).dump()
