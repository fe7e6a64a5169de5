"""Compiled kernels of the annotations engine: sparse cocycle vectors, their ids, and the walk over the edges.

`annotations` explains the method and owns the memory. Notation: a *class* is one H1 class, numbered by birth; a
*vector* is a strictly decreasing list of entries ``2 * class + sign`` (sign 1 stands for the coefficient -1 of Z/3 and
is always 0 over Z/2); an *id* names one vector; a *value* is ``2 * id + sign``, and 0 is the zero vector.

One file on purpose: compiled code is cached per file and holds what it calls from others, so a change in another file
would go unnoticed.
"""

# mypy: disallow-untyped-defs=False

from typing import NamedTuple

import numpy as np

from cnn_topology.compiled import compiled

kernel = compiled()

# Slots of the array of counters.
IDS, WORDS, NODES, FREE, LIVE, CLASSES, FILLED, MERGES, NEED_WORDS, NEED_NODES, NEED_IDS = range(11)
COUNTERS = 11

# Sums of two values are remembered here: a power of two, so that the cache stays within the second-level cache.
SUM_BITS = 13
NOT_STORED = np.uint32(0xFFFFFFFF)

UNREAD = np.uint32(0x80000000)  # set in the entry of an edge that holds its length and not yet its value


class State(NamedTuple):
    """Everything the walk changes; arrays that run full are replaced by larger ones between two calls.

    Attributes
    ----------
    entry : ndarray of uint32, shape (pairs,)
        Condensed: the bits of the float32 length with the top bit set, from the edge's turn on its value. Of a sparse
        graph the edges alone, row by row.
    starts, columns : ndarray of int64 and int32
        Of a sparse graph: where the row of each point begins in `entry`, and the other end of each edge. Else empty.
    adjacency : ndarray of uint64, shape (points, words)
        Bit j of row i: the edge ij has entered, or i is j: a common neighbour answers for itself as well.
    marked : ndarray of uint64, shape (points, words)
        Bit j of row i: the value of the edge ij was not zero when it was last looked at. Others are zero: a vector that
        is zero stays so.
    marks : ndarray of int32, shape (points,)
        Bits set in each row of `marked`.
    component : ndarray of int32, shape (points,)
        Union-find over the points.
    merged : ndarray of float32, shape (points,)
        Lengths at which two components merged.
    counters : ndarray of int64
    forward : ndarray of uint32, shape (ids,)
        Value that an id stands for: ``2 * id`` while it is a vector of its own, otherwise that of the equal one.
    start, size, code : ndarray, shape (ids,)
        Place of the vector in `words`, its length, its hash.
    words : ndarray of int32
        Storage of the vectors.
    head : ndarray of int32, shape (classes,)
        First node of the list of ids whose vectors hold, or once held, the class.
    node_id, node_next : ndarray of int32
    table : ndarray of int32
        Open hash table of ids by vector; 0 is an empty place. Stale places are recognised, never deleted.
    sum_key, sum_value : ndarray
        Remembered sums of two values. They stay true when a class dies: vectors change by a linear map.
    birth, death : ndarray of float32, shape (classes,)
    birth_pair : ndarray of uint32, shape (classes,)
    """

    entry: np.ndarray
    starts: np.ndarray
    columns: np.ndarray
    adjacency: np.ndarray
    marked: np.ndarray
    marks: np.ndarray
    component: np.ndarray
    merged: np.ndarray
    counters: np.ndarray
    forward: np.ndarray
    start: np.ndarray
    size: np.ndarray
    code: np.ndarray
    words: np.ndarray
    head: np.ndarray
    node_id: np.ndarray
    node_next: np.ndarray
    table: np.ndarray
    sum_key: np.ndarray
    sum_value: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    birth_pair: np.ndarray


@kernel
def negated(value, field):
    """Return the value of the opposite vector; over Z/2 and for zero it is the same."""
    return value ^ np.uint32(1) if field == 3 and value != 0 else value


@kernel
def resolved(forward, value):
    """Follow a value to the id that holds its vector now, and shorten the way for the next time."""
    if value == 0:
        return np.uint32(0)
    at = value >> np.uint32(1)
    following = forward[at]
    if following >> np.uint32(1) == at:
        return value
    sign = value & np.uint32(1)
    while following != 0 and forward[following >> np.uint32(1)] >> np.uint32(1) != following >> np.uint32(1):
        further = forward[following >> np.uint32(1)]
        following = further ^ (following & np.uint32(1)) if further != 0 else np.uint32(0)
    forward[at] = following
    return following ^ sign if following != 0 else following


