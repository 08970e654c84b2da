"""Checks that a folder written by `limpid convert --to_format=huggingface` loads in transformers
and translates as Limpid does. Run by hand.

    pip install torch transformers sentencepiece
    python tests/golden/check_export.py build/limpid models/eng-deu
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from transformers import MarianMTModel, MarianTokenizer

SENTENCES = Path(__file__).resolve().parent / "eng-deu" / "sentences.txt"


def main():
    torch.set_num_threads(1)
    limpid, model = sys.argv[1:]
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()[:20]
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/hf"
        flags = ["--to_format=huggingface", "--dtype=float32"]
        subprocess.run([limpid, "convert", f"--from={model}", f"--to={out}", *flags], check=True)
        theirs = MarianMTModel.from_pretrained(out).eval()
        tokenizer = MarianTokenizer.from_pretrained(out)
        same = 0
        for line in lines:
            ids = theirs.generate(**tokenizer([line], return_tensors="pt"), num_beams=1)
            expected = tokenizer.decode(ids[0], skip_special_tokens=True)
            command = [limpid, "translate", f"--model={model}", "--compute_type=float32", line]
            found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            same += found.split() == expected.split()
            if found.split() != expected.split():
                print(f"{line}\n  transformers: {expected}\n  limpid:       {found}")
    print(f"{same} of {len(lines)} sentences are the same")
    sys.exit(same != len(lines))


if __name__ == "__main__":
    main()
