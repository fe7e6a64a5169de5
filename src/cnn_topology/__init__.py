"""The topology of convolutional neural networks: their weights, activations and training, as point clouds."""