@kernel
def combined(a, a_start, a_size, a_sign, b, b_start, b_size, b_sign, field, out):
    """Write (+-a) + (+-b), vectors that start somewhere in `a` and `b`, to `out` and return its length."""
    m, n, size = a_start, b_start, 0
    a_end, b_end = a_start + a_size, b_start + b_size
    while m < a_end and n < b_end:
        left, right = a[m] ^ a_sign, b[n] ^ b_sign
        if left >> 1 > right >> 1:
            out[size] = left
            size += 1
            m += 1
        elif right >> 1 > left >> 1:
            out[size] = right
            size += 1
            n += 1
        else:
            if field == 3 and left == right:  # 1 + 1 = -1 over Z/3
                out[size] = left ^ 1
                size += 1
            m += 1
            n += 1
    while m < a_end:
        out[size] = a[m] ^ a_sign
        size += 1
        m += 1
    while n < b_end:
        out[size] = b[n] ^ b_sign
        size += 1
        n += 1
    return size


@kernel
def hashed(vector, size):
    """Hash a vector up to its sign."""
    sign = vector[0] & 1
    code = np.uint64(size)
    for m in range(size):
        code = (code ^ np.uint64(vector[m] ^ sign)) * np.uint64(0x9E3779B97F4A7C15)
        code ^= code >> np.uint64(29)
    return code


@kernel
def found(state, vector, size, code):
    """Return the value of a vector that has an id already (its own sign included), or `NOT_STORED`."""
    table, codes, sizes, forward, start, words = (
        state.table,
        state.code,
        state.size,
        state.forward,
        state.start,
        state.words,
    )
    mask = len(table) - 1
    place = np.int64(code & np.uint64(mask))
    while table[place] != 0:
        at = table[place]
        if codes[at] == code and sizes[at] == size and forward[at] == np.uint32(2 * at):
            begin = start[at]
            sign = words[begin] ^ vector[0]
            same = sign <= 1
            for m in range(size):
                if words[begin + m] ^ vector[m] != sign:
                    same = False
                    break
            if same:
                return np.uint32(2 * at + sign)
        place = (place + 1) & mask
    return NOT_STORED


@kernel
def enter(state, at, code):
    """Put an id into the hash table."""
    table = state.table
    mask = len(table) - 1
    place = np.int64(code & np.uint64(mask))
    while table[place] != 0:
        place = (place + 1) & mask
    table[place] = at
    state.counters[FILLED] += 1


@kernel
def listed(state, what, at):
    """Note in the list of a class that the vector of an id holds it."""
    counters, node_id, node_next, head = state.counters, state.node_id, state.node_next, state.head
    node = counters[FREE]
    if node >= 0:
        counters[FREE] = node_next[node]
    else:
        node = counters[NODES]
        counters[NODES] += 1
    node_id[node] = at
    node_next[node] = head[what]
    head[what] = node


@kernel
def stored(state, vector, size, code):
    """Assign a new id to a vector and return its value."""
    counters, forward, start, sizes, codes, words = (
        state.counters,
        state.forward,
        state.start,
        state.size,
        state.code,
        state.words,
    )
    at = counters[IDS]
    counters[IDS] += 1
    begin = counters[WORDS]
    counters[WORDS] += size
    forward[at] = 2 * at
    start[at] = begin
    sizes[at] = size
    codes[at] = code
    for m in range(size):
        words[begin + m] = vector[m]
        listed(state, vector[m] >> 1, at)
    enter(state, at, code)
    return np.uint32(2 * at)


@kernel
def added(state, x, y, field, store, scratch):
    """Return the value x + y of two resolved values; if it has no id, give it one or return `NOT_STORED`."""
    if x == 0:
        return y
    if y == 0:
        return x
    if x >> np.uint32(1) == y >> np.uint32(1):
        return negated(x, field) if field == 3 and x == y else np.uint32(0)
    low, high = min(x, y), max(x, y)
    key = (np.uint64(low) << np.uint64(32)) | np.uint64(high)
    place = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - SUM_BITS))
    if state.sum_key[place] == key:
        return resolved(state.forward, state.sum_value[place])
    left, right = np.int64(low >> np.uint32(1)), np.int64(high >> np.uint32(1))
    size = combined(
        state.words, state.start[left], state.size[left], np.int32(low & np.uint32(1)),
        state.words, state.start[right], state.size[right], np.int32(high & np.uint32(1)),
        field, scratch,
    )  # fmt: skip
    # Two ids never hold equal vectors, so the sum is not zero.
    code = hashed(scratch, size)
    value = found(state, scratch, size, code)
    if value == NOT_STORED:
        if not store:
            return NOT_STORED
        value = stored(state, scratch, size, code)
    state.sum_key[place] = key
    state.sum_value[place] = value
    return value


