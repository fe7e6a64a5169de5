"""Mapper graphs of point clouds: lens, cover, clustering in each cube, nerve, and what is read off the graph.

Two papers use them: weights (Gabrielsson and Carlsson, arXiv:1810.03234, method, steps 6 and 7) and activations
(Purvine et al., arXiv:2212.00222). `recipes` holds one function for each; the other modules are their parts.
"""
