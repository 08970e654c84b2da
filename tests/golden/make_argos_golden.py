"""Makes a small Argos Translate package with bpe.model, and the results of Argos Translate's parts
for it: sacremoses and subword-nmt for text, CTranslate2 for pieces.

    pip install ctranslate2 torch transformers sentencepiece sacremoses subword-nmt
    python tests/golden/make_argos_golden.py

writes
- argos/: the package, unpacked, and golden_argos.json: sentences with their pieces, greedy output
  as pieces and ids with its log-probabilities, and its text;
- tokenizer/moses.json: "tokenize" and "detokenize", lists of [language, from, to];
- tokenizer/subword_nmt.json: lists of merges, each with words and their pieces.

The texts contain only abbreviations on which Moses' lists and Unicode's agree.
"""

import io
import json
import random
import shutil
from importlib.metadata import version

import ctranslate2
from make_ctranslate2_golden import ENOUGH_WORDS, HERE, LIMIT, SMALLEST_MARGIN, write_model
from make_ctranslate2_golden import golden_data
from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer
from subword_nmt.apply_bpe import BPE
from subword_nmt.learn_bpe import learn_bpe

LANGUAGES = "en de fr it cs zh ja ko".split()
TEXTS = """
Hello, world!
"Hello," she said, "I'm here."
'Hello', he said. 'It isn't mine, it's the Jones' house.'
He said "yes". Then he left.
„Ja“, sagte er, „das ist gut.“
« Bonjour ! » dit-il : « ça va ? »
«Ciao», disse. L'amico dell'uomo non c'è; un po' d'acqua.
L'homme qu'on a vu aujourd'hui, c'est l'ami d'Anna.
¿Qué tal? ¡Muy bien!
rock'n'roll, the '90s, 5'11", O'Brien's 1970's
Well... I don't know... maybe…
It costs $3.50, 1,000 or 1,000,000.50 € (50 %), not 3 %.
1 000 and 12 34: 20 ºC, nº 5, 3 cm.
See https://example.org/a_b?c=d&e=f#g or mail me@example.org, please!
<b>bold</b> & "quoted" | pipe [brackets] {braces} \\ back
a-b a - b a--b a–b a—b – c — d
It ends in a quote 'so.'
a,b,c ,d , e,1,2,3,x ,5
( spaces ) inside ( brackets ) , and before marks : ; .
''double'' ``quotes'' `and' ´more´ ‘curly’ ’one’ ‚low‘
Привет, мир! Это «тест» — да.
我喜欢你。你好，世界！中文 and English 混合
これはペンです。カタカナー、ひらがな
안녕하세요, 세계! 한국어 text
مرحبا، كيف حالك؟
नमस्ते, दुनिया! यह हिन्दी है।
emoji 😀👍🏽 and 👨‍👩‍👧 family, flag 🇩🇪.
½ cup, x² + y², Ⅷ, №5, ™ ©
tab\there, carriage\rreturn, nul\x00 bell\x07 unit\x1fsep \x85 next
no\u00a0break\u00a0: space\u00a0! thin\u2009space zero\u200bwidth ideographic\u3000space
one@two #three @four @-@ five%six
"," ",." .", .. " ... ".." '.' ".
"anna".ben "car",dog "egg". fog." girl."<hat>.
'
,
.

  spaces   everywhere  
x' 'x x'x 'x' 'x'y' 1'2 1's 's s' s's' ''x''
""".strip("\n").split("\n")
ABBREVIATIONS = [
    ["en", "Dr. Smith and Mr. Jones met J. K. Rowling at 5 p.m. in the U.S. yesterday."],
    ["en", "e.g. this, i.e. that. And so on, etc. but no."],
    ["de", "Er kommt am 3. Mai, z.B. um 10.30 Uhr, d. h. bald."],
]
TOKENS = """
Hello , world !
&quot; Hello , &quot; she said , &quot; I &apos;m here . &quot;
the Jones &apos; house and Anna &apos;s &apos; quote &apos; .
l&apos; homme qu&apos; on a vu , c&apos; est tout ! ? : ; %
( a ) [ b ] { c } $ 5 € 6 ¿ que ? ¡ si !
a @-@ b @-@ c @-@ @-@ d @-@
@-@ a
&amp; &amp;lt; &#124; &lt; &gt; &#91; &#93; &bar; &bra; &ket; &unknown; &
„ ja “ „ nein “ “ so ” `` x '' ' y '
中文 文字 and 日本 、 語 。
한국 어 는
dell &apos; uomo po &apos; d&apos; acqua
" a „ b “ c “ d
EU : n 3 , 5 , 6
a . b .. c ... d , . e
""".strip("\n").split("\n")
ATOMS = list("abAZsN019,,''\"\"``()[]<>&|!?;:%$€-–—„“”‘’«»´@#/\\{}¿_*") + [
    " ", " ", " ", "\u00a0", "  ", "...", "''", "don't", "l'", "nº", "cm", "\t", "\x01", "½", "é",
    "ж", "中文", "。", "、", "カ", "한", "क", "ा", "😀", "\u200b", "1,000", "@-@", "&amp;", "&apos;",
]


def moses(language, text):
    """Tokenizes as Argos Translate does."""
    normalized = MosesPunctNormalizer(language).normalize(text)
    return " ".join(MosesTokenizer(language).tokenize(normalized)).strip("\r\n ")


def cut(language, text, bpe):
    return bpe.segment_tokens(moses(language, text).split(" "))


