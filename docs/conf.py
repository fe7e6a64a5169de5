"""How Sphinx builds the documentation: `make docs`."""

from cnn_topology import __version__

project = "cnn-topology"
author = copyright = "The cnn-topology developers"
release = version = __version__

extensions = ["myst_nb"]
html_theme = "furo"
html_title = f"cnn-topology {version}"
html_show_copyright = False
exclude_patterns = ["pictures", "reference"]

# The notebook is shown with the output that it was committed with; tests/face/test_tutorial.py runs it.
nb_execution_mode = "off"
# Headings are link targets by their words, as on the pages of a repository.
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath"]
