"""Point clouds of spatial filters: from weights to unit vectors, and the density filter rho(k, p)."""
