"""Builds the documentation site: `make site`, or `python docs/make_site.py --out FOLDER`.

Pages stand as they are in the repository, so that their links hold: the README is the first, `docs/*.md` follow, then
a page for every public name, written from its docstring, the gallery, whose figures are those of the examples of
`jn.plot`, and the notebooks, with their outputs where `--notebooks` names a folder of executed ones. A warning of
Sphinx is an error.
"""

import argparse
import importlib.util
import inspect
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Namespaces of parts that are re-exported for the package itself; what a user types of them is in `jaxneuro` too.
INNER = {"connectivity", "models", "synapses"}
# Namespaces that hand on what the numerical tools hold.
SHARED = {"", "extend", "bounds", "results"}
PAGES = {
    "Learning it": ["getting-started", "coming-from", "sharp-bits"],
    "How to": [
        "networks",
        "theory",
        "conductances",
        "rates",
        "biophysics",
        "learning",
        "fitting",
        "sweeps",
        "exchange",
        "extending",
    ],
    "What is known": ["speed", "figures", "silent-answers", "errata", "dependencies", "testing", "mutants"],
}


def public_names() -> dict[str, dict[str, Any]]:
    """{namespace: {name: object}} of everything public; a name that stands in two namespaces is listed in the first."""
    package = import_module("jaxneuro")
    modules = {
        name: value
        for name in dir(package)
        if not name.startswith("_") and isinstance(value := getattr(package, name), ModuleType) and name not in INNER
    }
    seen: set[int] = set()
    found: dict[str, dict[str, Any]] = {}
    for namespace, module in {"": package, **modules}.items():
        for name in dir(module):
            value = getattr(module, name)
            home = str(getattr(value, "__module__", ""))
            # A check or a reader that a namespace imports for itself is none of its names.
            ours = home.startswith("jaxneuro") and (namespace in SHARED or not home.startswith("jaxneuro._numerics"))
            if not name.startswith("_") and callable(value) and ours and id(value) not in seen:
                seen.add(id(value))
                found.setdefault(namespace, {})[name] = value
    return found


def page_of(title: str, value: Any) -> str:
    """The page of one name: its signature, its docstring, which is Markdown, and its methods."""
    parts = [f"# {title}", _signature(title, value), inspect.getdoc(value) or ""]
    if inspect.isclass(value):
        for name, method in vars(value).items():
            text = inspect.getdoc(method) if callable(method) or isinstance(method, property) else None
            if not name.startswith("_") and text:
                parts += [f"## {name}", _signature(name, method), text]
    return "\n\n".join(part for part in parts if part) + "\n"


def _signature(title: str, value: Any) -> str:
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return ""
    shown, keyword_only = [], False
    for one in parameters:
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            shown.append("*")
        stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        keyword_only |= one.kind is one.VAR_POSITIONAL
        default = "" if one.default is one.empty else f"={_shown(one.default)}"
        shown.append(f"{stars}{one.name}{default}")
    return f"```text\n{title}({', '.join(shown)})\n```"


def _shown(default: Any) -> str:
    text = " ".join(repr(default).split())
    return text if len(text) <= 40 and " at 0x" not in text else "..."


def _texts() -> dict[str, str]:
    """{title: docstring} of every public name."""
    members = {(namespace, name): value for namespace, held in public_names().items() for name, value in held.items()}
    return {".".join(filter(None, ("jn", *names))): inspect.getdoc(value) or "" for names, value in members.items()}


def _seen_in(title: str, texts: dict[str, str]) -> str:
    """For a name without an example: where one uses it, or makes it."""
    name = title.rsplit(".", 1)[1]
    if ">>>" in texts[title]:
        return ""
    uses = [other for other, text in texts.items() if ">>>" in text and f".{name}(" in text]
    makes = [other for other, text in texts.items() if ">>>" in text and f"`{name}`" in text]
    shown = [f"[`{other}`]({other}.md)" for other in dict.fromkeys(uses + makes)][:4]
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text()
        if len(shown) < 4 and ">>>" in text and re.search(rf"\b{name}\b", text):
            shown.append(f"[{page.stem.replace('-', ' ')}](../docs/{page.name})")
    return f"\nExamples: {', '.join(shown)}.\n" if shown else ""


