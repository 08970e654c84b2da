"""Makes the golden data of beam search and the search options with transformers' generate().

    pip install torch transformers sentencepiece safetensors
    python tests/golden/make_search_golden.py HUGGING_FACE_FOLDER_OF_ENG_DEU

writes tests/golden/search/NAME.json for eng-deu and two small models. README.md describes them.
"""

import argparse
import json
from pathlib import Path

import torch
import transformers
from transformers import MarianMTModel, MarianTokenizer

from make_golden import HERE, SMALL_MODEL_SENTENCES, forbidden_ids, round_matrices, versions

# Limpid's options by case; others have their defaults. Tokens are ids.
CASES = {
    "beam_2": {"beam_size": 2, "nbest": 2},
    "beam_4": {"beam_size": 4, "nbest": 4},
    "beam_8": {"beam_size": 8, "nbest": 2},
    "by_probability": {"beam_size": 4, "nbest": 2, "length_penalty": 0.0},
    "longer": {"beam_size": 4, "nbest": 2, "length_penalty": 2.0},
    "shorter": {"beam_size": 4, "nbest": 2, "length_penalty": -0.5},
    "cut": {"beam_size": 4, "nbest": 4, "max_output_tokens": 5},
    "at_least": {"beam_size": 4, "nbest": 2, "min_output_tokens": 12},
    "penalty": {"beam_size": 4, "nbest": 2, "repetition_penalty": 1.5},
    "no_repeat": {"beam_size": 4, "nbest": 2, "no_repeat_ngram_size": 2, "min_output_tokens": 15},
    "greedy_penalty": {"repetition_penalty": 1.5, "min_output_tokens": 15},
    "greedy_no_repeat": {"no_repeat_ngram_size": 1, "min_output_tokens": 15},
    "greedy_no_bigram": {"no_repeat_ngram_size": 2, "min_output_tokens": 15},
}
# With ids, which differ from model to model.
TOKEN_CASES = {
    "prefix": {"beam_size": 4, "nbest": 2},
    "suppress": {"beam_size": 4, "nbest": 2},
    "greedy_suppress": {},
    "end_at": {"beam_size": 4, "nbest": 2},
}
# The cases for all sentences; the others get every third.
FULL_CASES = ("beam_2", "beam_4", "beam_8")


class Searcher:
    """MarianMTModel in float32 and in float64."""

    def __init__(self, folder, round_to_float16):
        self.config = json.loads((folder / "config.json").read_text())
        self.models = []
        for dtype in (torch.float32, torch.float64):
            model = MarianMTModel.from_pretrained(folder, dtype=torch.float32).eval()
            if round_to_float16:
                round_matrices(model)
            # Tokens that are never produced have no share in the probability.
            model.final_logits_bias[0, forbidden_ids(self.config)] = -torch.inf
            model.generation_config.bad_words_ids = None
            model.generation_config.forced_eos_token_id = None
            model.generation_config.max_length = None
            self.models.append(model.to(dtype))

    def search(self, source, options):
        """Hypotheses, or None if float32 and float64 disagree: too close to call."""
        single, double = (self._generate(model, source, options) for model in self.models)
        if [h["ids"] for h in single] != [h["ids"] for h in double]:
            return None
        return double

    def _generate(self, model, source, options):
        prefix = options.get("prefix", [])
        limit = options.get("max_output_tokens", 3 * len(source) + 20 + len(prefix))
        beam = options.get("beam_size", 1)
        minimum = options.get("min_output_tokens", 0)
        limit = min(max(limit, minimum + 1), self.config["max_position_embeddings"])
        output = model.generate(
            torch.tensor([source]),
            decoder_input_ids=torch.tensor([[self.config["decoder_start_token_id"]] + prefix]),
            do_sample=False,
            num_beams=beam,
            num_return_sequences=options.get("nbest", 1),
            early_stopping="never" if beam > 1 else False,
            length_penalty=options.get("length_penalty", 1.0),
            max_new_tokens=limit - len(prefix),
            min_length=minimum + 1 if minimum else 0,
            repetition_penalty=options.get("repetition_penalty", 1.0),
            no_repeat_ngram_size=options.get("no_repeat_ngram_size", 0),
            bad_words_ids=options.get("suppress"),
            eos_token_id=[self.config["eos_token_id"]] + options.get("end_at", []),
            return_dict_in_generate=True,
            output_scores=True,
        )
        hypotheses = []
        for i, row in enumerate(output.sequences.tolist()):
            ids = row[1:]
            while ids and ids[-1] == self.config["pad_token_id"]:
                ids.pop()
            hypothesis = {"ids": ids}
            if beam > 1:
                hypothesis["score"] = round(float(output.sequences_scores[i]), 6)
            hypotheses.append(hypothesis)
        return hypotheses


def token_options(name, found):
    """The ids of a case, taken from the results of beam search without them."""
    best = found[0]["ids"]
    if name == "prefix":
        return {"prefix": found[1]["ids"][:2] + [best[0]]}
    if name == "end_at":
        return {"end_at": best[1:2]}
    # A token, and two that must not follow each other.
    return {"suppress": [best[:1]] + ([best[1:3]] if len(best) > 3 else [])}


def cases(searcher, sources):
    for name, options in {**CASES, **TOKEN_CASES}.items():
        sentences = []
        for source in sources if name in FULL_CASES else sources[::3]:
            own = {}
            if name in TOKEN_CASES:
                found = searcher.search(source, CASES["beam_2"])
                if found is None or len(found[0]["ids"]) < 3:
                    continue
                own = token_options(name, found)
            hypotheses = searcher.search(source, {**options, **own})
            if hypotheses is not None:
                sentences.append({"source_ids": source, **own, "hypotheses": hypotheses})
        print(f"  {name}: {len(sentences)} sentences")
        yield {"name": name, "options": options, "sentences": sentences}


def write(name, folder, texts, round_to_float16):
    print(name)
    tokenizer = MarianTokenizer.from_pretrained(folder)
    sources = [tokenizer(text).input_ids for text in texts]
    searcher = Searcher(folder, round_to_float16)
    lines = [json.dumps(case) for case in cases(searcher, sources)]
    head = json.dumps({"made_by": "transformers", "software": versions()})
    text = head[:-1] + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n"
    (HERE / "search" / f"{name}.json").write_text(text)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("eng_deu", type=Path, help="eng-deu in the Hugging Face MarianMT layout")
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for name in ("base", "bad_words"):
        write(name, HERE / name, SMALL_MODEL_SENTENCES, round_to_float16=False)
    lines = (HERE / "eng-deu" / "sentences.txt").read_text(encoding="utf-8").splitlines()
    write("eng-deu", args.eng_deu, [""] + lines, round_to_float16=True)


if __name__ == "__main__":
    main()
