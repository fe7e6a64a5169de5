"""Small whole runs by Snakemake: they end, resume, rerun what an edit touches and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cnn_topology.statistics.significance import TOO_FEW
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.registry import TABLES

ROOT = Path(__file__).parents[2]
# Snakemake wants a conda or container line in each rule; one pinned requirements file serves them all instead.
EXPECTED_LINT = "Specify a conda environment or container for each rule."


def snakemake(folder, *arguments, check=True):
    """Run Snakemake in an empty folder, as a user would who keeps runs apart from the checkout."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(folder),
    }
    command = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), *arguments]
    command += ["--max-jobs-per-timespan", "100/1s"]  # Snakemake waits for that time before it leaves
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    if check:
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:] + _logs(folder)
    return done


def _logs(folder):
    return "".join(f"\n--- {path}\n{path.read_text()[-1500:]}" for path in sorted(folder.rglob("logs/**/*.log")))


def planned(folder, *arguments):
    """List the rules that Snakemake would run now."""
    done = snakemake(folder, "--dry-run", "--quiet", "host", *arguments)
    names = [
        line.split()[1].rstrip(":") for line in done.stdout.splitlines() if line.startswith(("rule ", "localrule "))
    ]
    return sorted(set(names) - {"all"})


def write(folder, config):
    """Write the run's config and give the arguments that name it."""
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(config))
    return ["--configfile", str(path)]


@pytest.fixture(scope="module")
def finished(made_once, smallest):
    """Return the folder of a whole run, the arguments that name its config, and what it printed."""

    def make(folder):
        done = snakemake(folder, "--cores", "2", *write(folder, smallest))
        (folder / "printed.txt").write_text(done.stdout)

    folder = made_once("weights-run", make)
    return folder, write(folder, smallest), (folder / "printed.txt").read_text()


def test_whole_run_makes_every_table_and_figure_and_says_what_it_found(finished):
    folder, _, printed = finished
    run = folder / "results/tiny"
    made = {path.stem for path in (run / "tables").glob("*.parquet")}
    assert {"training", "barcodes", "loops", "filters", "nulls", "controls", "mapper_graphs", "generalization"} <= made
    for name in made - {"mapper_sweep"}:  # this run varies no recipe of its mapper graphs
        assert read_table(run / f"tables/{name}.parquet", TABLES[name].schema).num_rows > 0, name
    figures = {path.stem for path in (run / "figures").glob("*.pdf")}
    assert {"cloud_a_conv1", "cloud_a_conv2", "evolution", "controls", "training_curves"} <= figures
    assert {"mapper_a_conv1", "mapper_a_conv2"} <= figures
    assert "default-src 'none'" in (run / "figures/mapper_a_conv1.html").read_text()
    assert all((run / f"figures/{name}.png").stat().st_size > 5_000 for name in figures)
    assert "What was found: results/tiny/index.html" in printed
    assert "18 of 30 " in (run / "summary.txt").read_text()
    loops = read_table(run / "tables/loops.parquet").to_pandas()
    assert set(loops.loc[loops["layer"] == "conv1", "step"]) == {0, 4, 12}
    assert (loops["networks"] == 5).all()
    # 30 filters are too few for a test, 120 are not: no draw of a null is made for the former.
    assert set(loops.loc[loops["layer"] == "conv1", "verdict"]) == {TOO_FEW}
    assert TOO_FEW not in set(loops.loc[loops["layer"] == "conv2", "verdict"])
    assert set(read_table(run / "tables/nulls.parquet")["points"].to_pylist()) == {120}
    (onset,) = read_table(run / "tables/onset.parquet").to_pylist()
    assert [onset[name] for name in ("layer", "snapshots", "onset", "lasting")] == ["conv1", 0, None, None]
    assert read_table(run / "tables/loop_tracks.parquet")["critical"].to_pylist() == [None] * 3


def test_a_figure_is_redrawn_alone_and_its_section_is_not_drawn_again_for_it(finished):
    folder, arguments, _ = finished
    figures = folder / "results/tiny/figures"
    before = {path.name: path.stat().st_mtime_ns for path in figures.iterdir() if path.is_file()}
    snakemake(folder, "--cores", "1", *arguments, "--force", "results/tiny/figures/evolution.png")
    drawn = {name for name, time in before.items() if (figures / name).stat().st_mtime_ns != time}
    assert {Path(name).stem for name in drawn} == {"evolution"}
    # The same bytes: nothing that is made of the figure is made again.
    assert planned(folder, *arguments) == []
    (folder / "results/tiny/logs/figures/evolution.log").unlink()


