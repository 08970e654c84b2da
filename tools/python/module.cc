// The extension module limpid_nmt._limpid: the library as it is, with Python's exceptions. What
// makes it Python's (strings or lists or streams, defaults, pickling) is in
// limpid_nmt/translator.py.

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/make_translator.h"
#include "engine/text/checkpoint_tokenizer.h"
#include "limpid/translator.h"
#include "limpid/version.h"
#include "models/formats/formats.h"
#include "models/io/file.h"
#include "models/model/checkpoint.h"
#include "models/model/describe.h"
#include "models/native/native.h"
#include "tools/python/interrupts.h"
#include "tools/python/options.h"
#include "tools/python/python_text.h"
#include "tools/python/trace.h"

namespace limpid::python {
namespace {

namespace nb = nanobind;

// A path as the operating system has it, which need not be UTF-8.
std::string Path(const nb::bytes& path) { return std::string(path.c_str(), path.size()); }

void BindTranslation(nb::module_& module) {
  nb::class_<Token>(module, "Token", "One piece of target text.")
      .def_prop_ro("piece", TextGetter(&Token::piece),
                   "As in the vocabulary: \"▁\" is a space before.")
      .def_ro("id", &Token::id)
      .def_ro("log_probability", &Token::log_probability,
              "Natural logarithm, given the source and the previous tokens.")
      .def("__repr__", [](const Token& self) {
        return nb::str("<Token {!r}: {:.3f}>").format(Str(self.piece), self.log_probability);
      });
  nb::class_<NBestTranslation>(module, "NBestTranslation", "One of several translations of a text.")
      .def_prop_ro("text", TextGetter(&NBestTranslation::text))
      .def_ro("score", &NBestTranslation::score, "log P(text | source).")
      .def_ro("ranking_score", &NBestTranslation::ranking_score,
              "What translations are ranked by: in beam search log P / length ^ length_penalty,\n"
              "otherwise `score`. For several sentences, the sum.")
      .def_ro("tokens", &NBestTranslation::tokens)
      .def_ro("alternative_at", &NBestTranslation::alternative_at,
              "For alternatives: the index in `tokens` of the alternative token; -1 if the\n"
              "translation ends before it.")
      .def("__str__", TextGetter(&NBestTranslation::text))
      .def("__repr__", [](const NBestTranslation& self) {
        return nb::str("<NBestTranslation {!r}>").format(Str(self.text));
      });
  nb::class_<Translation>(module, "Translation", "A translation; str() of it is its text.")
      .def_prop_ro("text", TextGetter(&Translation::text))
      .def_prop_ro("source", TextGetter(&Translation::source), "The text that was translated.")
      .def_ro(
          "score", &Translation::score,
          "log P(text | source), the sum over `tokens`: the model's, independent of the search.")
      .def_ro(
          "tokens", &Translation::tokens,
          "Of all sentences. Each sentence ends with </s> (or another token of end_at) unless it\n"
          "was cut off.")
      .def_ro("nbest", &Translation::nbest,
              "If several were requested: best first, starting with this one.")
      .def_ro("traces", &Translation::traces,
              "One per sentence, or per part of a cut one, if a trace was requested.")
      .def_ro("unknown_language_code", &Translation::unknown_language_code,
              "The text begins with a language code, \">>xx<<\", that the model does not have.")
      .def_ro("cut_sentences", &Translation::cut_sentences,
              "Sentences over the model's limit, translated in several parts.")
      .def_ro("unfinished_sentences", &Translation::unfinished_sentences,
              "Translations that were cut off, as by max_output_tokens.")
      .def_ro("sentences", &Translation::sentences,
              "Sentences, or parts of cut ones, that were translated.")
      .def_prop_ro(
          "error",
          [](const Translation& self) -> nb::object {
            if (self.status.ok()) return nb::none();
            return Exception(self.status);
          },
          nb::sig("def error(self) -> Exception | None"),
          "Of score(): why the model could not take this pair. Everything else is then empty.")
      .def(
          "align",
          [](const Translation& self, const AlignmentOptions& options, const std::string& level) {
            return Align(self, level, options);
          },
          nb::arg("options") = AlignmentOptions(), nb::arg("level") = "word",
          "Aligns the whole text. Raises RuntimeError if the traces lack the data.")
      .def("__str__", TextGetter(&Translation::text))
      .def("__repr__", [](const Translation& self) {
        return nb::str("<Translation {!r}>").format(Str(self.text));
      });
}

void BindModelInfo(nb::module_& module) {
  nb::class_<ModelInfo>(module, "ModelInfo", "What is known of a loaded model.")
      .def_ro("source_language", &ModelInfo::source_language,
              "As the model names it (\"eng\"), or empty.")
      .def_ro("target_language", &ModelInfo::target_language)
      .def_ro("source_vocab_size", &ModelInfo::source_vocab_size)
      .def_ro("target_vocab_size", &ModelInfo::target_vocab_size)
      .def_ro("tokenizer", &ModelInfo::tokenizer)
      .def_ro("has_shortlist", &ModelInfo::has_shortlist)
      .def_ro("max_positions", &ModelInfo::max_positions,
              "Maximum tokens of a translation, special tokens included.")
      .def_ro("max_source_tokens", &ModelInfo::max_source_tokens,
              "Longer sentences are translated in parts.")
      .def_ro("model_dim", &ModelInfo::model_dim)
      .def_ro("encoder_layers", &ModelInfo::encoder_layers)
      .def_ro("decoder_layers", &ModelInfo::decoder_layers)
      .def_ro("encoder_heads", &ModelInfo::encoder_heads)
      .def_ro("decoder_heads", &ModelInfo::decoder_heads)
      .def_ro("stored_type", &ModelInfo::stored_type, "Of the matrices: float32, float16 …")
      .def_prop_ro(
          "compute_type",
          [](const ModelInfo& self) { return Str(ComputeTypeName(self.compute_type)); },
          "In use: float32, bfloat16 or int8.")
      .def("__repr__", [](const ModelInfo& self) {
        return absl::StrCat("<ModelInfo: ", self.source_language, " → ", self.target_language, ", ",
                            self.encoder_layers, " + ", self.decoder_layers, " layers of ",
                            self.model_dim, ", ", std::string(ComputeTypeName(self.compute_type)),
                            ">");
      });
}

// --- The translator

Translator Load(const std::string& folder, const std::string& compute_type, int threads,
                bool shortlist, bool verify, bool plain) {
  const std::optional<ComputeType> type = ParseComputeType(compute_type);
  if (!type.has_value()) {
    Raise(absl::InvalidArgumentError(absl::StrCat(
        "compute_type must be auto, float32, bfloat16 or int8, not '", compute_type, "'")));
  }
  const TranslatorOptions options = {.compute_type = *type,
                                     .threads = threads,
                                     .shortlist = shortlist,
                                     .verify = verify,
                                     .plain = plain};
  absl::StatusOr<std::unique_ptr<Translator>> translator;
  CallWithoutGil(Duration::kLong, [&](const std::stop_token&) {
    translator = internal::MakeTranslator(
        internal::Folder(folder), [&] { return internal::ReadCheckpoint(folder); }, options);
  });
  return std::move(*ValueOrRaise(std::move(translator)));
}

Translation Translate(const Translator& translator, nb::handle text, const nb::dict& options) {
  const std::string utf8 = Utf8(text, "text");
  TranslateOptions read = ReadTranslateOptions(options);
  absl::StatusOr<Translation> translation;
  CallWithoutGil(DurationFor(utf8.size()), [&](std::stop_token stop) {
    read.stop = std::move(stop);
    translation = translator.Translate(utf8, read);
  });
  return ValueOrRaise(std::move(translation));
}

std::vector<Translation> TranslateBatch(const Translator& translator, nb::handle texts,
                                        const nb::dict& options) {
  const std::vector<std::string> utf8 = Utf8List(texts, "text");
  TranslateOptions read = ReadTranslateOptions(options);
  absl::StatusOr<std::vector<Translation>> translations;
  CallWithoutGil(Duration::kLong, [&](std::stop_token stop) {
    read.stop = std::move(stop);
    translations = translator.TranslateBatch(utf8, read);
  });
  return ValueOrRaise(std::move(translations));
}

std::vector<Translation> ScoreBatch(const Translator& translator, nb::handle sources,
                                    nb::handle targets, const nb::dict& options) {
  std::vector<std::string> source_texts = Utf8List(sources, "source");
  std::vector<std::string> target_texts = Utf8List(targets, "target");
  if (source_texts.size() != target_texts.size()) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("source and target must have the same length, not ", source_texts.size(),
                     " and ", target_texts.size())));
  }
  std::vector<SentencePair> pairs;
  for (size_t i = 0; i < source_texts.size(); ++i) {
    pairs.push_back({std::move(source_texts[i]), std::move(target_texts[i])});
  }
  TranslateOptions read = ReadTranslateOptions(options);
  absl::StatusOr<std::vector<Translation>> scored;
  CallWithoutGil(Duration::kLong, [&](std::stop_token stop) {
    read.stop = std::move(stop);
    scored = translator.ScoreBatch(pairs, read);
  });
  return ValueOrRaise(std::move(scored));
}

