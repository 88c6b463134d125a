"""Settings of the documentation site, which `make site` builds: docs/make_site.py gathers the pages."""

project = "jaxneuro"
author = copyright = "The jaxneuro authors"
root_doc = "README"
extensions = ["myst_nb", "sphinx_copybutton"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".myst": "myst-nb"}
exclude_patterns = ["_build"]
myst_enable_extensions = []
myst_heading_anchors = 3
# Notebooks come with their outputs, or without where nobody ran them: the site runs nothing.
nb_execution_mode = "off"
html_theme = "furo"
html_title = "jaxneuro"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
# Examples print what Python prints, and some output is no Python.
suppress_warnings = ["misc.highlighting_failure", "mystnb.unknown_mime_type"]
