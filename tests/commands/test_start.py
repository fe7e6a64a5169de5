"""What a job loads: no more than it uses, and data frames where they are asked for."""

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np, pyarrow as pa
from cnn_topology.cli import without_pandas
without_pandas()
table = pa.table({"a": np.arange(3.0), "b": ["x", None, "z"]})
assert "pandas" not in sys.modules
assert table.to_pandas()["b"].isna().tolist() == [False, True, False]
import pandas
assert pa.array(pandas.Series([1.0, None])).null_count == 1
"""


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_tables_are_made_without_pandas_and_turned_into_data_frames_with_it():
    done = run(SCRIPT)
    assert done.returncode == 0, done.stderr


def test_pyarrow_alone_would_load_pandas():
    # Else `without_pandas` has no purpose any more.
    assert run(SCRIPT.replace("without_pandas()", "")).stderr.endswith("AssertionError\n")


def test_the_digits_are_read_without_loading_their_library():
    load = "import sys; from cnn_topology.data.sources import embedded_digits; embedded_digits('digits', 0.2, 1)"
    assert run(f"{load}; assert 'sklearn' not in sys.modules").returncode == 0
