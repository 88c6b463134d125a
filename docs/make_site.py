"""Builds the documentation site: `make site`, or `python docs/make_site.py --out FOLDER`.

Pages stand as they are in the repository, so that their links hold: the README is the first, `docs/*.md` follow, then
a page for every public name, written from its docstring, the gallery, whose figures are those of the examples of
`jn.plot`, and the notebooks, with their outputs where `--notebooks` names a folder of executed ones. A warning of
Sphinx is an error.
"""

import argparse
import doctest
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
# Namespaces of parts that are re-exported for the package itself; what a user types of them is in `jaxneuro` too. That
# of the command line is there only where somebody has imported it.
INNER = {"cli", "connectivity", "models", "synapses"}
# Namespaces that hand on what the numerical tools hold.
SHARED = {"", "extend", "bounds", "results"}
# The call in whose example a name is seen that no call returns by itself, and the section of `docs/extending.md` in
# which one is seen that has another name there.
SHOWN_BY = {
    "jn.analysis.Bifurcation": "jn.analysis.continuation",
    "jn.extend.Afferent": "jn.theory.afferents",
    "jn.extend.Afferents": "jn.theory.afferents",
    "jn.extend.EffectiveInput": "jn.theory.effective_input",
    "jn.extend.SpikeStream": "jn.theory.afferents",
    "jn.extend.WhiteCurrent": "jn.theory.afferents",
    "jn.plot.draw_state": "jn.plot.state",
    "jn.record.Density": "jn.record.Histogram",
    "jn.record.States": "jn.update.Sequential",
    "jn.results.FitCode": "jn.fit",
    "jn.results.Signal": "jn.io.read_neo",
    "jn.theory.AbstractPreserved": "jn.theory.scale_efficacy",
    "jn.theory.BinaryMeanField": "jn.networks.binary",
    "jn.theory.Boundary": "jn.theory.phase_boundaries",
    "jn.theory.FullResponse": "jn.theory.scale_efficacy",
    "jn.theory.MeanField": "jn.theory.mean_field",
    "jn.theory.Modes": "jn.theory.brunel_stability",
    "jn.theory.NeuronSample": "jn.theory.rate_distribution",
    "jn.theory.StrongCoupling": "jn.theory.scale_efficacy",
}
SECTIONS = {
    "jn.extend.DecayingCurrent": "A synapse",
    "jn.extend.Layout": "A recorder",
    "jn.extend.Released": "A synapse",
    "jn.extend.StepConstants": "A neuron",
    "jn.extend.Window": "A recorder",
    "jn.record.Lookout": "A recorder",
    "jn.record.watched": "A recorder",
}
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


def _members() -> dict[str, Any]:
    """{title: object} of every public name."""
    held = public_names()
    return {
        f"jn.{space}.{name}" if space else f"jn.{name}": v for space, names in held.items() for name, v in names.items()
    }


def code_of(value: Any) -> str:
    """The lines that the docstring of a name runs."""
    text = inspect.getdoc(value) or ""
    return "".join(e.source for e in doctest.DocTestParser().get_examples(text)) if ">>>" in text else ""


class Examples:
    """Where the example of each name is that has none of its own: every one of them is run by the tests."""

    def __init__(self) -> None:
        self.members = _members()
        self.codes = {title: code for title, value in self.members.items() if (code := code_of(value))}
        self.sections = [
            (page, heading, text)
            for page in ("extending", "sharp-bits")
            for heading, text in _sections(ROOT / "docs" / f"{page}.md")
        ]

    def of(self, title: str) -> str:
        """What the page of a name shows: nothing where its docstring has an example, else one that makes or uses it."""
        if title in self.codes:
            return ""
        seen = self._in_a_name(title), self._in_a_section(title)
        # Of a base class the example is one that derives a class of one's own.
        return next(filter(None, seen[::-1] if inspect.isabstract(self.members[title]) else seen), "")

    def _in_a_name(self, title: str) -> str:
        others = self._others(title)
        if not others:
            return ""
        return f"Seen in the example of [`{others[0]}`]({others[0]}.md):\n\n```python\n{self.codes[others[0]]}```\n"

    def _in_a_section(self, title: str) -> str:
        for page, heading, code in self.sections:
            if SECTIONS.get(title, "") == heading or re.search(rf"\b{title.rsplit('.', 1)[1]}\b", code):
                anchor = re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
                where = f"[{heading}](../docs/{page}.md#{anchor})"
                return f"Seen in {where}:\n\n```python\n{code}```\n"
        return ""

    def code(self, title: str) -> str:
        """The lines of its own example, else of the first that makes or calls it; empty where there is none."""
        if title not in self.members:
            return ""
        return self.codes.get(title) or next((self.codes[other] for other in self._others(title)), "")

    def _others(self, title: str) -> list[str]:
        """Names with an example that return this one, are told to show it, call it, or are a kind of it."""
        value, name = self.members[title], title.rsplit(".", 1)[1]
        called = [other for other, code in self.codes.items() if re.search(rf"\.{name}\(", code)]
        kinds = [
            other
            for other in self.codes
            if inspect.isclass(value) and inspect.isclass(one := self.members[other]) and issubclass(one, value)
        ]
        told = [SHOWN_BY[title]] if title in SHOWN_BY else []
        return [other for other in [*self._makers(value, name), *told, *called, *kinds] if other in self.codes]

    def _makers(self, value: Any, name: str) -> list[str]:
        return [
            other
            for other in self.codes
            if inspect.isfunction(call := self.members[other])
            and (got := inspect.signature(call).return_annotation) is not inspect.Signature.empty
            and (got is value or (isinstance(got, str) and got.split(".")[-1] == name))
        ]


def _sections(page: Path) -> list[tuple[str, str]]:
    """(heading, code) of the sections of a page that have examples."""
    parts = page.read_text().split("\n## ")[1:]
    found = [(part.splitlines()[0], doctest.DocTestParser().get_examples(part)) for part in parts if ">>>" in part]
    return [(heading, "".join(example.source for example in code)) for heading, code in found]


def write_api(folder: Path) -> list[str]:
    """Writes a page for every public name and one for each namespace; returns the names of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    indices, examples = [], Examples()
    for namespace, members in public_names().items():
        prefix = f"jn.{namespace}." if namespace else "jn."
        lines = []
        for name, value in members.items():
            file = f"{prefix}{name}"
            (folder / f"{file}.md").write_text(
                "---\norphan: true\n---\n\n" + page_of(file, value) + "\n" + examples.of(file)
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
    plot, shown = import_module("jaxneuro").plot, Examples()
    folder.mkdir(parents=True, exist_ok=True)
    parts = ["# Gallery", "Every figure with what draws it. All take `ax=` and return axes."]
    for name in sorted(name for name in dir(plot) if inspect.isfunction(getattr(plot, name))):
        code = shown.code(f"jn.plot.{name}")
        drawn = folder / f"{name}.png"
        if f"jn.plot.{name}(" not in code or name == "style" or (figures and not _draw(code, drawn)):
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
    (source / "_static").mkdir()
    shutil.copy(ROOT / "docs" / "site.css", source / "_static")
    for page in [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        # Notebooks are scripts in the repository, and pages on the site.
        text = re.sub(r"\]\(((?:\.\./)?notebooks/\w+)\.py\)", r"](\1.ipynb)", page.read_text())
        (source / page.relative_to(ROOT)).write_text(text)
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
