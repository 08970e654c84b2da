"""Makes tests/golden/marian/bergamot/golden_bergamot.json: what Bergamot's engine, which Firefox has,
translates with the model in that folder, in int8 with the multipliers for inputs that are stored there.

  pip install bergamot==0.4.5 sentencepiece numpy    (for Python 3.10)
  python tests/golden/make_bergamot_golden.py
"""

import json
import os
import random
import types

import requests

from make_marian_golden import OUT, SOURCE

# The package asks for a list of models on the net when it is imported.
requests.get = lambda *_, **__: types.SimpleNamespace(text='{"models": []}')
import bergamot  # noqa: E402

FOLDER = os.path.join(OUT, "bergamot")
CONFIG = f"""
models: [{FOLDER}/model.ende.intgemm.alphas.bin]
vocabs: [{FOLDER}/vocab.ende.spm, {FOLDER}/vocab.ende.spm]
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


def translate(sources):
    service = bergamot.Service(bergamot.ServiceConfig(numWorkers=1))
    model = service.modelFromConfig(CONFIG)
    options = bergamot.ResponseOptions(alignment=False)
    return [response.target.text for response in service.translate(model, bergamot.VectorString(sources), options)]


def main():
    rng = random.Random(7)
    sources = [" ".join(rng.choice(SOURCE) for _ in range(rng.randint(1, 8))) + rng.choice(".?!,")
               for _ in range(200)]
    pairs = [(source, target) for source, target in zip(sources, translate(sources))
             if len(target.split()) < 12]  # it cuts long ones elsewhere
    lines = ",\n".join(json.dumps(dict(source=source, target=target)) for source, target in pairs)
    with open(os.path.join(FOLDER, "golden_bergamot.json"), "w", encoding="utf-8") as file:
        file.write(f'{{"software": {{"bergamot": "0.4.5"}}, "sentences": [\n{lines}\n]}}\n')
    print(f"{len(pairs)} of {len(sources)} sentences")


if __name__ == "__main__":
    main()
