"""Write what is generated from the config models, the row types and the docstrings (`make reference`)."""

from pathlib import Path

from api_page import api_page
from config_page import json_schema, key_reference
from tables_page import data_dictionary

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "docs/tables.md"


def main() -> None:
    """Write all files."""
    texts = {
        ROOT / "config/README.md": key_reference(),
        ROOT / "workflow/schemas/config.schema.json": json_schema(),
        TABLES: data_dictionary(TABLES.read_text(encoding="utf-8")),
        ROOT / "docs/api.md": api_page(),
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
