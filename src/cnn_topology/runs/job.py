"""What a job is asked to do, as its command sees it: parameters, files, and the tables and notes in these files."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from cnn_topology.errors import InputError, check_known
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.row import Row, joined

if TYPE_CHECKING:  # the models of the whole config, which a job that joins tables has no use of
    from cnn_topology.plan.parameters import Parameters

Block = TypeVar("Block", bound="Parameters")


class Job(BaseModel):
    """What a job is asked to do; it knows its files by the names that they have in its rule.

    Attributes
    ----------
    verb : str
        The module of `commands` that carries it out.
    planned : (str, str) or None
        The manifest of a user's own files, and the digest of their content when the job was planned.
    modules : tuple of str
        Those whose code it loads by name, ``"figures.cloud"``.
    threads : int
        CPU threads that it may use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verb: str
    block: dict[str, JsonValue] = Field(alias="parameters")
    read: dict[str, str | list[str]] = Field(alias="input")
    written: dict[str, str | list[str]] = Field(alias="output")
    resumed: Path | None = Field(None, alias="resume")
    planned: tuple[str, str] | None = None
    modules: tuple[str, ...] = ()
    threads: int = 1

    def parameters(self, kind: type[Block]) -> Block:
        """Return the parameters of this job as an instance of the class that describes them.

        Raises
        ------
        InputError
            If they are not those of this class.
        """
        return kind.parse(json.dumps(self.block))

    def input(self, name: str) -> Path:
        """Return the only input file of this name."""
        return _only(self.inputs(name), f"input {name}")

    def inputs(self, name: str) -> list[Path]:
        """Return the input files of this name, in the order of the rule."""
        return _files(self.read, name, f"input of a job of `{self.verb}`")

    def output(self, name: str) -> Path:
        """Return the only output file of this name."""
        return _only(self.outputs(name), f"output {name}")

    def outputs(self, name: str) -> list[Path]:
        """Return the output files of this name, in the order of the rule."""
        return _files(self.written, name, f"output of a job of `{self.verb}`")

    @property
    def resume(self) -> Path:
        """The folder where the job keeps what it needs to go on after a stop."""
        if self.resumed is None:
            raise InputError(f"a job of `{self.verb}` needs a folder `resume`")
        return self.resumed

    def read_rows(self, row_type: type[Row], name: str = "") -> pa.Table:
        """Read the table that the input files of a name make together; the name is that of the table by default.

        Raises
        ------
        InputError
            If a file is missing, altered or has other columns.
        """
        paths = self.inputs(name or row_type.table_name)
        return joined([read_table(path, row_type.schema) for path in paths], row_type.schema)

    def write_rows(
        self,
        row_type: type[Row],
        rows: pa.Table | Sequence[pa.Table] | Sequence[Row],
        notes: Mapping[str, str],
        name: str = "",
        *,
        finished: bool = False,
    ) -> None:
        """Write rows, or parts of a table, as the output file of a name; the name is that of the table by default.

        Parameters
        ----------
        row_type : type of Row
        rows : pyarrow.Table, or sequence of pyarrow.Table or of Row
        notes : mapping of str to str
        name : str
        finished : bool
            Whether people read it: a small one is written as .csv too.
        """
        if not isinstance(rows, pa.Table):
            parts = [part for part in rows if isinstance(part, pa.Table)]
            rows = joined(parts, row_type.schema) if len(parts) == len(rows) else row_type.table(rows)
        write = write_finished_table if finished else write_table
        write(self.output(name or row_type.table_name), rows, row_type.schema, notes)
        print(f"{row_type.table_name}: {rows.num_rows} rows", flush=True)

    def write_tables(
        self,
        row_types: Iterable[type[Row]],
        parts: Sequence[Mapping[str, pa.Table]],
        notes: Mapping[str, str],
        *,
        finished: bool = False,
    ) -> None:
        """Write several tables, each joined from the parts of its name."""
        for row_type in row_types:
            self.write_rows(row_type, [part[row_type.table_name] for part in parts], notes, finished=finished)

    def upstream(self, *names: str) -> list[dict[str, str]]:
        """Read the notes of the input files of this job, or of those of some names."""
        paths = [path for name in names or self.read for path in self.inputs(name)]
        return [read_notes(path) if path.suffix == ".parquet" else read_metadata(path) for path in paths]

    def notes(self, parameters: "Parameters", *names: str) -> dict[str, str]:
        """Build the notes of what this job makes from its parameters and the notes of its input files, or of some."""
        return parameters.notes(self.upstream(*names))


def _files(files: Mapping[str, str | list[str]], name: str, what: str) -> list[Path]:
    check_known(what, name, files)
    paths = files[name]
    return [Path(path) for path in ([paths] if isinstance(paths, str) else paths)]


def _only(paths: list[Path], what: str) -> Path:
    if len(paths) != 1:
        raise InputError(f"{what}: {len(paths)} files, where the job takes one")
    return paths[0]