void BindTranslator(nb::module_& module) {
  nb::class_<Translator>(module, "Translator", "limpid::Translator; see limpid_nmt.Translator.")
      .def(
          "__init__",
          [](Translator* self, const nb::bytes& model, const std::string& compute_type, int threads,
             bool shortlist, bool verify, bool plain) {
            new (self)
                Translator(Load(Path(model), compute_type, threads, shortlist, verify, plain));
          },
          nb::arg("model"), nb::arg("compute_type"), nb::arg("threads"), nb::arg("shortlist"),
          nb::arg("verify"), nb::arg("plain"))
      .def_prop_ro("info", &Translator::info)
      .def("translate", Translate, nb::arg("text"), nb::arg("options"),
           nb::sig("def translate(self, text: str, options: dict[str, typing.Any]) -> Translation"))
      .def("translate_batch", TranslateBatch, nb::arg("texts"), nb::arg("options"),
           nb::sig("def translate_batch(self, texts: collections.abc.Iterable[str], options: "
                   "dict[str, typing.Any]) -> list[Translation]"))
      .def("score_batch", ScoreBatch, nb::arg("sources"), nb::arg("targets"), nb::arg("options"),
           nb::sig("def score_batch(self, sources: collections.abc.Iterable[str], targets: "
                   "collections.abc.Iterable[str], options: dict[str, typing.Any]) -> "
                   "list[Translation]"))
      .def("trim", [](const Translator& self) {
        const nb::gil_scoped_release release;
        self.Trim();
      });
}

