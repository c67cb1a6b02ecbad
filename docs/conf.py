from __future__ import annotations

import graphmer_geo

project = "graphmer-geo"
author = "The graphmer-geo authors"
version = release = graphmer_geo.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
autodoc_typehints = "description"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"graphmer-geo {release}"
exclude_patterns = ["_build"]
suppress_warnings = ["myst.xref_missing"]
