"""Compares limpid's greedy translations with those of Hugging Face transformers, and scores both.

    pip install torch transformers sentencepiece sacrebleu
    python tests/benchmarks/quality.py --model HF_FOLDER --limpid_model models/eng-deu \\
        --source test.src --reference test.tgt

--model is the checkpoint, in the Hugging Face MarianMT layout, that --limpid_model came from.
"""

import argparse
import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import sacrebleu
import torch
import transformers
from transformers import MarianMTModel, MarianTokenizer


class Reference:
    """MarianMTModel in float32, greedy, with limpid's limits on the length of the output."""

    def __init__(self, folder, round_to_float16):
        self.tokenizer = MarianTokenizer.from_pretrained(folder)
        self.model = MarianMTModel.from_pretrained(folder, dtype=torch.float32).eval()
        if round_to_float16:
            round_matrices(self.model)
        config = self.model.generation_config
        config.forced_eos_token_id = None
        config.max_length = None

    def translate(self, lines, batch_size):
        """Translates in batches of similar length; returns the translations in the order of `lines`."""
        sources = [self.tokenizer(line).input_ids for line in lines]
        order = sorted(range(len(lines)), key=lambda i: len(sources[i]))
        texts = [""] * len(lines)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            outputs = self._generate([sources[i] for i in batch])
            for i, text in zip(
                batch, self.tokenizer.batch_decode(outputs, skip_special_tokens=True)
            ):
                texts[i] = text
        return texts

    def _generate(self, sources):
        limits = [3 * len(source) + 20 for source in sources]
        inputs = self.tokenizer.pad({"input_ids": sources}, return_tensors="pt")
        ids = self.model.generate(
            **inputs, num_beams=1, do_sample=False, max_new_tokens=max(limits)
        )[:, 1:]
        return [row[:limit] for row, limit in zip(ids.tolist(), limits)]

    def first_difference(self, source, text):
        """The step at which `text` leaves the greedy path for `source`, and the lead of the best
        token's logit there over that of the token in `text`; None if it does not leave the path.
        The tokenizer splits `text`, so its tokens may differ from those that produced it."""
        source_ids = self.tokenizer(source, return_tensors="pt").input_ids
        target = self.tokenizer(text_target=text).input_ids
        start = self.model.config.decoder_start_token_id
        decoder_input = torch.tensor([[start] + target[:-1]])
        logits = self.model(input_ids=source_ids, decoder_input_ids=decoder_input).logits[0]
        logits[:, self.model.config.pad_token_id] = -torch.inf
        for step, token in enumerate(target):
            lead = float(logits[step].max() - logits[step, token])
            if lead > 0:
                return step, lead
        return None


def round_matrices(model):
    """Rounds weight matrices, but not vectors, to float16, as in a float16 Limpid folder."""
    for name, parameter in model.named_parameters():
        # Limpid computes sinusoidal positions and stores none.
        if parameter.dim() == 2 and "embed_positions" not in name:
            parameter.data = parameter.data.half().float()


def run_limpid(args):
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "output.txt")
        command = [args.limpid, "translate", "--model", args.limpid_model, "--nosplit_sentences"]
        command += ["--input", args.source, "--output", output] + shlex.split(args.limpid_flags)
        if subprocess.run(command).returncode != 0:
            raise SystemExit(f"failed: {shlex.join(command)}")
        return read_lines(output)


def read_lines(path):
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def print_differences(sources, ours, theirs, reference, show):
    different = [i for i in range(len(sources)) if ours[i] != theirs[i]]
    print(f"{len(different)} of {len(sources)} lines differ between limpid and transformers")
    for i in different[:show]:
        print(f"  line {i + 1}: {sources[i]}\n    limpid:       {ours[i]}")
        print(f"    transformers: {theirs[i]}")
        if (found := reference.first_difference(sources[i], ours[i])) is not None:
            print(f"    at step {found[0]}, transformers prefers its own token by {found[1]:.2e}")


def print_scores(outputs, references):
    """`outputs`: translations by engine name."""
    bleu, chrf = sacrebleu.BLEU(), sacrebleu.CHRF()
    print("\n| | BLEU | chrF |\n|---|---|---|")
    for name, texts in outputs.items():
        scores = [metric.corpus_score(texts, [references]).score for metric in (bleu, chrf)]
        print(f"| {name} | {scores[0]:.2f} | {scores[1]:.2f} |")
    print(f"\nBLEU {bleu.get_signature()}\nchrF {chrf.get_signature()}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="Hugging Face MarianMT folder")
    parser.add_argument("--source", required=True, help="one sentence per line")
    parser.add_argument("--reference", required=True, help="its translations, line by line")
    parser.add_argument("--limpid", default="build/limpid", help="the program")
    parser.add_argument("--limpid_model", help="Limpid folder; without it, only transformers runs")
    parser.add_argument("--limpid_flags", default="", help="more flags for limpid translate")
    parser.add_argument(
        "--float32",
        action="store_true",
        help="keep the weights as they are, not rounded to float16",
    )
    parser.add_argument("--save", help="write the translations of transformers to this file")
    parser.add_argument("--show", type=int, default=5, help="number of differing lines to print")
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


@torch.no_grad()
def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    sources, references = read_lines(args.source), read_lines(args.reference)
    if len(sources) != len(references):
        raise SystemExit(f"{args.source} has {len(sources)} lines, the reference {len(references)}")

    reference = Reference(args.model, round_to_float16=not args.float32)
    start = time.perf_counter()
    theirs = reference.translate(sources, args.batch_size)
    print(f"transformers: {len(sources)} lines in {time.perf_counter() - start:.1f} s")
    if args.save:
        Path(args.save).write_text("\n".join(theirs) + "\n", encoding="utf-8")
    outputs = {"transformers": theirs}
    if args.limpid_model:
        outputs["limpid"] = run_limpid(args)
        print_differences(sources, outputs["limpid"], theirs, reference, args.show)
    print_scores(outputs, references)


if __name__ == "__main__":
    main()