def write_api(folder: Path) -> list[str]:
    """Writes a page for every public name and one for each namespace; returns the names of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    indices, texts = [], _texts()
    for namespace, members in public_names().items():
        prefix = f"jn.{namespace}." if namespace else "jn."
        lines = []
        for name, value in members.items():
            file = f"{prefix}{name}"
            (folder / f"{file}.md").write_text(
                "---\norphan: true\n---\n\n" + page_of(file, value) + _seen_in(file, texts)
            )
            first = (inspect.getdoc(value) or "").strip().split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
            lines.append(f"| [`{file}`]({file}.md) | {first} |")
        title = f"`{prefix.removesuffix('.')}`"
        indices.append(namespace or "jaxneuro")
        table = "\n".join(["| name | what it is |", "| --- | --- |", *lines])
        (folder / f"{indices[-1]}.md").write_text(f"# {title}\n\n{table}\n")
    return indices


def write_gallery(folder: Path, *, figures: bool) -> None:
    """Writes the gallery: the figure that each example of `jn.plot` draws, with the example under it."""
    import doctest

    plot = import_module("jaxneuro").plot
    folder.mkdir(parents=True, exist_ok=True)
    parts = ["# Gallery", "Every figure with what draws it. All take `ax=` and return axes."]
    for name in sorted(name for name in dir(plot) if inspect.isfunction(getattr(plot, name))):
        examples = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(plot, name)) or "")
        code = "".join(example.source for example in examples)
        drawn = folder / f"{name}.png"
        if not code or name == "style" or (figures and not _draw(code, drawn)):
            continue
        picture = [f"![{name}]({name}.png)"] if figures else []
        parts += [f"## {name}", *picture, f"```python\n{code.rstrip()}\n```"]
    (folder / "gallery.md").write_text("\n\n".join(parts) + "\n")


def _draw(code: str, path: Path) -> bool:
    """Runs an example and saves the last figure that it drew; false where it drew none."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    exec(compile(code, path.stem, "exec"), {})
    if plt.get_fignums():
        plt.gcf().savefig(path, dpi=90)
    return bool(plt.get_fignums())


def toctree(caption: str, entries: list[str], *, depth: int = 1) -> str:
    return "\n".join(
        ["```{toctree}", ":hidden:", f":caption: {caption}", f":maxdepth: {depth}", "", *entries, "```", ""]
    )


def gather(source: Path, notebooks: Path | None, *, figures: bool) -> None:
    """Copies and writes all pages."""
    (source / "docs").mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "conf.py", source)
    for page in [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        shutil.copy(page, source / page.relative_to(ROOT))
    (source / "docs" / "claims.md").write_text(_beside("make_claims").ledger())
    listed = {page for pages in PAGES.values() for page in pages}
    rest = sorted({page.stem for page in (ROOT / "docs").glob("*.md")} - listed)
    indices = write_api(source / "api")
    write_gallery(source / "gallery", figures=figures)
    names = _copy_notebooks(source / "notebooks", notebooks)
    trees = [toctree(caption, [f"docs/{page}" for page in pages]) for caption, pages in PAGES.items()]
    more = ["docs/claims", *(f"docs/{page}" for page in rest), "CHANGELOG", "CONTRIBUTING"]
    trees += [toctree("Seeing it", ["gallery/gallery", *(f"notebooks/{name}" for name in names)])]
    trees += [toctree("Every name", [f"api/{name}" for name in indices]), toctree("The project", more)]
    (source / "README.md").write_text((ROOT / "README.md").read_text() + "\n" + "\n".join(trees))


def _beside(name: str) -> Any:
    """A module of this folder."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _copy_notebooks(folder: Path, executed: Path | None) -> list[str]:
    import jupytext

    folder.mkdir()
    names = []
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        done = None if executed is None else executed / f"{path.stem}.ipynb"
        if done is not None and done.exists():
            shutil.copy(done, folder)
        else:
            notebook = jupytext.read(path)
            notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
            jupytext.write(notebook, folder / f"{path.stem}.ipynb")
        names.append(path.stem)
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the documentation site.")
    parser.add_argument("--out", type=Path, default=ROOT / ".site", help="folder to write to, by default .site")
    parser.add_argument("--notebooks", type=Path, help="folder of executed notebooks (.ipynb)")
    parser.add_argument("--figures", action="store_true", help="draw the figures of the gallery: a minute")
    options = parser.parse_args()
    source = options.out / "source"
    shutil.rmtree(source, ignore_errors=True)
    gather(source, options.notebooks, figures=options.figures)
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto", "-b", "html"]
    return subprocess.run([*build, str(source), str(options.out / "html")], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
