"""Compares limpid's beam search with those of Hugging Face transformers and CTranslate2.

    pip install torch transformers sentencepiece ctranslate2
    python tests/benchmarks/beam.py --model HF_FOLDER --limpid_model models/eng-deu --source test.src

--model is the checkpoint, in the Hugging Face MarianMT layout, that --limpid_model came from. All
three get the same weights, in float32, and the same limits on the length of the output.

CTranslate2 ends a sentence once beam_size * patience hypotheses have finished; Limpid ends it when
no other hypothesis can still win. So CTranslate2 also runs with more patience.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import ctranslate2
import torch
import transformers

from quality import Reference, read_lines


def limpid_search(args, lines, beam):
    """The best hypothesis of each line, as ids and score."""
    command = [args.limpid, "translate", "--model", args.limpid_model, "--nosplit_sentences"]
    command += ["--compute_type=float32", "--json", f"--beam_size={beam}", f"--nbest={args.nbest}"]
    command += [f"--length_penalty={args.length_penalty}"]
    text = "\n".join(lines) + "\n"
    output = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    found = [json.loads(line) for line in output.splitlines()]
    nbest = [line["nbest"] if args.nbest > 1 else [line] for line in found]
    results = []
    for hypotheses in nbest:
        best = hypotheses[0]
        ids = [token["id"] for token in best["tokens"]]
        results.append((ids, best["score"] / len(ids) ** args.length_penalty))
    return results


def transformers_search(reference, sources, beam, length_penalty, early_stopping):
    results = []
    for source in sources:
        output = reference.model.generate(
            torch.tensor([source]),
            do_sample=False,
            num_beams=beam,
            length_penalty=length_penalty,
            early_stopping=early_stopping,
            max_new_tokens=3 * len(source) + 20,
            return_dict_in_generate=True,
            output_scores=True,
        )
        ids = output.sequences[0, 1:].tolist()
        pad = reference.model.config.pad_token_id
        results.append(([i for i in ids if i != pad], float(output.sequences_scores[0])))
    return results


def convert_to_ctranslate2(reference, folder):
    """Converts the weights of `reference`."""
    hugging_face, converted = os.path.join(folder, "hf"), os.path.join(folder, "ct2")
    reference.model.save_pretrained(hugging_face)
    reference.tokenizer.save_pretrained(hugging_face)
    ctranslate2.converters.TransformersConverter(hugging_face).convert(converted)
    return ctranslate2.Translator(converted, compute_type="float32", intra_threads=1)


def ctranslate2_search(translator, tokenizer, sources, beam, length_penalty, patience):
    results = []
    for source in sources:
        found = translator.translate_batch(
            [tokenizer.convert_ids_to_tokens(source)],
            beam_size=beam,
            length_penalty=length_penalty,
            patience=patience,
            max_decoding_length=3 * len(source) + 20,
            return_scores=True,
            return_end_token=True,
        )[0]
        ids = tokenizer.convert_tokens_to_ids(found.hypotheses[0])
        results.append((ids, found.scores[0]))
    return results


def compare(name, ours, theirs, lines, show):
    different = [i for i in range(len(ours)) if ours[i][0] != theirs[i][0]]
    same = [i for i in range(len(ours)) if ours[i][0] == theirs[i][0]]
    gap = max((abs(ours[i][1] - theirs[i][1]) for i in same), default=0.0)
    print(
        f"  {name}: {len(same)} of {len(ours)} lines have the same ids; their scores differ by "
        f"at most {gap:.1e}",
        flush=True,
    )
    for i in different[:show]:
        print(f"    line {i + 1}: {lines[i]}\n      limpid {ours[i]}\n      {name} {theirs[i]}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="Hugging Face MarianMT folder")
    parser.add_argument("--source", required=True, help="one sentence per line")
    parser.add_argument("--limpid", default="build/limpid", help="the program")
    parser.add_argument("--limpid_model", required=True, help="Limpid folder")
    parser.add_argument("--float32", action="store_true", help="do not round weights to float16")
    parser.add_argument("--beams", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--nbest", type=int, default=1)
    parser.add_argument("--length_penalty", type=float, default=1.0)
    parser.add_argument("--lines", type=int, default=200, help="number of lines, evenly spread")
    parser.add_argument("--show", type=int, default=3, help="number of differing lines to print")
    return parser.parse_args()


@torch.no_grad()
def main():
    args = parse_arguments()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    lines = read_lines(args.source)
    lines = lines[:: max(1, len(lines) // args.lines)][: args.lines]
    reference = Reference(args.model, round_to_float16=not args.float32)
    sources = [reference.tokenizer(line).input_ids for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        translator = convert_to_ctranslate2(reference, folder)
        for beam in args.beams:
            print(f"beam {beam}, length penalty {args.length_penalty}")
            ours = limpid_search(args, lines, beam)
            for early_stopping in (False, "never"):
                theirs = transformers_search(
                    reference, sources, beam, args.length_penalty, early_stopping
                )
                name = f"transformers, early_stopping={early_stopping}"
                compare(name, ours, theirs, lines, args.show)
            for patience in (1, 8):
                theirs = ctranslate2_search(
                    translator, reference.tokenizer, sources, beam, args.length_penalty, patience
                )
                compare(f"CTranslate2, patience={patience}", ours, theirs, lines, args.show)


if __name__ == "__main__":
    main()
