"""Runs the notebooks from top to bottom and keeps their outputs: `python docs/run_notebooks.py FOLDER [NAME ...]`.

Their size is that of the variable `JAXNEURO_NOTEBOOK_SIZE`, small by default; the first cell that fails ends it.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SLIDER = "application/vnd.jupyter.widget-view+json"


def drop_sliders(notebook: Any) -> None:
    """Takes sliders out of the outputs: nothing answers them on a page, and each would carry its figures once more."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if SLIDER not in one.get("data", {})]
    notebook.metadata.pop("widgets", None)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the notebooks and keeps their outputs.")
    parser.add_argument("folder", type=Path, help="where to write the executed notebooks")
    parser.add_argument("names", nargs="*", help="beginnings of their names, such as 01; by default all")
    options = parser.parse_args()
    import jupytext
    from nbclient import NotebookClient

    options.folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        if options.names and not path.name.startswith(tuple(options.names)):
            continue
        notebook, start = jupytext.read(path), time.monotonic()
        settings = {"timeout": 900, "kernel_name": "python3", "resources": {"metadata": {"path": ROOT}}}
        NotebookClient(notebook, **settings).execute()
        drop_sliders(notebook)
        jupytext.write(notebook, options.folder / f"{path.stem}.ipynb")
        print(f"{path.stem}: {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
