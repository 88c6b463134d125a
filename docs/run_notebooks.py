"""Runs the notebooks from top to bottom and keeps their outputs: `python docs/run_notebooks.py FOLDER [NAME ...]`.

Their size is that of the variable `JAXNEURO_NOTEBOOK_SIZE`, small by default; the first cell that fails ends it.
"""

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


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
        NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": ROOT}}).execute()
        jupytext.write(notebook, options.folder / f"{path.stem}.ipynb")
        print(f"{path.stem}: {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