@kernel
def room_to_kill(state, pivot, size):
    """Whether all vectors that hold the dying class can be rewritten; leave what is needed in the counters."""
    counters, head, node_id, node_next, forward, sizes = (
        state.counters,
        state.head,
        state.node_id,
        state.node_next,
        state.forward,
        state.size,
    )
    count = words = 0
    node = head[pivot]
    while node >= 0:
        at = node_id[node]
        if forward[at] == np.uint32(2 * at):
            count += 1
            words += sizes[at] + size
        node = node_next[node]
    counters[NEED_WORDS] = words
    counters[NEED_NODES] = count * size
    counters[NEED_IDS] = count
    return (
        counters[WORDS] + words <= len(state.words)
        and counters[NODES] + count * size <= len(node_id)
        and 2 * (counters[FILLED] + count) <= len(state.table)
    )


@kernel
def kill(state, relation, size, length, field, scratch):
    """End the youngest class of a relation among the live classes, and rewrite every vector that holds it."""
    counters, head, node_id, node_next, forward, start, sizes, words, codes = (
        state.counters,
        state.head,
        state.node_id,
        state.node_next,
        state.forward,
        state.start,
        state.size,
        state.words,
        state.code,
    )
    pivot, pivot_sign = relation[0] >> 1, relation[0] & 1
    node = head[pivot]
    last = node
    while node >= 0:
        at = node_id[node]
        last, node = node, node_next[node]
        if forward[at] != np.uint32(2 * at):
            continue
        begin, old = start[at], sizes[at]
        m = 0
        while m < old and words[begin + m] >> 1 > pivot:
            m += 1
        if m == old or words[begin + m] >> 1 != pivot:
            continue
        # Over Z/3 the multiple of the relation that cancels the class is -1 where both coefficients agree.
        sign = np.int32(1) if field == 3 and (words[begin + m] & 1) == pivot_sign else np.int32(0)
        new = combined(words, begin, old, np.int32(0), relation, 0, size, sign, field, scratch)
        code = hashed(scratch, new) if new else np.uint64(0)
        value = found(state, scratch, new, code) if new else np.uint32(0)
        if value != NOT_STORED:
            forward[at] = value
            continue
        m = 0
        for n in range(1, size):
            what = relation[n] >> 1
            while m < old and words[begin + m] >> 1 > what:
                m += 1
            if m == old or words[begin + m] >> 1 != what:
                listed(state, what, at)
        if new > old:
            begin = counters[WORDS]
            counters[WORDS] += new
            start[at] = begin
        for n in range(new):
            words[begin + n] = scratch[n]
        sizes[at] = new
        codes[at] = code
        enter(state, at, code)
    node_next[last] = counters[FREE]
    counters[FREE] = head[pivot]
    head[pivot] = -1
    counters[LIVE] -= 1
    state.death[pivot] = length


@kernel
def place(starts, columns, points, i, j):
    """Return where the entry of an edge i < j stands, which is there."""
    if len(starts) == 0:
        return i * (2 * points - i - 3) // 2 + j - 1
    low, high = starts[i], starts[i + 1] - 1
    while low < high:
        middle = (low + high) >> 1
        if columns[middle] < j:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def raw_value(entry, starts, columns, points, tail, head, field):
    """Return the value of the edge from `tail` to `head`, not resolved."""
    if tail < head:
        return entry[place(starts, columns, points, tail, head)]
    return negated(entry[place(starts, columns, points, head, tail)], field)


@kernel
def root(component, i):
    """Return the representative of the component of point i."""
    while component[i] != i:
        component[i] = component[component[i]]
        i = component[i]
    return i


