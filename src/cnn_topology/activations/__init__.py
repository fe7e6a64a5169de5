"""Point clouds of activations: hooks, positions, foreground masks, files (activations paper, sections 1.2 and 1.5)."""