def verb(folder, *arguments):
    """Run a verb of `cnn-topology` as a person would in the folder of the run."""
    command = [sys.executable, "-m", "cnn_topology.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_finished_run_is_whole_and_says_what_it_took(finished):
    folder, _, _ = finished
    done = verb(folder, "verify", "tiny")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "files are whole" in done.stdout
    assert "jobs done (100%), 0 running, 0 failed" in verb(folder, "status", "tiny").stdout
    record = json.loads((folder / "results/tiny/provenance.json").read_text())
    assert {"train", "barcodes", "figures", "collect"} <= set(record["rules"])
    assert record["rules"]["train"]["jobs"] >= 3
    assert record["total"]["cpu_hours"] > 0
    assert record["config"]["populations"]["a"]["networks"] == 5
    assert not (folder / "results/tiny/parts/resume").exists()


def test_lost_and_cut_files_are_named_with_the_way_to_make_them_again(finished):
    folder, _, _ = finished
    table, figure = (folder / f"results/tiny/{name}" for name in ("tables/nulls.parquet", "figures/nulls.png"))
    kept = table.read_bytes(), figure.read_bytes()
    times = table.stat().st_mtime_ns, figure.stat().st_mtime_ns
    figure.write_bytes(kept[1][:-9])
    table.unlink()
    done = verb(folder, "verify", "tiny")
    assert done.returncode == 2
    assert "missing: results/tiny/tables/nulls.parquet (rule collect_nulls)" in done.stdout
    assert "damaged: results/tiny/figures/nulls.png (rule draw_filters)" in done.stdout
    assert "rm results/tiny/figures/nulls.png && snakemake --cores " in done.stderr
    for path, content, time in zip((table, figure), kept, times, strict=True):
        path.write_bytes(content)
        os.utime(path, ns=(time, time))


def test_finished_run_has_nothing_left_to_do(finished):
    folder, arguments, _ = finished
    assert planned(folder, *arguments) == []


def test_a_lost_file_is_made_again_and_nothing_else_and_jobs_of_an_earlier_config_are_not_in_the_record(finished):
    folder, arguments, _ = finished
    run = folder / "results/tiny"
    record = run / "provenance.json"
    before = json.loads(record.read_text())["total"]["jobs"]
    there = {str(path.relative_to(run / "logs")) for path in (run / "logs").rglob("*.log")}
    assert set((run / "parts/logs.txt").read_text().splitlines()) == there
    left = run / "logs/train/earlier-0000.log"
    left.write_text("cnn-topology train\n# took 3600.00 s, 1.00 s of CPU time, 90 MB of memory at most\n")
    lost = run / "figures/controls.pdf"
    content = lost.read_bytes()
    lost.unlink()
    assert planned(folder, *arguments) == ["draw_filters", "record_provenance", "write_page"]
    snakemake(folder, "--cores", "1", "controls", *arguments)  # which knows of few jobs, and must not list these alone
    assert lost.read_bytes() == content
    assert set((run / "parts/logs.txt").read_text().splitlines()) == there
    record.unlink()
    snakemake(folder, "--cores", "1", *arguments)
    after = json.loads(record.read_text())["total"]
    assert (after["jobs"], after["wall_hours_of_all_jobs"] < 1) == (before, True)
    assert left.is_file()


def test_an_edit_reruns_what_it_touches_alone(finished, tiny):
    folder, arguments, _ = finished
    tiny["controls"]["points"] = 61
    write(folder, tiny)
    touched = planned(folder, *arguments)
    assert "draw_filters" in touched
    assert not [rule for rule in touched if rule.startswith(("train", "compute_barcodes", "gather"))]
    tiny["controls"]["points"] = 60
    tiny["significance"]["draws"] = 39
    write(folder, tiny)
    touched = planned(folder, *arguments)
    assert {"draw_nulls", "compute_barcodes"} <= set(touched)
    assert not [rule for rule in touched if rule.startswith(("train", "gather"))]
    tiny["significance"]["draws"] = 19
    tiny["populations"]["a"]["networks"] = 7
    write(folder, tiny)
    dry = snakemake(folder, "--dry-run", "--quiet", "host", *arguments).stdout.splitlines()
    trained = [line for line in dry if line.startswith("    output: ") and "/training/" in line]
    assert sorted(line.partition("/training/")[2][:6] for line in trained) == ["a/0002", "a/0003"]
    tiny["populations"]["a"]["networks"] = 5
    tiny["mapper"] = {"resolution": 5}
    write(folder, tiny)
    touched = planned(folder, *arguments)
    assert {"compute_mapper", "draw_filter_graphs"} <= set(touched)
    assert not [rule for rule in touched if rule.startswith(("train", "gather", "compute_barcodes"))]
    assert not {"draw_clouds", "draw_filters"} & set(touched)
    tiny["mapper"] = None
    write(folder, tiny)
    assert not [rule for rule in planned(folder, *arguments) if "mapper" in rule]
    tiny["mapper"] = {"resolution": 4}
    write(folder, tiny)
    assert planned(folder, *arguments) == []


@pytest.mark.soak
def test_same_run_on_one_core_gives_the_same_bytes(finished, tiny, tmp_path):
    folder, _, _ = finished
    tiny["populations"]["a"]["networks_per_job"] = 5
    tiny["jobs"]["steps_per_job"] = 3
    tiny["generalization"] = None
    names = ("loops", "barcodes", "filters", "training", "mapper_graphs", "mapper_nodes", "mapper_edges", "nulls")
    targets = [f"results/tiny/tables/{name}.parquet" for name in names]
    snakemake(tmp_path, "--cores", "1", *targets, *write(tmp_path, tiny))
    for name in names:
        one, two = (read_table(run / f"results/tiny/tables/{name}.parquet").to_pandas() for run in (folder, tmp_path))
        if name == "training":
            one = one[one["population"] == "a"]  # the other run trains no grid
        # Lists can be neither sorted by nor compared as they stand.
        for column in [name for name in ("coordinates", "of_networks") if name in one]:
            one, two = (table.assign(**{column: table[column].map(tuple)}) for table in (one, two))
        keys = [column for column in one.columns if one[column].dtype != float][:6]
        one, two = (
            table.sort_values([*keys, *table.columns.difference(keys)]).reset_index(drop=True) for table in (one, two)
        )
        assert one.equals(two), name


def test_damaged_snapshot_stops_the_run_by_name_and_is_made_again(finished):
    folder, arguments, _ = finished
    snapshot = folder / "results/tiny/snapshots/a/0001/00000012.safetensors"
    whole = snapshot.read_bytes()
    snapshot.write_bytes(whole[: len(whole) // 2])
    clouds = [str(path.relative_to(folder)) for path in (folder / "results/tiny").rglob("clouds/a/conv2/*.parquet")]
    assert clouds
    again = [*clouds, "--cores", "2", "--forcerun", "gather_clouds", *arguments]
    done = snakemake(folder, *again, check=False)
    assert done.returncode != 0
    # The job of either layer may come first; the run stops at it.
    logs = "".join(path.read_text() for path in (folder / "results/tiny/logs/clouds").rglob("*.log"))
    assert f"{snapshot.relative_to(folder)}: the file is cut short or altered" in logs
    snapshot.unlink()
    snakemake(folder, *again)
    assert snapshot.read_bytes() == whole


def test_wrong_config_stops_before_any_job_also_where_a_terminal_lacks_its_letters(tmp_path, tiny, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii:strict")
    tiny["clouds"][0]["layers"] = ["卷积"]
    done = snakemake(tmp_path, "--cores", "1", *write(tmp_path, tiny), check=False)
    assert done.returncode != 0
    assert r"unknown convolution layer of a in clouds[0].layers: '\u5377\u79ef'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_the_default_config_is_looked_at_before_snakemake_reads_it(tmp_path):
    """Snakemake names neither file nor line."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/demo.yaml").write_text("version: 2\nname: demo\npopulations: {a: [\n")
    done = snakemake(tmp_path, "--dry-run", check=False)
    assert done.returncode != 0
    assert "config/demo.yaml: line 4" in done.stdout + done.stderr


def test_unknown_figure_is_refused(finished):
    folder, arguments, _ = finished
    done = snakemake(folder, "--cores", "1", "evolutoin", *arguments, check=False)
    assert done.returncode != 0
    assert "evolutoin" in done.stderr


def test_report_is_one_file_with_every_figure(finished):
    folder, arguments, _ = finished
    snakemake(folder, "--report", "report.html", *arguments)
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png") >= 8
    assert "Each kept filter at the nearest point of the Klein bottle" in page  # a caption, from its figure's file
    assert page.count("data:text/html") == 3
    assert "what it took" in page


def test_workflow_lint_finds_nothing_but_the_missing_container(tmp_path):
    done = snakemake(tmp_path, "--lint", "--configfile", str(ROOT / "config/tour.yaml"), check=False)
    found = [line.strip("* :") for line in (done.stdout + done.stderr).splitlines() if line.startswith("    * ")]
    assert set(found) == {EXPECTED_LINT}
