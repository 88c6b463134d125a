"""The pages of the documentation site that are written from the code; `make site` builds it."""

import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest

import jaxneuro as jn

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site():
    spec = importlib.util.spec_from_file_location("make_site", ROOT / "docs" / "make_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("as_users_run")
def test_every_public_name_has_a_page_and_a_place(site, tmp_path):
    indices = site.write_api(tmp_path)
    pages = {path.stem for path in tmp_path.glob("jn.*.md")}
    linked = [
        name for index in indices for name in re.findall(r"\((jn\.\S+)\.md\)", (tmp_path / f"{index}.md").read_text())
    ]
    assert sorted(linked) == sorted(pages)
    for path in tmp_path.glob("jn.*.md"):
        assert ">>>" in path.read_text() or "Seen in " in path.read_text(), f"{path.stem} has no example on its page"
    assert {"jn.simulate", "jn.LIF", "jn.plot.raster", "jn.theory.mean_field", "jn.record.Spikes"} <= pages
    for namespace in (jn, jn.theory, jn.analysis, jn.plot):
        prefix = "jn." if namespace is jn else f"jn.{namespace.__name__.rsplit('.', 1)[-1]}."
        for name in dir(namespace):
            value = getattr(namespace, name)
            home = str(getattr(value, "__module__", ""))
            ours = home.startswith("jaxneuro") and not home.startswith("jaxneuro._numerics")
            if callable(value) and not name.startswith("_") and ours:
                assert any(page.endswith(f".{name}") for page in pages), f"{prefix}{name} has no page"


@pytest.mark.usefixtures("as_users_run")
def test_a_name_without_an_example_shows_one_that_makes_it_or_that_uses_it(site):
    seen = site.Examples()
    assert "jn.analysis.hopf(" in seen.of("jn.analysis.Hopf")
    assert seen.of("jn.analysis.hopf") == ""
    assert "../docs/extending.md#a-recorder" in seen.of("jn.extend.AbstractRecorder")
    assert set(site.SHOWN_BY) | set(site.SHOWN_BY.values()) | set(site.SECTIONS) <= set(seen.members)
    assert set(site.SHOWN_BY.values()) <= set(seen.codes)
    assert set(site.SECTIONS.values()) <= {heading for _, heading, _ in seen.sections}


def test_a_page_holds_signature_docstring_and_methods(site):
    page = site.page_of("jn.simulate", jn.simulate)
    assert "jn.simulate(model, t0, t1, *, dt, " in page
    assert "**Arguments:**" in page
    assert "## resting_potential" in site.page_of("jn.LIF", jn.LIF)


def test_every_page_of_docs_is_in_a_table_of_contents(site):
    listed = [page for pages in site.PAGES.values() for page in pages]
    assert len(set(listed)) == len(listed)
    assert {f"{page}.md" for page in listed} <= {path.name for path in (ROOT / "docs").glob("*.md")}


def test_the_gallery_has_the_example_under_each_figure(site, tmp_path):
    site.write_gallery(tmp_path, figures=False)
    text = (tmp_path / "gallery.md").read_text()
    for name in ("raster", "spectrum", "traces", "density", "fi_curve", "laws", "profile", "training", "state_map",
                 "phase_diagram", "gradient_audit"):  # fmt: skip
        assert f"## {name}\n" in text
        assert f"jn.plot.{name}(" in text


def test_every_claim_names_a_command_that_is_there(site):
    ledger = site._beside("make_claims")
    found = [claim for claim in ledger.claims() if claim.command]
    assert len(found) > 100
    for claim in found:
        package, _, name = claim.command.split()[0].partition(".")
        name = (name or (claim.command.split()[1:] or ["__main__"])[0]).replace(".", "/")
        assert (ROOT / package / f"{name}.py").exists() or (ROOT / package / name).is_dir(), claim
    text = ledger.ledger()
    # Read by hand: a sentence of the README and a row of a table of `docs/speed.md`.
    row = r"`python -m benchmarks brunel`; AMD EPYC, 2 cores, JAX 0\.10\.1; 2026-\d\d-\d\d; "
    assert re.search(row, text) or not (ROOT / ".git").exists()
    assert "Not measured on a GPU" in text.split("## What is known to fall short")[1]


def numbers(ledger, text):
    return ledger.NUMBER.findall(ledger.COMMAND.sub("", " ".join(text.split())))


def test_the_ledger_holds_every_number_of_the_readme_and_of_docs(site):
    ledger = site._beside("make_claims")
    held = Counter(number for claim in ledger.claims() for number in numbers(ledger, claim.text))
    stated = Counter()
    for page in ledger.pages():
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        text = re.sub(r"^.*\n\| -.*$", "", text, flags=re.MULTILINE)  # heads of tables
        stated.update(numbers(ledger, "\n".join(line for line in text.splitlines() if not line.startswith("#"))))
    missing = {number: count - held[number] for number, count in stated.items() if held[number] < count}
    assert not missing, str(missing)


def test_a_number_has_the_command_of_its_sentence_of_its_paragraph_or_above_its_table(site):
    table = "| a | b |\n| --- | --- |\n| 4 | c |\n| 5 (`python -m fitting.waves`) | d |\n"
    text = f"One 1. Two 2 (`python -m benchmarks rates`). Three 3.\n\n{table}\nFour 6.\n"
    found = dict(site._beside("make_claims").attributed(text))
    assert found == {"One 1.": ["benchmarks rates"], "Two 2 (`python -m benchmarks rates`).": ["benchmarks rates"],
                     "Three 3.": ["benchmarks rates"], "4 | c": ["benchmarks rates"],
                     "5 (`python -m fitting.waves`) | d": ["fitting.waves"], "Four 6.": []}  # fmt: skip


def test_statements_are_sentences_and_rows_without_code(site):
    table = "| a | b |\n| --- | --- |\n| 4 | c |\n"
    text = f"# Title 1\n\nFirst 1. Second (`python -m benchmarks rates`) 2.\n\n```\n3\n```\n\n{table}"
    assert site._beside("make_claims").statements(text) == [
        "First 1.",
        "Second (`python -m benchmarks rates`) 2.",
        "4 | c",
    ]
