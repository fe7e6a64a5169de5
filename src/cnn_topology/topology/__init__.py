"""Topology of point clouds: persistence engines, landmarks, loops, distances between barcodes, mapper."""
