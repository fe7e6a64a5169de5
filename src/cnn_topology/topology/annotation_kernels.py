"""Compiled kernels of the annotations engine: sparse cocycle vectors, their ids, and the walk over the edges.

`annotations` explains the method and owns the memory. Notation: a *class* is one H1 class, numbered by birth; a
*vector* is a strictly decreasing list of entries ``2 * class + sign`` (sign 1 stands for the coefficient -1 of Z/3 and
is always 0 over Z/2); an *id* names one vector; a *value* is ``2 * id + sign``, and 0 is the zero vector.

One file on purpose: compiled code is cached per file and holds what it calls from others, so a change in another file
would go unnoticed.
"""

# mypy: disallow-untyped-defs=False

from typing import NamedTuple

import numba as nb
import numpy as np

kernel = nb.njit(nogil=True, cache=True)

# Slots of the array of counters.
IDS, WORDS, NODES, FREE, LIVE, CLASSES, FILLED, MERGES, NEED_WORDS, NEED_NODES, NEED_IDS = range(11)
COUNTERS = 11

# Sums of two values are remembered here: a power of two, so that the cache stays within the second-level cache.
SUM_BITS = 13
NOT_STORED = np.uint32(0xFFFFFFFF)

# A scan keeps at most this many triangles for an edge; an edge that needs more is done again when it enters.
TRIANGLES = 4
MANY = 127
UNREAD = np.uint32(0x80000000)  # set in the entry of an edge that holds its length and not yet its value


