"""Files broken in all ways that a seed draws, and what a reader may do with them; FUZZ_ROUNDS draws more."""

import os
import random
import signal
from contextlib import contextmanager

from cnn_topology.errors import InputError

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "1"))
SECONDS = 20


class Hang(BaseException):
    """No reader may catch it."""


@contextmanager
def in_time():
    """Fail when a reader hangs."""

    def stop(*_):
        raise Hang(f"no answer within {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def broken(content, count, seed):
    """Yield mutations of a file: cut, bits flipped, bytes changed, put in, taken out or zeroed, lengths blown up."""
    rng = random.Random(seed)
    yield b""
    yield content[:1]
    yield b"\0" * len(content)
    yield bytes(rng.randrange(256) for _ in range(500))
    for _ in range(count - 4):
        data = bytearray(content)
        place = rng.randrange(len(data))
        # Headers and tables of contents stand at either end: half of the mutations go there.
        if rng.random() < 0.5:
            place = min(rng.randrange(200), len(data) - 1)
            place = place if rng.random() < 0.5 else len(data) - 1 - place
        match rng.randrange(7):
            case 0:
                del data[place:]
            case 1:
                data[place] ^= 1 << rng.randrange(8)
            case 2:
                data[place : place + 4] = bytes(rng.randrange(256) for _ in range(4))
            case 3:
                data[place:place] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 64)))
            case 4:
                del data[place : place + rng.randrange(1, 64)]
            case 5:
                data[place : place + 32] = b"\0" * len(data[place : place + 32])
            case 6:
                data[place : place + 8] = (rng.choice((2**63 - 1, 2**31, 2**64 - 1, 0))).to_bytes(8, "little")
        yield bytes(data)


def refused_or_read(reader, path, named=True):
    """Read; an `InputError` is an answer, any other exception is a failure. Tell which."""
    with in_time():
        try:
            reader(path)
        except InputError as error:
            assert str(path) in str(error) or not named
            return True
    return False


def attack(reader, content, path, count, seed=0, named=True):
    """Read every mutation of a file and count those that were refused."""
    refused = 0
    for number, data in enumerate(broken(content, count * ROUNDS, seed)):
        path.write_bytes(data)
        try:
            refused += refused_or_read(reader, path, named)
        except Exception as error:
            raise AssertionError(f"mutation {number} of {path.name} by seed {seed}: {error!r}") from error
    return refused