// --- Models

std::string Inspect(const nb::bytes& model) {
  const std::string path = Path(model);
  absl::StatusOr<std::string> description;
  CallWithoutGil(Duration::kLong, [&](const std::stop_token&) {
    const absl::StatusOr<internal::Checkpoint> checkpoint = internal::ReadCheckpoint(path);
    if (checkpoint.ok()) {
      description = internal::Describe(*checkpoint);
    } else {
      description = checkpoint.status();
    }
  });
  return ValueOrRaise(std::move(description));
}

struct ConvertOptions {
  std::optional<internal::DType> dtype;
  std::string source_language;
  std::string target_language;
  bool to_hugging_face = false;
};

absl::Status Convert(const std::string& from, const std::string& to,
                     const ConvertOptions& options) {
  absl::StatusOr<internal::Checkpoint> checkpoint = internal::ReadCheckpoint(from);
  if (!checkpoint.ok()) return checkpoint.status();
  internal::ModelConfig& config = checkpoint->config;
  if (!options.source_language.empty()) config.source_language = options.source_language;
  if (!options.target_language.empty()) config.target_language = options.target_language;
  internal::Checkpoint copy = *checkpoint;
  if (absl::Status status = internal::MakeTokenizer(internal::TakeTokenizerFiles(copy)).status();
      !status.ok()) {
    return status;
  }
  const auto write = options.to_hugging_face ? internal::WriteHuggingFace : internal::WriteNative;
  return write(*checkpoint, to, options.dtype.value_or(internal::MainDType(*checkpoint)));
}

void ConvertModel(const nb::bytes& from, const nb::bytes& to,
                  const std::optional<std::string>& dtype, const std::string& source_language,
                  const std::string& target_language, bool to_hugging_face) {
  ConvertOptions options = {.source_language = source_language,
                            .target_language = target_language,
                            .to_hugging_face = to_hugging_face};
  if (dtype.has_value()) {
    for (const auto type : {internal::DType::kFloat32, internal::DType::kFloat16,
                            internal::DType::kBFloat16, internal::DType::kInt8}) {
      if (internal::DTypeName(type) == *dtype) options.dtype = type;
    }
    if (!options.dtype.has_value()) {
      Raise(absl::InvalidArgumentError(
          absl::StrCat("dtype must be float32, float16, bfloat16 or int8, not '", *dtype, "'")));
    }
  }
  absl::Status status;
  CallWithoutGil(Duration::kLong,
                 [&](const std::stop_token&) { status = Convert(Path(from), Path(to), options); });
  RaiseIfError(status);
}

}  // namespace

NB_MODULE(_limpid, module) {
  module.attr("version") = LIMPID_VERSION;
  BindTrace(module);
  BindTranslation(module);
  BindModelInfo(module);
  BindTranslator(module);
  module.def("inspect", Inspect, nb::arg("model"));
  module.def("convert", ConvertModel, nb::arg("from_model"), nb::arg("to"), nb::arg("dtype").none(),
             nb::arg("source_language"), nb::arg("target_language"), nb::arg("to_hugging_face"));
}

}  // namespace limpid::python
