"""The networks M(X, ..., Z) and C(X, ..., Z) of the weights paper at any depth, one at a time or stacked."""
