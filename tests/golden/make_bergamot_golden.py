"""Makes tests/golden/marian/bergamot/golden_bergamot.json: what Bergamot's engine, which Firefox has,
translates with the model in that folder.

  pip install bergamot==0.4.5 sentencepiece numpy    (for Python 3.10)
  python tests/golden/make_bergamot_golden.py

Bergamot computes in int8 and clips the inputs of products by scales that are stored with the model.
Here these are made up, so only sentences count that it translates alike with each of several.
"""

import json
import os
import random
import tempfile

import bergamot

from make_marian_golden import OUT, SOURCE, as_bergamot_has_it, read_bin, write_bin

FOLDER = os.path.join(OUT, "bergamot")
SCALES = [16, 20, 24, 30]
CONFIG = """
models: [{model}]
vocabs: [{vocabulary}, {vocabulary}]
beam-size: 1
normalize: 0
word-penalty: 0
mini-batch: 8
maxi-batch: 10
maxi-batch-sort: src
workspace: 128
max-length-break: 128
max-length-factor: 3
mini-batch-words: 1024
skip-cost: true
cpu-threads: 0
quiet: true
quiet-translation: true
gemm-precision: int8shiftAlphaAll
alignment: soft
ssplit-mode: paragraph
"""


def translate(scale, sources):
    tensors = as_bergamot_has_it(read_bin(os.path.join(OUT, "ssru_int8", "model.intgemm8.bin")), scale)
    service = bergamot.Service(bergamot.ServiceConfig(numWorkers=1))
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model.intgemm.alphas.bin")
        write_bin(model, tensors)
        vocabulary = os.path.join(FOLDER, "vocab.ende.spm")
        loaded = service.modelFromConfig(CONFIG.format(model=model, vocabulary=vocabulary))
        options = bergamot.ResponseOptions(alignment=False)
        responses = service.translate(loaded, bergamot.VectorString(sources), options)
        return [response.target.text for response in responses]


def main():
    rng = random.Random(7)
    sources = [" ".join(rng.choice(SOURCE) for _ in range(rng.randint(1, 8))) + rng.choice(".?!,")
               for _ in range(200)]
    translations = [translate(scale, sources) for scale in SCALES]
    pairs = [(source, found[0]) for source, *found in zip(sources, *translations)
             if len(set(found)) == 1 and len(found[0].split()) < 12]  # it cuts long ones elsewhere
    lines = ",\n".join(json.dumps(dict(source=source, target=target)) for source, target in pairs)
    with open(os.path.join(FOLDER, "golden_bergamot.json"), "w", encoding="utf-8") as file:
        file.write(f'{{"software": {{"bergamot": "0.4.5"}}, "sentences": [\n{lines}\n]}}\n')
    print(f"{len(pairs)} of {len(sources)} sentences")


if __name__ == "__main__":
    main()
