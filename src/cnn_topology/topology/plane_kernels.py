"""Compiled kernels that finish the walk over Z/2 once few classes live and none is born any more.

The value of an edge under one class is then one bit. The values of all edges at a point under a class are a row of
bits, so that all triangles of an edge are compared by a few operations on four rows, without looking up a value.
"""

# mypy: disallow-untyped-defs=False

import numpy as np

from cnn_topology.compiled import compiled

kernel = compiled()


@kernel
def finish(adjacency, planes, edges, alive, death):
    """Let sorted edges enter, each of which has a common neighbour of its ends, until no class lives.

    Parameters
    ----------
    adjacency : ndarray of uint64, shape (points, words)
        Of the state; kept up to date, as the planes are.
    planes : ndarray of uint64, shape (classes, points, words)
        The classes by birth, the youngest last.
    edges : ndarray of uint64
    alive : ndarray of bool, shape (classes,)
        Becomes false where a class dies.
    death : ndarray of uint32, shape (classes,)
        The bits of the lengths of death, written.
    """
    one = np.uint64(1)
    words = np.uint64(adjacency.shape[1])
    stride = np.uint64(adjacency.shape[0]) * words
    bits, values = adjacency.reshape(-1), planes.reshape(-1)
    for edge in edges:
        i, j = (edge >> np.uint64(16)) & np.uint64(0xFFFF), edge & np.uint64(0xFFFF)
        row, column = i * words, j * words
        value, differ = np.uint64(0), False
        for c in range(len(alive)):
            if not alive[c]:
                continue
            plane = np.uint64(c) * stride
            ones = zeros = np.uint64(0)
            for w in range(np.uint64(0), words):
                common = bits[row + w] & bits[column + w]
                total = values[plane + row + w] ^ values[plane + column + w]
                ones |= common & total
                zeros |= common & ~total
            if ones != 0:
                value |= one << np.uint64(c)
                differ = differ or zeros != 0
        if differ:
            value = _settled(bits, values, words, stride, row, column, np.uint32(edge >> np.uint64(32)), alive, death)
            if not alive.any():
                return
        at, back = row + (j >> np.uint64(6)), column + (i >> np.uint64(6))
        bit, bit_back = one << (j & np.uint64(63)), one << (i & np.uint64(63))
        bits[at] |= bit
        bits[back] |= bit_back
        for c in range(len(alive)):
            if alive[c] and value >> np.uint64(c) & one:
                values[np.uint64(c) * stride + at] |= bit
                values[np.uint64(c) * stride + back] |= bit_back


@kernel
def _settled(bits, values, words, stride, row, column, length, alive, death):
    """Compare the triangles of an edge one by one, end the youngest class in each difference, and return its value.

    A difference d of two vectors becomes zero: where the dying class has the value 1, every older class in d changes
    its value.
    """
    one = np.uint64(1)
    known, value = False, np.uint64(0)
    for w in range(words):
        common = bits[row + w] & bits[column + w]
        while common != 0:
            lowest = common & (~common + one)
            common ^= lowest
            vector = np.uint64(0)
            for c in range(len(alive)):
                plane = np.uint64(c) * stride
                if alive[c] and (values[plane + row + w] ^ values[plane + column + w]) & lowest:
                    vector |= one << np.uint64(c)
            if not known:
                known, value = True, vector
                continue
            difference = value ^ vector
            if difference == 0:
                continue
            youngest = len(alive) - 1
            while not difference >> np.uint64(youngest) & one:
                youngest -= 1
            for c in range(youngest):
                if difference >> np.uint64(c) & one:
                    for m in range(stride):
                        values[np.uint64(c) * stride + m] ^= values[np.uint64(youngest) * stride + m]
            if value >> np.uint64(youngest) & one:
                value ^= difference
            alive[youngest] = False
            death[youngest] = length
    return value
