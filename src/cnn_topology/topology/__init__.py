"""Topology of point clouds: persistence engines, landmarks, cocycles, distances between barcodes, mapper."""
