"""One network over its training: a look at each step, and when the loop of each layer sets in."""

from pathlib import Path

import numpy as np
import pytest
from known_shapes import primary_circle

from cnn_topology.cli import main
from cnn_topology.errors import InputError
from cnn_topology.looks.steps import look_at_steps, name_of, steps_of
from cnn_topology.statistics.significance import NO_LOOP, ONE_LOOP
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.loops import LoopRow
from cnn_topology.topology.patches import noisy, random_filters


def save(folder: Path, step: int, side: int = 5) -> Path:
    """Write a layer of 200 filters that form a circle of edges from step 10 on."""
    rng = np.random.default_rng(step)
    filters = noisy(primary_circle(200, side), 0.2, rng) if step >= 10 else random_filters(200, rng, side)
    np.savez(folder / f"net_epoch{step}.npz", **{"conv.weight": filters.reshape(20, 10, side, side)})
    return folder / f"net_epoch{step}.npz"


def test_the_loop_sets_in_at_the_step_from_which_on_it_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for step in (100, 2, 10):  # the order is that of the numbers
        save(tmp_path, step)
    assert main(["look", "--steps", "net_epoch*.npz", "--draws", "99"]) == 0
    folder = tmp_path / "net-epoch-look"
    loops = read_table(folder / "tables/loops.parquet", LoopRow.schema).to_pylist()
    assert [(row["step"], row["verdict"]) for row in loops] == [(2, NO_LOOP), (10, ONE_LOOP), (100, ONE_LOOP)]
    (onset,) = read_table(folder / "tables/onset.parquet", OnsetRow.schema).to_pylist()
    assert (onset["onset"], onset["previous"], onset["snapshots"], onset["last"]) == (10, 2, 3, 100)
    tracks = read_table(folder / "tables/loop_tracks.parquet", LoopTrackRow.schema).to_pylist()
    assert [(row["step"], row["previous"]) for row in tracks] == [(2, None), (10, 2), (100, 10)]
    assert [row["significant"] for row in tracks] == [False, True, True]
    assert [row["longest"] for row in tracks] == [row["longest"] for row in loops]
    assert (tracks[2]["degree"], tracks[2]["longest_low"], tracks[0]["stay"]) == (1, None, None)
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert all(f"step {step}</th>" in page for step in (2, 10, 100))
    assert "step 100: net_epoch100.npz" in capsys.readouterr().out


def test_a_layer_with_nan_at_some_step_is_named_and_followed_over_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for step, bad in ((2, "one"), (10, ""), (100, "two")):
        rng = np.random.default_rng(step)
        layers = {name: random_filters(200, rng).reshape(20, 10, 3, 3) for name in ("one", "two")}
        if bad:
            layers[bad][0, 0, 0, 0] = np.nan
        np.savez(f"net{step}.npz", **{f"{name}.weight": layer for name, layer in layers.items()})
    assert main(["look", "--steps", "net*.npz", "--draws", "99"]) == 0
    told = capsys.readouterr().out
    page = (tmp_path / "net-look/index.html").read_text(encoding="utf-8")
    for name, step in (("one", 2), ("two", 100)):
        assert f"Not looked at: {name}.weight: 1 of 1,800 values are NaN or infinite (step {step})." in told
        assert f"{name}.weight: 1 of 1,800 values are NaN or infinite (step {step})" in page
    steps = look_at_steps("net*.npz", draws=99, folder="net-look")
    assert steps.table["layer"].tolist() == ["one", "two"]
    assert (steps.table["step 2"] == "not looked at").tolist() == [True, False]
    assert (steps.table["step 100"] == "not looked at").tolist() == [False, True]
    assert main(["look", "net10.npz", "--compare", "net100.npz", "--draws", "99"]) == 0
    assert "Not looked at in net100.npz: two.weight" in capsys.readouterr().out


def test_filters_that_stay_are_followed_as_they_are(tmp_path):
    save(tmp_path, 10, side=3)
    (tmp_path / "net_epoch20.npz").write_bytes((tmp_path / "net_epoch10.npz").read_bytes())
    steps = look_at_steps(str(tmp_path / "net_epoch*.npz"), draws=99)
    first, second = steps.tracks
    assert (second.stay, second.kept_at_both, second.turn, second.kuiper) == (1, first.kept, 0, 0)
    assert second.correlation == pytest.approx(1)
    assert second.first_correlation == pytest.approx(1)
    steps.to_html(tmp_path / "page.html")
    assert "step 20</th>" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("names", "said"),
    [(["a.pt"], ["a.pt", "number"]), (["x/e_1.pt", "y/e_01.pt"], ["x/e_1.pt", "y/e_01.pt", "step 1"])],
)
def test_names_that_do_not_say_the_step_are_refused(names, said):
    with pytest.raises(InputError) as refused:
        steps_of([Path(name) for name in names])
    assert all(word in str(refused.value) for word in said)


def test_the_step_is_the_last_number_of_a_name(tmp_path):
    assert list(steps_of([Path("r18_e10.pt"), Path("r18_e9.pt")])) == [9, 10]
    assert name_of([str(tmp_path / "r18_e10.pt")]) == "r18-e"


def test_files_of_another_network_are_refused_with_the_layer_that_differs(tmp_path):
    files = [str(save(tmp_path, 0)), str(save(tmp_path, 1, side=3))]
    with pytest.raises(InputError, match=r"conv\.weight has the shape .*net_epoch1\.npz"):
        look_at_steps(files)


@pytest.mark.parametrize("arguments", [[], ["a.pt", "--steps", "b1.pt"], ["--steps", "b1.pt", "--compare", "c.pt"]])
def test_files_and_steps_are_one_of_the_two(arguments, capsys):
    assert main(["look", *arguments]) == 2
    assert "--steps" in capsys.readouterr().err