@kernel
def walk(state, edges, points, field, last, few):
    """Let sorted edges enter in their order.

    Most edges lie where every value is zero: four rows of bits tell so, and no value is looked up.

    Parameters
    ----------
    state : State
    edges : ndarray of uint64
        The bits of the length, then both points.
    points, field : int
    last : uint64
        No class is born, and no components merge, on edges from here on.
    few : int
        The walk ends on those edges as soon as no more classes than this live.

    Returns
    -------
    int
        The first edge not done: all, unless the walk ends here or an array has run full.
    """
    # One flat array and unsigned indices: rows as slices cost a reference count each, and signed or two-dimensional
    # indices turn the loops over words into gathers (both measured, a factor of three).
    bits, marked, marks = state.adjacency.reshape(-1), state.marked.reshape(-1), state.marks
    words = np.uint64(state.adjacency.shape[1])  # a multiple of 8
    entry, counters, component, forward = state.entry, state.counters, state.component, state.forward
    starts, columns = state.starts, state.columns
    key = np.empty(1, dtype=np.uint32)
    length = key.view(np.float32)
    common = np.empty(words, dtype=np.uint64)
    scratch = np.empty(4 * len(state.head) + 64, dtype=np.int32)
    relation = np.empty(4 * len(state.head) + 64, dtype=np.int32)
    for position in range(len(edges)):
        edge = edges[position]
        if edge >= last and counters[LIVE] <= few:
            return position
        i, j = (edge >> np.uint64(16)) & np.uint64(0xFFFF), edge & np.uint64(0xFFFF)
        row, column = i * words, j * words
        key[0] = np.uint32(edge >> np.uint64(32))
        value = np.uint32(0)
        joint = touched = np.uint64(0)
        if counters[LIVE] == 0 or marks[i] + marks[j] == 0:
            w = np.uint64(0)
            while joint == 0 and w < words:
                for v in range(w, w + np.uint64(8)):
                    joint |= bits[row + v] & bits[column + v]
                w += np.uint64(8)
        else:
            for w in range(np.uint64(0), words):
                both = bits[row + w] & bits[column + w]
                joint |= both
                touched |= both & (marked[row + w] | marked[column + w])
        if joint == 0:
            left, right = root(component, np.int64(i)), root(component, np.int64(j))
            if left != right:
                component[max(left, right)] = min(left, right)
                state.merged[counters[MERGES]] = length[0]
                counters[MERGES] += 1
            else:
                if not room_to_store(state, 1):
                    return position
                value = born(state, length[0], edge, scratch)
        elif touched != 0:
            known = False
            w = np.uint64(0)
            while w < words and bits[row + w] & bits[column + w] & ~(marked[row + w] | marked[column + w]) == 0:
                w += np.uint64(1)
            if w < words:
                # A common neighbour with two zero values: the edge's value is zero, and so is the sum of each triangle
                # whose third point is joined to it.
                known = True
                k = lowest_bit(bits[row + w] & bits[column + w] & ~(marked[row + w] | marked[column + w]))
                zero = (np.uint64(64) * w + k) * words
                for v in range(np.uint64(0), words):
                    common[v] = (
                        bits[row + v] & bits[column + v] & (marked[row + v] | marked[column + v]) & ~bits[zero + v]
                    )
            else:
                for v in range(np.uint64(0), words):
                    common[v] = bits[row + v] & bits[column + v]
            w = np.uint64(0)
            while w < words:
                if common[w] == 0:
                    w += np.uint64(1)
                    continue
                k = np.uint64(64) * w + lowest_bit(common[w])
                x = resolved(forward, raw_value(entry, starts, columns, points, np.int64(i), np.int64(k), field))
                y = resolved(forward, raw_value(entry, starts, columns, points, np.int64(k), np.int64(j), field))
                if x == 0:
                    unmark(marked, marks, words, i, k)
                if y == 0:
                    unmark(marked, marks, words, k, j)
                # Most sums need no vector: to hand over the state costs a reference count of each of its arrays.
                simple, total = x == 0 or y == 0, x ^ y
                if not simple and x >> np.uint32(1) == y >> np.uint32(1):
                    simple, total = True, negated(x, field) if field == 3 and x == y else np.uint32(0)
                if simple and not known:
                    value = total
                elif not simple or total != value:
                    value = compared(state, x, y, value, known, field, length[0], scratch, relation)
                    if value == NOT_STORED:
                        return position
                known = True
                neighbours = k * words
                for v in range(w, words):
                    common[v] &= ~bits[neighbours + v]
        entry[place(starts, columns, points, np.int64(i), np.int64(j))] = value
        bit, back = np.uint64(1) << (j & np.uint64(63)), np.uint64(1) << (i & np.uint64(63))
        bits[row + (j >> np.uint64(6))] |= bit
        bits[column + (i >> np.uint64(6))] |= back
        if value != 0:
            marked[row + (j >> np.uint64(6))] |= bit
            marked[column + (i >> np.uint64(6))] |= back
            marks[i] += 1
            marks[j] += 1
    return len(edges)


@kernel
def unmark(marked, marks, words, i, j):
    """Note that the value of the edge ij is zero, or has become so."""
    at, bit = i * words + (j >> np.uint64(6)), np.uint64(1) << (j & np.uint64(63))
    if marked[at] & bit:
        marked[at] ^= bit
        marked[j * words + (i >> np.uint64(6))] ^= np.uint64(1) << (i & np.uint64(63))
        marks[i] -= 1
        marks[j] -= 1


