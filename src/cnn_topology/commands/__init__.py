"""One module per verb: reads artefacts, calls the pure functions of one package, writes artefacts."""
