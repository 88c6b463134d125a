"""Renders pages of the built site in headless Chromium: `python docs/look_at_pages.py HTML --pictures FOLDER`.

Pages are measured at 1280 and 390 px, those of single names one of ten: one that scrolls sideways, or shows a picture,
a table or code wider than its column, is named, and ends the command with 1. Pictures of some are kept.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTHS = (1280, 390)
SLACK = 3  # px, of borders
PICTURED = ("README", "docs/getting-started", "docs/networks", "docs/claims", "gallery/gallery", "api/jn.simulate")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Pages are looked at in a frame, one after another, by the browser itself.
FRAME = """<!doctype html><body style="margin:0">
<iframe id="frame" style="border:0;width:WIDTHpx;height:1200px"></iframe>
<pre id="found"></pre><script>
const pages = PAGES, found = [], frame = document.getElementById("frame"); let at = -1;
function next() {
  at += 1;
  if (at < pages.length) { frame.src = pages[at]; return; }
  document.getElementById("found").textContent = "FOUND" + JSON.stringify(found) + "END";
}
frame.onload = () => {
  if (at < 0) return;
  const page = frame.contentDocument, wide = page.documentElement.scrollWidth;
  const article = page.querySelector("article");
  const cut = article === null ? [] : [...article.querySelectorAll("img, table, pre")].map(one => {
    const end = Math.min(WIDTH, article.getBoundingClientRect().right);
    const beyond = Math.max(one.getBoundingClientRect().right - end, one.scrollWidth - one.clientWidth);
    return [one.tagName.toLowerCase(), Math.round(beyond)];
  }).filter(([, beyond]) => beyond > SLACK);
  if (wide > WIDTH || cut.length) found.push([pages[at], wide, cut]);
  next();
};
next();
</script></body>"""


def looked_at(browser: str, pages: list[Path], width: int) -> list:
    """[page, its width, what is cut] of the pages that do not fit into `width` px."""
    names = json.dumps([page.as_uri() for page in pages])
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.html"
        frame.write_text(FRAME.replace("PAGES", names).replace("WIDTH", str(width)).replace("SLACK", str(SLACK)))
        options = ["--allow-file-access-from-files", "--virtual-time-budget=600000", f"--window-size={width},1200"]
        done = _run(browser, *options, "--dump-dom", frame.as_uri())
    told = re.search(r"FOUND(.*)END</pre>", done, re.DOTALL)
    if told is None:
        raise SystemExit(f"{browser} did not come to the end of the pages.")
    return json.loads(told.group(1))


def _run(browser: str, *options: str) -> str:
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="Renders pages of the built site in headless Chromium.")
    parser.add_argument("html", type=Path, help="folder of the built site")
    parser.add_argument("--pictures", type=Path, required=True, help="where to keep pictures")
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("no chromium on this machine: pages were not rendered (apt-get install chromium)")
        return 0
    html = options.html.resolve()
    options.pictures.mkdir(parents=True, exist_ok=True)
    names = sorted(html.glob("api/jn.*.html"))
    pages, failed = [*sorted({*html.rglob("*.html")} - {*names}), *names[::10]], 0
    for width in WIDTHS:
        for page in PICTURED:
            shot = options.pictures.resolve() / f"{page.replace('/', '-')}-{width}.png"
            _run(browser, f"--window-size={width},2400", f"--screenshot={shot}", (html / f"{page}.html").as_uri())
        found = looked_at(browser, pages, width)
        failed += len(found)
        print(f"{len(pages)} pages at {width} px, {len(found)} do not fit")
        for page, wide, cut in found:
            beyond = ", ".join(f"{tag} by {px} px" for tag, px in cut) or "nothing"
            print(f"  {page.rsplit('/html/', 1)[-1]}: {wide} px wide; cut: {beyond}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
