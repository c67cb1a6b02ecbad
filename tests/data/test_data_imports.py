from __future__ import annotations

import subprocess
import sys


def test_data_and_transforms_need_no_transformers():
    """PyG imports it where it is installed, so it is made impossible to import instead of looked for."""
    code = "import sys; sys.modules['transformers'] = None; import graphmer_geo.data, graphmer_geo.transforms"
    subprocess.run([sys.executable, "-c", code], check=True)
