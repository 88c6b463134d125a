"""Writes scikit-learn's digits to a file. Runs in an environment of its own: `python -m benchmarks.peers digits`."""

import json
import sys
from importlib import metadata

import numpy as np
from sklearn.datasets import load_digits

print(json.dumps({"scikit-learn": metadata.version("scikit-learn")}), flush=True)
for line in sys.stdin:
    images, labels = load_digits(return_X_y=True)
    np.savez(json.loads(line)["file"], images=images, labels=labels)
    print(json.dumps({"trials": len(labels)}), flush=True)
