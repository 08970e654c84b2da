"""Makes the golden data: the results of the original software for the same weights and text.

    pip install torch transformers sentencepiece safetensors
    python tests/golden/make_golden.py HUGGING_FACE_FOLDER_OF_ENG_DEU

writes tests/golden/NAME/golden.json and golden.safetensors for eng-deu and for each small model of
small_models.py, and those models themselves; with --only NAME, for one of them. README.md describes
the files.
"""

import argparse
import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import safetensors
import safetensors.torch
import sentencepiece
import torch
import transformers
from transformers import MarianMTModel, MarianTokenizer

import small_models
from plain_transformer import PlainTransformer

HERE = Path(__file__).resolve().parent
TOP = 16
ATTENTIONS = {
    "encoder_self_attention": "encoder_attentions",
    "decoder_self_attention": "decoder_attentions",
    "cross_attention": "cross_attentions",
}
# From 1 token, </s> alone, to about 40.
SMALL_MODEL_SENTENCES = [
    "",
    "No!",
    "I am happy.",
    "Where do you live? 😀",
    "Tom and Mary don't know what they want.",
]
SMALL_MODEL_LIMIT = 12
# If the best two logits are closer than this at any step, float32 may choose either.
SMALLEST_MARGIN = 1e-3
# Most random models repeat one token forever. Require this many different ones, summed over the
# sentences.
ENOUGH_WORDS = 20


class HuggingFaceModel:
    """MarianMTModel in float32, on one sentence at a time."""

    def __init__(self, folder, round_to_float16=False):
        self.model = MarianMTModel.from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float32
        ).eval()
        if round_to_float16:
            round_matrices(self.model)

    def __call__(self, source, target):
        outputs = self.run(source, target)
        return outputs.encoder_last_hidden_state[0], outputs.logits[0]

    def run(self, source, target):
        return self.model(
            input_ids=torch.tensor([source]),
            decoder_input_ids=torch.tensor([target]),
            output_attentions=True,
        )

    def attentions(self, source, target):
        """By name, each [layers, heads, queries, keys]."""
        outputs = self.run(source, target)
        return {ours: torch.cat(outputs[theirs]) for ours, theirs in ATTENTIONS.items()}

    def generate(self, source, limit, bad_ids):
        config = self.model.generation_config
        config.forced_eos_token_id = None  # it would change the last token at the limit
        config.max_length = None
        config.bad_words_ids = [[i] for i in bad_ids]
        ids = self.model.generate(
            torch.tensor([source]), num_beams=1, do_sample=False, max_new_tokens=limit
        )
        return ids[0, 1:].tolist()


def round_matrices(model):
    """Rounds weight matrices, but not vectors, to float16, as in a float16 Limpid folder."""
    for name, parameter in model.named_parameters():
        # Limpid computes sinusoidal positions and stores none.
        if parameter.dim() == 2 and "embed_positions" not in name:
            parameter.data = parameter.data.half().float()


def forbidden_ids(config):
    return sorted({config["pad_token_id"]} | {word[0] for word in config["bad_words_ids"]})


def greedy(model, config, source, limit):
    """The ids, their log-probabilities, and the smallest lead of a best token over the second."""
    target, log_probabilities, margin = [config["decoder_start_token_id"]], [], float("inf")
    while len(target) <= limit and (len(target) == 1 or target[-1] != config["eos_token_id"]):
        logits = model(source, target)[1][-1].clone()
        logits[forbidden_ids(config)] = -torch.inf
        best, second = logits.topk(2).values.tolist()
        margin = min(margin, best - second)
        target.append(int(logits.argmax()))
        log_probabilities.append(float(logits.log_softmax(0)[target[-1]]))
    return target[1:], log_probabilities, margin


def golden_sentence(model, config, tokenizer, text, limit):
    source = tokenizer(text).input_ids
    limit = limit or 3 * len(source) + 20
    output, log_probabilities, margin = greedy(model, config, source, limit)
    if isinstance(model, HuggingFaceModel):
        assert model.generate(source, limit, forbidden_ids(config)) == output
    return {
        "source": text,
        "source_ids": source,
        "max_output_tokens": limit,
        "output_ids": output,
        "log_probabilities": log_probabilities,
        "text": tokenizer.decode(output, skip_special_tokens=True),
        "smallest_margin": margin,
    }


def golden_tensors(model, config, sentence, stride, with_attention):
    target = [config["decoder_start_token_id"]] + sentence["output_ids"][:-1]
    encoder_output, logits = model(sentence["source_ids"], target)
    top = logits.topk(TOP)
    tensors = {
        "encoder_output": encoder_output,
        "logits": logits[:, ::stride],
        "top_ids": top.indices.float(),
        "top_logits": top.values,
        "log_sum_exp": logits.logsumexp(-1),
    }
    if with_attention and isinstance(model, HuggingFaceModel):
        tensors.update(model.attentions(sentence["source_ids"], target))
    return tensors


