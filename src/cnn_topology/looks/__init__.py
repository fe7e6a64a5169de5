"""A look at trained networks without a run: files, a PyTorch module or arrays in, a table and a page out."""
