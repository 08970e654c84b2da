"""Makes the golden data of the tokenizer: the results of MarianTokenizer for the same text.

    pip install transformers sentencepiece
    python tests/golden/make_tokenizer_golden.py

writes tests/golden/tokenizer/:
- eng-deu.json: for models/eng-deu, a joint vocabulary with byte fallback;
- nfkc.json: for nfkc.spm, with Unicode normalization and without bytes, and the joint vocabulary that
  the file keeps: the tokenizer of the first models/eng-deu;
- small.json, small.source.spm, small.target.spm: for two small models with byte fallback, trained
  here on align-tatoeba/, each with a vocabulary in another order than SentencePiece's.

Each JSON file holds "source" and "target", lists of a text and its ids, </s> last, and "decoded",
a list of target ids and their text, special tokens skipped. small.json also holds
"source_vocabulary" and "target_vocabulary", pieces in id order, nfkc.json "vocabulary".
"""

import io
import json
import os
import random
import shutil
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import sentencepiece
import transformers
from transformers import MarianTokenizer

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "tokenizer"
ENG_DEU = HERE.parent.parent / "models" / "eng-deu"

TEXTS = [
    "",
    " ",
    "Hello, world!",
    "  Two  spaces,\tand a tab. ",
    "I love you very much.",
    "Donaudampfschifffahrtsgesellschaftskapitän",
    "Zürich, Ärger, Öl, Straße",
    "3.14 and 1,000,000 and U.S.",
    "\uff28\uff45\uff4c\uff4c\uff4f \ufb01ne \u00bd \u338f \ufdfa",  # full width, ligature, compatibility
    "cafe\u0301 na\u00efve",  # combining
    "a\u200bb\u00adc \ufeffd\u3000e",  # zero width and other spaces
    "日本語 and 😀👍🏽 and a",
    "\u2581already\u2581marked",
    "a\ufffdb \u2047",
    "\x01control\x07 \x7f\x00nul",
    "नमस्ते, مرحبا, Привет, 你好。",
    "<0x41> <s> & <unk",
]
# With a language token, which small.json's source vocabulary has and eng-deu lacks.
MULTILINGUAL_TEXTS = [
    ">>deu<< Hello, world!",
    ">>deu<<Hello",
    ">>deu<<",
    ">>deu<< a <<b>> c<<",
    " >>deu<< not at the start",
    ">> not closed",
]
SPECIAL = ["</s>", "<unk>", "<pad>"]


def golden(tokenizer, source_texts, target_texts, target_size):
    source = [{"text": text, "ids": tokenizer(text)["input_ids"]} for text in source_texts]
    target = [
        {"text": text, "ids": tokenizer(text_target=text)["input_ids"]} for text in target_texts
    ]
    generator = random.Random(1)
    ids = [entry["ids"] for entry in target]
    ids += [
        [generator.randrange(target_size) for _ in range(generator.randrange(1, 12))]
        for _ in range(40)
    ]
    decoded = [{"ids": i, "text": tokenizer.decode(i, skip_special_tokens=True)} for i in ids]
    software = {
        "transformers": transformers.__version__,
        "sentencepiece": sentencepiece.__version__,
    }
    return {"software": software, "source": source, "target": target, "decoded": decoded}


def write(name, data):
    text = json.dumps(data, ensure_ascii=False, indent=None, separators=(",", ":"))
    text = text.replace('{"text"', '\n{"text"').replace('{"ids"', '\n{"ids"')
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def train(text_file, model_type):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=str(text_file),
        model_writer=model,
        vocab_size=420,
        model_type=model_type,
        byte_fallback=True,
        normalization_rule_name="identity",
        character_coverage=0.99,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def vocabulary(model, extra):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    pieces = [piece for piece in pieces if piece not in [*SPECIAL, "<s>"]]
    random.Random(0).shuffle(pieces)
    return SPECIAL + pieces[:-3] + extra  # the three omitted pieces become <unk>


def make_tokenizer(folder, vocabularies, **options):
    for name, pieces in vocabularies.items():
        text = json.dumps({piece: i for i, piece in enumerate(pieces)})
        (folder / name).write_text(text, encoding="utf-8")
    return MarianTokenizer(
        source_spm=str(folder / "source.spm"),
        target_spm=str(folder / "target.spm"),
        vocab=str(folder / "vocab.json"),
        **options,
    )


def joint_golden(folder, sentencepiece_file, pieces):
    for name in ("source.spm", "target.spm"):
        shutil.copyfile(sentencepiece_file, folder / name)
    tokenizer = make_tokenizer(folder, {"vocab.json": pieces})
    return golden(tokenizer, TEXTS, TEXTS, len(pieces))


def make_eng_deu(folder):
    pieces = json.loads((ENG_DEU / "vocabulary.json").read_text(encoding="utf-8"))
    write("eng-deu.json", joint_golden(folder, ENG_DEU / "source.spm", pieces))


def make_nfkc(folder):
    pieces = json.loads((FOLDER / "nfkc.json").read_text(encoding="utf-8"))["vocabulary"]
    write("nfkc.json", {"vocabulary": pieces, **joint_golden(folder, FOLDER / "nfkc.spm", pieces)})


def make_small(folder):
    source_model = train(HERE / "align-tatoeba" / "source.eng", "bpe")
    target_model = train(HERE / "align-tatoeba" / "target.deu", "unigram")
    for name, model in (("source.spm", source_model), ("target.spm", target_model)):
        (folder / name).write_bytes(model)
        (FOLDER / f"small.{name}").write_bytes(model)
    source = vocabulary(source_model, [">>deu<<", ">>eng<<"])
    target = vocabulary(target_model, [])
    tokenizer = make_tokenizer(
        folder,
        {"vocab.json": source, "target_vocab.json": target},
        separate_vocabs=True,
        target_vocab_file=str(folder / "target_vocab.json"),
    )
    data = golden(tokenizer, TEXTS + MULTILINGUAL_TEXTS, TEXTS, len(target))
    write("small.json", {"source_vocabulary": source, "target_vocabulary": target, **data})


def main():
    FOLDER.mkdir(exist_ok=True)
    for make in (make_eng_deu, make_nfkc, make_small):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))


if __name__ == "__main__":
    main()