def golden_sentences(model, model_folder, texts, limit=0):
    config = json.loads((model_folder / "config.json").read_text())
    tokenizer = MarianTokenizer.from_pretrained(model_folder)
    return [golden_sentence(model, config, tokenizer, text, limit) for text in texts]


def write_golden(folder, model, model_folder, sentences, stride, attentions):
    """`attentions`: the sentences, by index, whose attention is kept."""
    config = json.loads((model_folder / "config.json").read_text())
    tensors = {}
    for i, sentence in enumerate(sentences):
        parts = golden_tensors(model, config, sentence, stride, i in attentions)
        tensors.update((f"{i}.{name}", part.contiguous()) for name, part in parts.items())
    by = "transformers" if isinstance(model, HuggingFaceModel) else "plain_transformer.py"
    golden = {"made_by": by, "software": versions(), "logit_stride": stride, "sentences": sentences}
    small_models.write_json(folder / "golden.json", golden)
    (folder / "golden.safetensors").write_bytes(safetensors.torch.save(tensors))
    report(folder.name, sentences, tensors)


def smallest_margin(sentences):
    return min(sentence["smallest_margin"] for sentence in sentences)


def versions():
    modules = (torch, transformers, sentencepiece, safetensors)
    return {module.__name__: module.__version__ for module in modules}


def report(name, sentences, tensors):
    steps = sum(len(s["output_ids"]) for s in sentences)
    words = sum(len(set(s["output_ids"])) for s in sentences)
    spread = torch.cat([t.flatten() for n, t in tensors.items() if n.endswith(".logits")]).std()
    print(
        f"{name}: {len(sentences)} sentences, {steps} steps, {words} words, logits spread "
        f"{spread:.1f}, smallest margin {smallest_margin(sentences):.1e}"
    )


def write_small_model(name, english, german):
    """Writes the model and its golden data."""
    folder = HERE / name
    small_models.write_config_and_tokenizer(name, folder, english, german)
    for seed in range(200):
        small_models.write_weights(name, folder, seed)
        model = small_model(folder)
        sentences = golden_sentences(model, folder, SMALL_MODEL_SENTENCES, SMALL_MODEL_LIMIT)
        words = sum(len(set(s["output_ids"])) for s in sentences)
        if words >= ENOUGH_WORDS and smallest_margin(sentences) >= SMALLEST_MARGIN:
            break
    else:
        raise ValueError(f"no seed gives {name!r} varied output without close calls")
    write_golden(folder, model, folder, sentences, stride=1, attentions=(1,))
    if small_models.MODELS[name].get("_saved_by_transformers"):
        model.model.save_pretrained(folder)


def small_model(folder):
    config = json.loads((folder / "config.json").read_text())
    if not small_models.transformers_ignores(config):
        return HuggingFaceModel(folder)
    return PlainTransformer(config, safetensors.torch.load_file(folder / "model.safetensors"))


def write_eng_deu(model_folder):
    folder = HERE / "eng-deu"
    lines = (folder / "sentences.txt").read_text(encoding="utf-8").splitlines()
    model = HuggingFaceModel(model_folder, round_to_float16=True)
    sentences = golden_sentences(model, model_folder, [""] + lines)  # "" is one token, </s>
    if smallest_margin(sentences) < SMALLEST_MARGIN:
        raise ValueError("a sentence is too close to call: choose another")
    write_golden(folder, model, model_folder, sentences, stride=127, attentions=(1, 8, 9, 10, 13))


def check_plain_transformer():
    """PlainTransformer must equal transformers on a model that both can run."""
    folder = HERE / "base"
    config = json.loads((folder / "config.json").read_text())
    plain = PlainTransformer(config, safetensors.torch.load_file(folder / "model.safetensors"))
    source, target = [5, 9, 40, 7, 0], [config["decoder_start_token_id"], 3, 60, 8]
    for ours, theirs in zip(plain(source, target), HuggingFaceModel(folder)(source, target)):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("eng_deu", type=Path, help="eng-deu in the Hugging Face MarianMT layout")
    parser.add_argument("--only", metavar="NAME", help="make only this one")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()

    gold = HERE / "align-tatoeba"
    english = (gold / "source.eng").read_text(encoding="utf-8").splitlines()
    german = (gold / "target.deu").read_text(encoding="utf-8").splitlines()
    for name in small_models.MODELS:
        if args.only in (None, name):
            write_small_model(name, english, german)
    check_plain_transformer()
    if args.only in (None, "eng-deu"):
        write_eng_deu(args.eng_deu)


if __name__ == "__main__":
    main()