@kernel
def compared(state, x, y, value, known, field, length, scratch, relation):
    """Take x + y, from one triangle, as the value of its last edge, or compare it: a difference kills a class.

    Returns
    -------
    int
        The value of the edge afterwards, or `NOT_STORED` if an array has run full.
    """
    if not known:
        if not room_to_store(state, state.counters[LIVE]):
            return NOT_STORED
        return added(state, x, y, field, True, scratch)
    if added(state, x, y, field, False, scratch) == value:
        return value
    size = _relation(state, x, y, value, field, scratch, relation)
    if not room_to_kill(state, relation[0] >> 1, size):
        return NOT_STORED
    kill(state, relation, size, length, field, scratch)
    return resolved(state.forward, value)


@kernel
def room_to_store(state, size):
    """Whether one more class, and one more vector of this length, can be stored."""
    counters = state.counters
    return (
        counters[CLASSES] < len(state.head)
        and counters[IDS] + 2 <= len(state.forward)
        and counters[WORDS] + size <= len(state.words)
        and counters[NODES] + size <= len(state.node_id)
        and 2 * (counters[FILLED] + 2) <= len(state.table)
    )


@kernel
def born(state, length, edge, scratch):
    """Start a class on an edge and return the value of the edge."""
    what = state.counters[CLASSES]
    state.counters[CLASSES] += 1
    state.counters[LIVE] += 1
    state.head[what] = -1
    state.birth[what] = length
    state.death[what] = np.inf
    state.birth_pair[what] = np.uint32(edge & np.uint64(0xFFFFFFFF))
    scratch[0] = 2 * what
    return stored(state, scratch, 1, hashed(scratch, 1))


@kernel
def lowest_bit(word):
    """Return the position of the lowest bit set in a word that is not zero."""
    word &= ~word + np.uint64(1)
    position = np.uint64(0)
    for shift in (32, 16, 8, 4, 2, 1):
        if word >> np.uint64(shift):
            word >>= np.uint64(shift)
            position += np.uint64(shift)
    return position


@kernel
def _relation(state, x, y, value, field, scratch, relation):
    """Write the vector x + y - value to `relation` and return its length."""
    words, start, sizes = state.words, state.start, state.size
    a, b, c = np.int64(x >> np.uint32(1)), np.int64(y >> np.uint32(1)), np.int64(value >> np.uint32(1))
    size = combined(
        words, start[a], sizes[a], np.int32(x & np.uint32(1)),
        words, start[b], sizes[b], np.int32(y & np.uint32(1)), field, scratch,
    )  # fmt: skip
    minus = np.int32(value & np.uint32(1))
    if field == 3:
        minus ^= np.int32(1)
    return combined(scratch, 0, size, np.int32(0), words, start[c], sizes[c], minus, field, relation)


@kernel
def repacked(state, target):
    """Copy the vectors of all ids that still hold one into the larger arrays of `target`; values stay as they are."""
    for at in range(1, state.counters[IDS]):
        target.forward[at] = state.forward[at]
        if state.forward[at] != np.uint32(2 * at):
            continue
        size, begin = state.size[at], target.counters[WORDS]
        target.start[at] = begin
        target.size[at] = size
        target.code[at] = state.code[at]
        target.counters[WORDS] += size
        for m in range(size):
            target.words[begin + m] = state.words[state.start[at] + m]
            listed(target, target.words[begin + m] >> 1, at)
        enter(target, at, state.code[at])


@kernel
def measured(state):
    """Count the ids that hold a vector and the words of their vectors."""
    ids = words = 0
    for at in range(1, state.counters[IDS]):
        if state.forward[at] == np.uint32(2 * at):
            ids += 1
            words += state.size[at]
    return ids, words


@kernel
def fill_planes(state, points, classes, planes):
    """Write the values of the entered edges under some live classes.

    Parameters
    ----------
    state : State
    points : int
    classes : ndarray of int32, shape (classes,)
        At most 64.
    planes : ndarray of uint64, shape (classes, points, words)
        Zeros; bit j of row i of plane c becomes the value of the edge ij under class c.
    """
    at = np.int64(0)
    for i in range(points - 1):
        for j in range(i + 1, points):
            value = state.entry[at]
            at += 1
            if value >= UNREAD or value == 0:
                continue
            value = resolved(state.forward, value)
            if value == 0:
                continue
            holder = np.int64(value >> np.uint32(1))
            for m in range(state.start[holder], state.start[holder] + state.size[holder]):
                for c in range(len(classes)):
                    if classes[c] == state.words[m] >> 1:
                        planes[c, i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
                        planes[c, j, i >> 6] |= np.uint64(1) << np.uint64(i & 63)