def joined(language, pieces):
    return MosesDetokenizer(language).detokenize(
        " ".join(pieces).replace("@@ ", "").split(" ")
    )


def software(*names):
    return {name: version(name) for name in names}


def write(path, data, breaks):
    text = json.dumps(data, ensure_ascii=False)
    for mark in breaks:
        text = text.replace(mark, "\n" + mark)
    path.write_text(text + "\n", encoding="utf-8")


def make_moses():
    generator = random.Random(1)
    noise = ["".join(generator.choices(ATOMS, k=generator.randint(1, 14))) for _ in range(400)]
    tokenize, detokenize = [], []
    for language in LANGUAGES:
        tokenize += [[language, text, moses(language, text)] for text in TEXTS]
        detokenize += [[language, line, joined(language, line.split(" "))] for line in TOKENS]
    tokenize += [[language, text, moses(language, text)] for language, text in ABBREVIATIONS]
    for text in noise:
        language = generator.choice(LANGUAGES)
        tokenize.append([language, text, moses(language, text)])
        detokenize.append([language, text, joined(language, text.split(" "))])
    data = {"software": software("sacremoses"), "tokenize": tokenize, "detokenize": detokenize}
    write(HERE / "tokenizer" / "moses.json", data, [f'["{each}", ' for each in LANGUAGES])


def random_merges(generator, letters):
    pieces = [*letters, *(letter + "</w>" for letter in letters), "</w>"]
    merges = []
    for _ in range(generator.randint(1, 20)):
        left = generator.choice([piece for piece in pieces if not piece.endswith("</w>")])
        right = generator.choice(pieces)
        merges.append(f"{left} {right}\n")
        pieces.append(left + right)
    generator.shuffle(merges)
    return "".join(merges)


def make_subword_nmt():
    generator = random.Random(2)
    tables = []
    for first_line in ["#version: 0.2\n", "#version: 0.2.0\n", "#version: 0.1\n", ""] * 5:
        letters = generator.choice(["ab", "aü語", "ab<"])
        merges = first_line + random_merges(generator, letters)
        bpe = BPE(io.StringIO(merges))
        words = {"".join(generator.choices(letters, k=generator.randint(1, 12))) for _ in range(15)}
        cuts = [[word, bpe.segment_tokens([word])] for word in sorted(words)]
        tables.append({"merges": merges, "words": cuts})
    data = {"software": software("subword-nmt"), "tables": tables}
    write(HERE / "tokenizer" / "subword_nmt.json", data, ['{"merges"'])


def corpus():
    english = (HERE / "align-tatoeba" / "source.eng").read_text(encoding="utf-8").splitlines()
    german = (HERE / "align-tatoeba" / "target.deu").read_text(encoding="utf-8").splitlines()
    return [moses("en", line) for line in english] + [moses("de", line) for line in german]


def package_sentence(bpe, text, golden):
    """Argos Translate leaves "@@" at the end of a translation that was cut off; Limpid does not."""
    pieces = [piece for piece in golden["output_pieces"] if piece != "</s>"]
    return {
        "text": text,
        "source_pieces": cut("en", text, bpe),
        **{key: golden[key] for key in ("output_pieces", "output_ids", "log_probabilities")},
        "translation": joined("de", pieces).removesuffix("@@"),
    }


def make_package():
    folder = HERE / "argos"
    lines = corpus() + 9 * [moses("en", '"I\'m so lazy," Tom said.')]
    merges = io.StringIO()
    learn_bpe(io.StringIO("\n".join(lines)), merges, 120)
    bpe = BPE(io.StringIO(merges.getvalue()))
    pieces = sorted({piece for line in lines for piece in bpe.segment_tokens(line.split(" "))})
    pieces += ["@-@", ":", "(", ")"]
    # With </s> after sources, like OPUS-MT's models.
    options = dict(
        spec=dict(pre_norm=False), config=dict(add_source_eos=True), tied=True, pieces=pieces
    )
    texts = ['"I\'m lazy," Tom said.', "Where is the station (and why)…", "Tom", "Ω is unknown."]
    for seed in range(1000):
        shutil.rmtree(folder, ignore_errors=True)
        source, target = write_model(options, seed, folder / "model")
        sentences = golden_data(folder / "model", [cut("en", text, bpe) for text in texts], target,
                                "</s>")
        said = {piece for each in sentences for piece in each["output_ids"]}
        margin = min(each["smallest_margin"] for each in sentences)
        if len(said) >= 2 * ENOUGH_WORDS and margin >= SMALLEST_MARGIN and not said & {0, 1}:
            break
    for each in sentences:
        each["output_pieces"] = [target[id] for id in each["output_ids"]]
    metadata = {
        "package_version": "1.0", "argos_version": "1.9.0", "from_code": "en", "from_name": "English",
        "to_code": "de", "to_name": "German",
    }
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=1) + "\n")
    (folder / "bpe.model").write_text(merges.getvalue(), encoding="utf-8")
    data = {
        "software": software("ctranslate2", "sacremoses", "subword-nmt"),
        "max_output_tokens": LIMIT,
        "sentences": [package_sentence(bpe, *each) for each in zip(texts, sentences)],
    }
    write(folder / "golden_argos.json", data, ['{"text"'])
    print(f"argos: seed {seed}, {len(said)} words, smallest margin {margin:.1e}")


def main():
    make_moses()
    make_subword_nmt()
    make_package()


if __name__ == "__main__":
    main()
