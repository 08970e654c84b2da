"""Makes tests/golden/marian/bergamot/golden_bergamot.json: translations by Bergamot's engine, which Firefox uses, with
the model in that folder. Bergamot computes in int8 and clips the inputs of its GEMMs by multipliers stored with the
model. "sentences" are translated with the stored multipliers; "whatever_the_multipliers" are the same with several
others, so that float32 should give them, too.

  pip install bergamot==0.4.5 sentencepiece numpy    (for Python 3.10)
  python tests/golden/make_bergamot_golden.py
"""

import json
import os
import random
import tempfile
import types

import requests

from make_marian_golden import OUT, SOURCE, as_bergamot_has_it, read_bin, write_bin

# The package downloads a list of models when it is imported.
requests.get = lambda *_, **__: types.SimpleNamespace(text='{"models": []}')
import bergamot  # noqa: E402

FOLDER = os.path.join(OUT, "bergamot")
MODEL = os.path.join(FOLDER, "model.ende.intgemm.alphas.bin")
VOCABULARY = os.path.join(FOLDER, "vocab.ende.spm")
MULTIPLIERS = [16, 20, 24, 30]
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


def translate(model, sources):
    service = bergamot.Service(bergamot.ServiceConfig(numWorkers=1))
    loaded = service.modelFromConfig(CONFIG.format(model=model, vocabulary=VOCABULARY))
    options = bergamot.ResponseOptions(alignment=False)
    return [response.target.text for response in service.translate(loaded, bergamot.VectorString(sources), options)]


def translate_with(multiplier, sources):
    tensors = as_bergamot_has_it(read_bin(os.path.join(OUT, "ssru_int8", "model.intgemm8.bin")), multiplier)
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model.intgemm.alphas.bin")
        write_bin(model, tensors)
        return translate(model, sources)


def listed(sources, targets):
    """Omits long translations, which Bergamot cuts elsewhere."""
    return ",\n".join(json.dumps(dict(source=source, target=target)) for source, target in zip(sources, targets)
                      if target is not None and len(target.split()) < 12)


def main():
    rng = random.Random(7)
    sources = [" ".join(rng.choice(SOURCE) for _ in range(rng.randint(1, 8))) + rng.choice(".?!,")
               for _ in range(200)]
    with_several = [translate_with(multiplier, sources) for multiplier in MULTIPLIERS]
    always = [found[0] if len(set(found)) == 1 else None for found in zip(*with_several)]
    with_stored = translate(MODEL, sources)
    with open(os.path.join(FOLDER, "golden_bergamot.json"), "w", encoding="utf-8") as file:
        file.write(f'{{"software": {{"bergamot": "0.4.5"}}, "sentences": [\n{listed(sources, with_stored)}\n],\n'
                   f'"whatever_the_multipliers": [\n{listed(sources, always)}\n]}}\n')


if __name__ == "__main__":
    main()
