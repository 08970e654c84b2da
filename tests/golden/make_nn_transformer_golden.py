"""Makes tests/golden/nn_transformer*: random models of models/from_pytorch/train.py's class, and
PyTorch's results with them.

    pip install torch transformers sentencepiece safetensors
    python tests/golden/make_nn_transformer_golden.py
"""

import json
import sys

import safetensors.torch
import torch

from make_golden import HERE, golden_sentence, golden_tensors, smallest_margin, versions
from small_models import write_json

sys.path.insert(0, str(HERE.parent.parent / "models" / "from_pytorch"))
from train import BOS, EOS, PAD, SPECIAL, UNK, Seq2SeqTransformer

# How each model differs: arguments of nn.Transformer, and keys of the JSON file.
MODELS = {
    "nn_transformer": dict(),
    "nn_transformer_source_bos": dict(source_bos=True),
    "nn_transformer_pre_norm": dict(norm_first=True, activation="gelu"),
}
SOURCE = SPECIAL + [f"s{i}" for i in range(20)]
TARGET = SPECIAL + [f"t{i}" for i in range(24)]
SENTENCES = ["", "s1", "s3 s4 what s19", "s5 s5 s6 s7 s8 s9 s10 s11 s12 s13 s14 s15"]
# In the form of a Marian config, for make_golden.py.
CONFIG = dict(pad_token_id=PAD, bad_words_ids=[[BOS]], decoder_start_token_id=BOS, eos_token_id=EOS)


class Words:
    """The part of a tokenizer that golden_sentence needs."""

    def __init__(self, source_bos):
        self.first = [BOS] if source_bos else []

    def __call__(self, text):
        words = [SOURCE.index(w) if w in SOURCE else UNK for w in text.split()]
        self.input_ids = self.first + words + [EOS]
        return self

    def decode(self, ids, skip_special_tokens):
        return " ".join(TARGET[i] for i in ids if i not in (UNK, PAD, EOS))


def run(model, source, target):
    memory = model.encode(torch.tensor(source)[:, None])
    return memory[:, 0], model.decode(torch.tensor(target)[:, None], memory)[:, 0]


def make(name, source_bos=False, **options):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    words_of = Words(source_bos)
    for seed in range(2000):
        torch.manual_seed(seed)
        model = Seq2SeqTransformer(2, 16, 4, len(SOURCE), len(TARGET), ffn=24, **options).eval()
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:  # no two biases or norms are alike
                parameter += 0.2 * torch.randn_like(parameter)
            else:
                parameter *= 2  # attention far from uniform, logits far apart

        def both(source, target, model=model):
            return run(model, source, target)

        sentences = [golden_sentence(both, CONFIG, words_of, text, 12) for text in SENTENCES]
        words = sum(len(set(s["output_ids"])) for s in sentences)
        if words >= 10 and smallest_margin(sentences) >= 1e-3:
            break
    else:
        raise ValueError("no seed gives varied output without close calls")
    torch.save(model.state_dict(), folder / "model.pt")
    description = dict(
        heads=4,
        positions="interleaved",
        scale_embedding=True,
        source_bos=source_bos,
        source_vocabulary=SOURCE,
        target_vocabulary=TARGET,
        **options,
    )
    (folder / "model.json").write_text(json.dumps(description) + "\n")
    tensors = {}
    for i, sentence in enumerate(sentences):
        for name, part in golden_tensors(both, CONFIG, sentence, 1, False).items():
            tensors[f"{i}.{name}"] = part.contiguous()
    golden = {"made_by": "torch", "software": versions(), "logit_stride": 1, "sentences": sentences}
    write_json(folder / "golden.json", golden)
    (folder / "golden.safetensors").write_bytes(safetensors.torch.save(tensors))


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    for name, options in MODELS.items():
        make(name, **options)


if __name__ == "__main__":
    main()
