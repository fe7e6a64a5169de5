"""Files from the web: whole and with the checksum that is known of them, or not at all."""

import hashlib
import os
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from cnn_topology.errors import InputError
from cnn_topology.storage.atomic import atomic_path

# Ours: a server that says nothing for so many seconds has failed; without a limit a firewall that drops packets would
# hold a job until its run time ends.
SILENCE = 60.0
PIECE = 2**20
# In the environment of a job that a run has submitted to a cluster; the Snakefile sets it there.
ON_NODE = "CNN_TOPOLOGY_ON_NODE"
FETCH = "`cnn-topology fetch --configfile FILE` on the login node of a cluster brings it."


def download(urls: Sequence[str], path: Path, algorithm: str, expected: str) -> None:
    """Fetch a file from the first address that gives the right one.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file, tried in turn.
    path : Path
        Where it shall stand; nothing appears there before the checksum is right.
    algorithm, expected : str
        Of `hashlib`, and the digest in hexadecimal digits, or its beginning.

    Raises
    ------
    InputError
        If no address gives it: why not, for each. Also if the disk is full or the folder cannot be written, and in a
        job on a cluster, where a node may have no network and several jobs may need the same file.
    """
    if ON_NODE in os.environ:
        raise InputError(f"{path}: is not there, and jobs on a cluster download nothing: {FETCH}")
    reasons = []
    for url in urls:
        try:
            with atomic_path(path, checksum=False) as temporary:
                _receive(url, temporary, algorithm, expected)
            return
        except InputError:  # the disk is full, or the folder cannot be written
            raise
        except (OSError, HTTPException, ValueError) as error:
            reasons.append(f"\n  {url}: {' '.join(str(error).split()) or type(error).__name__}")
    raise InputError(f"{path}: cannot be downloaded{''.join(reasons)}\n{FETCH}")


def _receive(url: str, into: Path, algorithm: str, expected: str) -> None:
    digest, received = hashlib.new(algorithm, usedforsecurity=False), 0
    request = Request(url, headers={"User-Agent": "cnn-topology"})
    with urlopen(request, timeout=SILENCE) as response, into.open("wb") as file:
        length = response.headers.get("Content-Length")
        while piece := response.read(PIECE):
            digest.update(piece)
            received += len(piece)
            file.write(piece)
    if length is not None and received != int(length):
        raise ValueError(f"the connection ended after {received:,} of {int(length):,} bytes")
    if not digest.hexdigest().startswith(expected):
        raise ValueError(f"gives another file: its {algorithm.upper()} is {digest.hexdigest()}")