class State(NamedTuple):
    """Everything the walk changes; arrays that run full are replaced by larger ones between two calls.

    Attributes
    ----------
    entry : ndarray of uint32, shape (pairs,)
        Condensed: the bits of the float32 length with the top bit set, from the edge's turn on its value.
    adjacency : ndarray of uint64, shape (points, words)
        Bit j of row i: the edge ij has entered, or i is j: a common neighbour answers for itself as well.
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
    adjacency: np.ndarray
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
def combined(a, a_size, a_sign, b, b_size, b_sign, field, out):
    """Write (+-a) + (+-b) to `out` and return its length."""
    m = n = size = 0
    while m < a_size and n < b_size:
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
    while m < a_size:
        out[size] = a[m] ^ a_sign
        size += 1
        m += 1
    while n < b_size:
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
    mask = len(state.table) - 1
    place = np.int64(code & np.uint64(mask))
    while state.table[place] != 0:
        at = state.table[place]
        if state.code[at] == code and state.size[at] == size and state.forward[at] == np.uint32(2 * at):
            begin = state.start[at]
            sign = state.words[begin] ^ vector[0]
            same = sign <= 1
            for m in range(size):
                if state.words[begin + m] ^ vector[m] != sign:
                    same = False
                    break
            if same:
                return np.uint32(2 * at + sign)
        place = (place + 1) & mask
    return NOT_STORED


@kernel
def enter(state, at, code):
    """Put an id into the hash table."""
    mask = len(state.table) - 1
    place = np.int64(code & np.uint64(mask))
    while state.table[place] != 0:
        place = (place + 1) & mask
    state.table[place] = at
    state.counters[FILLED] += 1


@kernel
def listed(state, what, at):
    """Note in the list of a class that the vector of an id holds it."""
    node = state.counters[FREE]
    if node >= 0:
        state.counters[FREE] = state.node_next[node]
    else:
        node = state.counters[NODES]
        state.counters[NODES] += 1
    state.node_id[node] = at
    state.node_next[node] = state.head[what]
    state.head[what] = node


@kernel
def stored(state, vector, size, code):
    """Assign a new id to a vector and return its value."""
    at = state.counters[IDS]
    state.counters[IDS] += 1
    begin = state.counters[WORDS]
    state.counters[WORDS] += size
    state.forward[at] = 2 * at
    state.start[at] = begin
    state.size[at] = size
    state.code[at] = code
    for m in range(size):
        state.words[begin + m] = vector[m]
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
        state.words[state.start[left] :], state.size[left], np.int32(low & np.uint32(1)),
        state.words[state.start[right] :], state.size[right], np.int32(high & np.uint32(1)),
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
    count = words = 0
    node = state.head[pivot]
    while node >= 0:
        at = state.node_id[node]
        if state.forward[at] == np.uint32(2 * at):
            count += 1
            words += state.size[at] + size
        node = state.node_next[node]
    state.counters[NEED_WORDS] = words
    state.counters[NEED_NODES] = count * size
    state.counters[NEED_IDS] = count
    return (
        state.counters[WORDS] + words <= len(state.words)
        and state.counters[NODES] + count * size <= len(state.node_id)
        and 2 * (state.counters[FILLED] + count) <= len(state.table)
    )


@kernel
def kill(state, relation, size, length, field, scratch):
    """End the youngest class of a relation among the live classes, and rewrite every vector that holds it."""
    pivot, pivot_sign = relation[0] >> 1, relation[0] & 1
    node = state.head[pivot]
    last = node
    while node >= 0:
        at = state.node_id[node]
        last, node = node, state.node_next[node]
        if state.forward[at] != np.uint32(2 * at):
            continue
        begin, old = state.start[at], state.size[at]
        m = 0
        while m < old and state.words[begin + m] >> 1 > pivot:
            m += 1
        if m == old or state.words[begin + m] >> 1 != pivot:
            continue
        # Over Z/3 the multiple of the relation that cancels the class is -1 where both coefficients agree.
        sign = np.int32(1) if field == 3 and (state.words[begin + m] & 1) == pivot_sign else np.int32(0)
        new = combined(state.words[begin:], old, np.int32(0), relation, size, sign, field, scratch)
        if new == 0:
            state.forward[at] = 0
            continue
        code = hashed(scratch, new)
        value = found(state, scratch, new, code)
        if value != NOT_STORED:
            state.forward[at] = value
            continue
        m = 0
        for n in range(1, size):
            what = relation[n] >> 1
            while m < old and state.words[begin + m] >> 1 > what:
                m += 1
            if m == old or state.words[begin + m] >> 1 != what:
                listed(state, what, at)
        if new > old:
            begin = state.counters[WORDS]
            state.counters[WORDS] += new
            state.start[at] = begin
        for n in range(new):
            state.words[begin + n] = scratch[n]
        state.size[at] = new
        state.code[at] = code
        enter(state, at, code)
    state.node_next[last] = state.counters[FREE]
    state.counters[FREE] = state.head[pivot]
    state.head[pivot] = -1
    state.counters[LIVE] -= 1
    state.death[pivot] = length


@kernel
def raw_value(entry, points, tail, head, field):
    """Return the value of the edge from `tail` to `head`, not resolved."""
    if tail < head:
        return entry[tail * (2 * points - tail - 3) // 2 + head - 1]
    return negated(entry[head * (2 * points - head - 3) // 2 + tail - 1], field)


@kernel
def root(component, i):
    """Return the representative of the component of point i."""
    while component[i] != i:
        component[i] = component[component[i]]
        i = component[i]
    return i


@kernel
def scan(entry, adjacency, edges, points, field, live, status, pairs, begin, end):
    """Find common neighbours of the edges of a batch in the graph before the batch; it writes nothing shared.

    Parameters
    ----------
    entry, adjacency : ndarray
        Of the state.
    edges : ndarray of uint64, shape (batch,)
    points, field, live : int
    status : ndarray of int8, shape (batch,)
        Number of triangles looked at: 0 if there are no common neighbours, `MANY` if `TRIANGLES` are too few.
    pairs : ndarray of uint32, shape (batch, 2 TRIANGLES)
        Values of the two other edges of each triangle; zero when no class is alive.
    begin, end : int
        The part of the batch to do.
    """
    # One flat array and unsigned indices: rows as slices cost a reference count each, and signed or two-dimensional
    # indices turn the loops over words into gathers (both measured, a factor of three).
    bits = adjacency.reshape(-1)
    words = np.uint64(adjacency.shape[1])
    common = np.empty(words, dtype=np.uint64)
    for position in range(begin, end):
        edge = edges[position]
        i, j = (edge >> np.uint64(16)) & np.uint64(0xFFFF), edge & np.uint64(0xFFFF)
        row, column = i * words, j * words
        w = np.uint64(0)
        while w < words and bits[row + w] & bits[column + w] == 0:
            w += np.uint64(1)
        if w == words or live == 0:
            status[position] = 0 if w == words else 1
            pairs[position, 0] = pairs[position, 1] = 0
            continue
        # One common neighbour answers for all its own neighbours among the rest.
        k = np.uint64(64) * w + lowest_bit(bits[row + w] & bits[column + w])
        pairs[position, 0] = raw_value(entry, points, np.int64(i), np.int64(k), field)
        pairs[position, 1] = raw_value(entry, points, np.int64(k), np.int64(j), field)
        neighbours = k * words
        rest = np.uint64(0)
        for v in range(np.uint64(0), words):
            rest |= bits[row + v] & bits[column + v] & ~bits[neighbours + v]
        count = 1
        if rest != 0:
            for v in range(np.uint64(0), words):
                common[v] = bits[row + v] & bits[column + v] & ~bits[neighbours + v]
            while w < words:
                if common[w] == 0:
                    w += np.uint64(1)
                    continue
                if count == TRIANGLES:
                    count = MANY
                    break
                k = np.uint64(64) * w + lowest_bit(common[w])
                pairs[position, 2 * count] = raw_value(entry, points, np.int64(i), np.int64(k), field)
                pairs[position, 2 * count + 1] = raw_value(entry, points, np.int64(k), np.int64(j), field)
                count += 1
                neighbours = k * words
                for v in range(w, words):
                    common[v] &= ~bits[neighbours + v]
        status[position] = count


@kernel
def settle(state, edges, points, field, status, pairs, first, following, other):
    """Let the edges of a scanned batch enter in order; return the first not done: all, unless an array has run full.

    The scan saw the graph before the batch. What it could not see are triangles with another edge of the batch: those
    edges are kept in a list for every point.

    Parameters
    ----------
    state : State
    edges, status, pairs
        The batch, as for `scan`.
    points, field : int
    first : ndarray of int32, shape (points,)
    following, other : ndarray of int32, shape (2 batch,)
        Room for the lists.
    """
    bits = state.adjacency.reshape(-1)
    words = np.uint64(state.adjacency.shape[1])
    entry, forward, counters, component = state.entry, state.forward, state.counters, state.component
    key = np.empty(1, dtype=np.uint32)
    key_length = key.view(np.float32)
    common = np.empty(words, dtype=np.uint64)
    scratch = np.empty(4 * len(state.head) + 64, dtype=np.int32)
    relation = np.empty(4 * len(state.head) + 64, dtype=np.int32)
    first[:] = -1
    for position in range(len(edges)):
        edge = edges[position]
        i, j = (edge >> np.uint64(16)) & np.uint64(0xFFFF), edge & np.uint64(0xFFFF)
        row, column = i * words, j * words
        value = np.uint32(0)
        count = status[position]
        if count == 0 or counters[LIVE] > 0:
            key[0] = np.uint32(edge >> np.uint64(32))
            known = False
            if count == MANY:
                w = np.uint64(0)
                for v in range(np.uint64(0), words):
                    common[v] = bits[row + v] & bits[column + v]
                while w < words:
                    if common[w] == 0:
                        w += np.uint64(1)
                        continue
                    k = np.uint64(64) * w + lowest_bit(common[w])
                    x = resolved(forward, raw_value(entry, points, np.int64(i), np.int64(k), field))
                    y = resolved(forward, raw_value(entry, points, np.int64(k), np.int64(j), field))
                    if not known or not ((x == value and y == 0) or (x == 0 and y == value)):
                        value = compared(state, x, y, value, known, field, key_length[0], scratch, relation)
                        if value == NOT_STORED:
                            return position
                    known = True
                    neighbours = k * words
                    for v in range(w, words):
                        common[v] &= ~bits[neighbours + v]
            else:
                for m in range(count):
                    x, y = resolved(forward, pairs[position, 2 * m]), resolved(forward, pairs[position, 2 * m + 1])
                    if not known and (x == 0 or y == 0):
                        value = x ^ y
                    elif not known or not ((x == value and y == 0) or (x == 0 and y == value)):
                        value = compared(state, x, y, value, known, field, key_length[0], scratch, relation)
                        if value == NOT_STORED:
                            return position
                    known = True
                for side in range(2):
                    near, far = (i, column) if side == 0 else (j, row)
                    node = first[near]
                    while node >= 0:
                        k = np.uint64(other[node])
                        node = following[node]
                        if bits[far + (k >> np.uint64(6))] >> (k & np.uint64(63)) & np.uint64(1):
                            x = resolved(forward, raw_value(entry, points, np.int64(i), np.int64(k), field))
                            y = resolved(forward, raw_value(entry, points, np.int64(k), np.int64(j), field))
                            if not known or not ((x == value and y == 0) or (x == 0 and y == value)):
                                value = compared(state, x, y, value, known, field, key_length[0], scratch, relation)
                                if value == NOT_STORED:
                                    return position
                            known = True
            if not known:
                left, right = root(component, np.int64(i)), root(component, np.int64(j))
                if left != right:
                    component[max(left, right)] = min(left, right)
                    state.merged[counters[MERGES]] = key_length[0]
                    counters[MERGES] += 1
                else:
                    if not room_to_store(state, 1):
                        return position
                    value = born(state, key_length[0], edge, scratch)
        entry[np.int64(i) * (2 * points - np.int64(i) - 3) // 2 + np.int64(j) - 1] = value
        bits[row + (j >> np.uint64(6))] |= np.uint64(1) << (j & np.uint64(63))
        bits[column + (i >> np.uint64(6))] |= np.uint64(1) << (i & np.uint64(63))
        node = 2 * position
        other[node], other[node + 1] = j, i
        following[node], following[node + 1] = first[i], first[j]
        first[i], first[j] = node, node + 1
    return len(edges)


@kernel
def walk(state, edges, points, field, status, pairs, first, following, other):
    """Scan and settle batch by batch; return the first edge not done: all, unless an array has run full."""
    batch = len(status)
    begin = 0
    while begin < len(edges):
        part = edges[begin : begin + batch]
        scan(
            state.entry, state.adjacency, part, points, field, state.counters[LIVE], status, pairs, 0, len(part)
        )  # fmt: skip
        done = settle(state, part, points, field, status, pairs, first, following, other)
        begin += done
        if done < len(part):
            break
    return begin


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
        words[start[a] :], sizes[a], np.int32(x & np.uint32(1)),
        words[start[b] :], sizes[b], np.int32(y & np.uint32(1)), field, scratch,
    )  # fmt: skip
    minus = np.int32(value & np.uint32(1))
    if field == 3:
        minus ^= np.int32(1)
    return combined(scratch, size, np.int32(0), words[start[c] :], sizes[c], minus, field, relation)


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
def support(state, what, points, out):
    """Count the edges on which a live class is not zero; write rows (i, j, value) as far as `out` has room."""
    count = at = 0
    for i in range(points - 1):
        for j in range(i + 1, points):
            value = state.entry[at]
            at += 1
            if value >= UNREAD or value == 0:
                continue
            value = resolved(state.forward, value)
            holder, sign = np.int64(value >> np.uint32(1)), np.int64(value & np.uint32(1))
            for m in range(state.start[holder], state.start[holder] + state.size[holder]):
                if value != 0 and state.words[m] >> 1 == what:
                    if count < len(out):
                        out[count, 0], out[count, 1] = i, j
                        out[count, 2] = 1 if (np.int64(state.words[m]) & 1) == sign else -1
                    count += 1
    return count
