#!/usr/bin/env python3
"""Reads the files of `limpid trace` with independent readers.

tests/tools/trace_files.py build/limpid
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.dom.minidom

import numpy as np


def main():
    limpid = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        text = 'He said "a < b & c", 田中 שלום 😀 \x01. I love you.'
        subprocess.run([limpid, "trace", f"--svg={folder}/t.svg", f"--json={folder}/t.json",
                        f"--npz={folder}/t.npz", text], check=True, stdout=subprocess.DEVNULL)
        xml.dom.minidom.parse(f"{folder}/t.svg")
        data = json.loads((folder / "t.json").read_text(encoding="utf-8"),
                          parse_constant=lambda number: sys.exit(f"JSON has {number}"))
        arrays = np.load(folder / "t.npz", allow_pickle=False)
    assert arrays["sentences"] == len(data["sentences"]) == 2
    for number, sentence in enumerate(data["sentences"]):
        for side in "source", "target":
            pieces = [token["piece"] for token in sentence[side]["tokens"]]
            assert list(arrays[f"sentence{number}.{side}.pieces"]) == pieces
            assert arrays[f"sentence{number}.{side}.text"] == sentence[side]["text"]
        for attention in sentence["attentions"]:
            prefix = f"sentence{number}.{attention['kind']}.{attention['layer']}"
            weights = arrays[f"{prefix}.weights"]
            assert weights.shape == (len(attention["heads"]), attention["queries"], attention["keys"])
            assert np.array_equal(weights, np.array(attention["weights"], dtype=np.float32))
            scores = arrays[f"{prefix}.scores"].astype(np.float64)
            powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
            np.testing.assert_allclose(powers / powers.sum(axis=-1, keepdims=True), weights, atol=1e-5)
            np.testing.assert_allclose(weights @ arrays[f"{prefix}.v"], arrays[f"{prefix}.context"],
                                       atol=1e-4)
    print("JSON and NumPy arrays agree; the SVG is well-formed.")


if __name__ == "__main__":
    main()
