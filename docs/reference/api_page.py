"""`docs/api.md`: every name of `ct` with its signature, summary and example, from the docstrings."""

import inspect
import textwrap

import cnn_topology as ct

_HEAD = """# `import cnn_topology as ct`

Generated from docstrings by `make reference`; a test fails when it is out of step, and runs every example.
`help(ct.barcode)` has the parameters, what is returned and what is refused. Points are NumPy arrays, one row each.
"""


def api_page() -> str:
    """Return `docs/api.md`: per public name its signature, summary and example.

    Returns
    -------
    str
        Markdown.
    """
    names = [name for name in ct.__all__ if not name.startswith("__")]
    index = ["| name | |", "| --- | --- |"]
    index += [f"| [`{name}`](#{name.lower()}) | {_parts(name)[0]} |" for name in names]
    return "\n".join([_HEAD, *index, "", *map(_api_section, names)])


def _api_section(name: str) -> str:
    summary, example = _parts(name)
    return f"## {name}\n\n```text\n{_signature(name)}\n```\n\n{summary}\n\n{example}\n"


def _signature(name: str) -> str:
    public = getattr(ct, name)
    if inspect.isclass(public) and issubclass(public, Exception):
        return f"class ct.{name}({public.__bases__[0].__name__})"
    parameters = inspect.signature(public).parameters.values()
    words = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        words.append(parameter.name + default)
    # A line break between parameters only, not within a default.
    signature = f"ct.{name}({', '.join(word.replace(' ', chr(160)) for word in words)})"
    return textwrap.fill(signature, 110, subsequent_indent="    ").replace(chr(160), " ")


def _parts(name: str) -> tuple[str, str]:
    """Return the first sentence of a docstring, and its example as Markdown: text, and blocks of code."""
    text = inspect.cleandoc(getattr(ct, name).__doc__)
    lines = text.partition("Examples\n--------\n")[2].splitlines()
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(">>>") != _is_code(blocks[-1]) and (line.startswith(">>>") or not line):
            blocks.append([])
        if line:
            blocks[-1].append(line)
    return text.partition("\n\n")[0].replace("\n", " "), "\n\n".join(_block(block) for block in blocks if block)


def _is_code(block: list[str]) -> bool:
    return bool(block) and block[0].startswith(">>>")


def _block(lines: list[str]) -> str:
    text = "\n".join(lines)
    return f"```pycon\n{text}\n```" if _is_code(lines) else "\n".join(textwrap.wrap(text, 120))
