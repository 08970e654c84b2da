#include "tools/python/trace.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/line_alignment.h"
#include "tools/python/options.h"
#include "tools/python/python_text.h"
#include "tools/trace/attention_map.h"
#include "tools/trace/page.h"

namespace limpid::python {
namespace {

namespace nb = nanobind;

using internal::AlignSentence;
using internal::Level;
using internal::LineAlignment;

// --- Arrays

template <size_t dims>
using Array = nb::ndarray<nb::numpy, const float, nb::ndim<dims>>;
template <size_t dims>
using Shape = std::array<size_t, dims>;

template <size_t dims>
size_t Elements(const Shape<dims>& shape) {
  return std::accumulate(shape.begin(), shape.end(), size_t{1}, std::multiplies<>());
}

// A view of `values`. As the result of a property, it keeps the object with the property alive.
template <size_t dims>
Array<dims> View(const std::vector<float>& values, const char* name, const Shape<dims>& shape) {
  if (values.size() != Elements(shape)) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat(name, " not recorded: ask for it in the options of the trace")));
  }
  return Array<dims>(values.data(), dims, shape.data());
}

// A part of an AttentionTrace, and its shape.
template <size_t dims>
struct Part {
  const char* name;
  std::vector<float> AttentionTrace::*values;
  Shape<dims> (*shape)(const AttentionTrace& attention);
  const char* doc;
};

size_t Heads(const AttentionTrace& attention) { return attention.heads.size(); }
size_t Queries(const AttentionTrace& attention) { return attention.queries; }
size_t Keys(const AttentionTrace& attention) { return attention.keys; }
size_t HeadDim(const AttentionTrace& attention) { return attention.head_dim; }
size_t ModelDim(const AttentionTrace& attention) {
  return attention.output.size() / std::max<size_t>(1, Queries(attention));
}

Shape<3> QueriesByKeys(const AttentionTrace& a) { return {Heads(a), Queries(a), Keys(a)}; }
Shape<3> QueryVectors(const AttentionTrace& a) { return {Heads(a), Queries(a), HeadDim(a)}; }
Shape<3> KeyVectors(const AttentionTrace& a) { return {Heads(a), Keys(a), HeadDim(a)}; }
Shape<3> HeadOutputs(const AttentionTrace& a) {
  return {Heads(a), Queries(a), a.head_output.size() / std::max<size_t>(1, Heads(a) * Queries(a))};
}
Shape<2> Outputs(const AttentionTrace& a) { return {Queries(a), ModelDim(a)}; }
Shape<2> JointQueriesByKeys(const AttentionTrace& a) { return {Queries(a), Keys(a)}; }

constexpr Part<3> kPartsOfHeads[] = {
    {"weights", &AttentionTrace::weights, QueriesByKeys,
     "[heads, queries, keys]: softmax of the scores. Rows sum to 1; masked keys have 0."},
    {"scores", &AttentionTrace::scores, QueriesByKeys,
     "[heads, queries, keys]: q · k / √head_dim; −inf for masked keys."},
    {"q", &AttentionTrace::q, QueryVectors, "[heads, queries, head_dim]: queries."},
    {"k", &AttentionTrace::k, KeyVectors, "[heads, keys, head_dim]: keys."},
    {"v", &AttentionTrace::v, KeyVectors, "[heads, keys, head_dim]: values."},
    {"context", &AttentionTrace::context, QueryVectors,
     "[heads, queries, head_dim]: weighted sum of the values."},
    {"head_output", &AttentionTrace::head_output, HeadOutputs,
     "[heads, queries, model_dim]: each head's part of the output."},
    {"norms", &AttentionTrace::norms, QueriesByKeys,
     "[heads, queries, keys]: ‖weight · v W_o‖, each key's part of the output as a norm."},
};
constexpr Part<2> kPartsOfAll[] = {
    {"output", &AttentionTrace::output, Outputs,
     "[queries, model_dim]: what attention adds to the residual stream: the sum over the heads, "
     "and the bias."},
    {"joint_norms", &AttentionTrace::joint_norms, JointQueriesByKeys,
     "[queries, keys]: ‖Σ_head weight · v W_o‖, the norms through all recorded heads."},
};

// The recorded attentions of one kind, layer by layer. The trace must outlive it.
class AttentionLayers {
 public:
  AttentionLayers(const SentenceTrace& trace, AttentionKind kind) : kind_(kind) {
    for (const AttentionTrace& attention : trace.attentions) {
      if (attention.id.kind == kind) layers_.push_back(&attention);
    }
  }

  AttentionKind kind() const { return kind_; }
  const std::vector<const AttentionTrace*>& layers() const { return layers_; }

  // A negative layer counts from the last. Raises IndexError if the layer was not recorded.
  const AttentionTrace& Find(int layer) const {
    const int count = static_cast<int>(layers_.size());
    if (layer < 0 && layer >= -count) return *layers_[count + layer];
    for (const AttentionTrace* attention : layers_) {
      if (attention->id.layer == layer) return *attention;
    }
    PyErr_Format(PyExc_IndexError, "layer %d was not recorded", layer);
    throw nb::python_error();
  }

  // The part in all layers, as one array [layers, …].
  template <size_t dims>
  nb::ndarray<nb::numpy, float, nb::ndim<dims + 1>> Stack(const Part<dims>& part) const {
    if (layers_.empty()) Raise(absl::InvalidArgumentError("no layer was recorded"));
    const Shape<dims> shape = part.shape(*layers_.front());
    Shape<dims + 1> stacked_shape = {layers_.size()};
    std::copy(shape.begin(), shape.end(), stacked_shape.begin() + 1);
    auto* stacked = new std::vector<float>;
    const nb::capsule owner(
        stacked, [](void* values) noexcept { delete static_cast<std::vector<float>*>(values); });
    stacked->reserve(Elements(stacked_shape));
    for (const AttentionTrace* layer : layers_) {
      View(layer->*part.values, part.name, shape);  // raises if it was not recorded
      stacked->insert(stacked->end(), (layer->*part.values).begin(), (layer->*part.values).end());
    }
    return {stacked->data(), dims + 1, stacked_shape.data(), owner};
  }

 private:
  AttentionKind kind_;
  std::vector<const AttentionTrace*> layers_;
};

template <size_t dims>
void BindPart(const Part<dims>& part, nb::class_<AttentionTrace>* attention,
              nb::class_<AttentionLayers>* layers) {
  attention->def_prop_ro(
      part.name,
      [part](const AttentionTrace& self) {
        return View(self.*part.values, part.name, part.shape(self));
      },
      part.doc);
  const std::string doc = absl::StrCat("[layers, ", part.doc + 1);
  layers->def_prop_ro(
      part.name, [part](const AttentionLayers& self) { return self.Stack(part); },
      nb::rv_policy::automatic, doc.c_str());
}

void BindAttention(nb::module_& module) {
  nb::class_<AttentionTrace> attention(
      module, "AttentionTrace",
      "One attention of one layer over one sentence.\n\n"
      "Its arrays are float32 views of the engine's own numbers: read-only, not copied, and valid\n"
      "as long as they are held. A part that was not asked for raises ValueError.");
  nb::class_<AttentionLayers> layers(
      module, "AttentionLayers",
      "The attentions of one kind, layer by layer: `trace.cross[1]` is an AttentionTrace.\n\n"
      "The arrays have all layers in one: `trace.cross.weights[layer, head, target, source]`.\n"
      "Each access makes such an array anew, so keep it; `trace.cross[1].weights` copies nothing.");
  for (const auto& part : kPartsOfHeads) BindPart(part, &attention, &layers);
  for (const auto& part : kPartsOfAll) BindPart(part, &attention, &layers);
  attention
      .def_prop_ro(
          "kind", [](const AttentionTrace& self) { return Str(AttentionKindName(self.id.kind)); },
          "encoder, decoder or cross.")
      .def_prop_ro(
          "layer", [](const AttentionTrace& self) { return self.id.layer; },
          "Of the encoder or the decoder, from 0.")
      .def_ro("heads", &AttentionTrace::heads, "The recorded heads, in order.")
      .def_ro("queries", &AttentionTrace::queries)
      .def_ro("keys", &AttentionTrace::keys)
      .def_ro("head_dim", &AttentionTrace::head_dim)
      .def("__repr__", [](const AttentionTrace& self) {
        return absl::StrCat("<AttentionTrace: ", std::string(AttentionKindName(self.id.kind)),
                            " attention, layer ", self.id.layer, ", ", self.heads.size(),
                            " heads, ", self.queries, " queries, ", self.keys, " keys>");
      });
  layers.def("__len__", [](const AttentionLayers& self) { return self.layers().size(); })
      .def("__getitem__", &AttentionLayers::Find, nb::arg("layer"),
           nb::rv_policy::reference_internal,
           "The attention of a layer, counted from 0, or from the end if negative. Raises "
           "IndexError if\n"
           "it was not recorded.")
      .def(
          "__iter__",
          [](nb::handle_t<AttentionLayers> self) {
            nb::list attentions;
            for (const AttentionTrace* layer : nb::cast<const AttentionLayers&>(self).layers()) {
              attentions.append(self[layer->id.layer]);
            }
            return nb::iter(attentions);
          },
          nb::sig("def __iter__(self) -> collections.abc.Iterator[AttentionTrace]"))
      .def("__repr__", [](const AttentionLayers& self) {
        return absl::StrCat("<AttentionLayers: ", std::string(AttentionKindName(self.kind())),
                            " attention, ", self.layers().size(), " layers>");
      });
}

// --- The two sides of a sentence pair

// The number of characters in the first `bytes` bytes. Python counts positions in characters.
size_t Characters(std::string_view text, size_t bytes) {
  const auto begins_character = [](char c) { return (c & 0xC0) != 0x80; };
  return std::count_if(text.begin(), text.begin() + std::min(bytes, text.size()), begins_character);
}

// Copies, with positions in characters of `text`.
template <typename TokenOrWord>
std::vector<TokenOrWord> InCharacters(std::vector<TokenOrWord> parts, std::string_view text) {
  for (TokenOrWord& part : parts) {
    part.begin = Characters(text, part.begin);
    part.end = Characters(text, part.end);
  }
  return parts;
}

nb::list Texts(const std::vector<std::string>& texts) {
  nb::list list;
  for (const std::string& text : texts) list.append(Str(text));
  return list;
}

std::vector<std::string> Pieces(const TracedSide& side) {
  std::vector<std::string> pieces;
  pieces.reserve(side.tokens.size());
  for (const TracedToken& token : side.tokens) pieces.push_back(token.piece);
  return pieces;
}

void BindSides(nb::module_& module) {
  nb::class_<TracedToken>(module, "TracedToken", "A token of a traced sentence.")
      .def_prop_ro("piece", TextGetter(&TracedToken::piece),
                   "As in the vocabulary: \"▁\" is a space before.")
      .def_ro("id", &TracedToken::id)
      .def_ro("word", &TracedToken::word, "Index of its word; -1: none, as for </s>.")
      .def_ro("is_text", &TracedToken::is_text, "False for <s> and </s>.")
      .def_ro("log_probability", &TracedToken::log_probability,
              "Natural logarithm, given the source and the previous tokens; target tokens only.")
      .def_ro("begin", &TracedToken::begin, "In characters of the sentence.")
      .def_ro("end", &TracedToken::end)
      .def("__repr__", [](const TracedToken& self) {
        return nb::str("<TracedToken {!r}>").format(Str(self.piece));
      });
  nb::class_<TracedWord>(module, "TracedWord", "A word of a traced sentence.")
      .def_prop_ro("text", TextGetter(&TracedWord::text))
      .def_ro("begin", &TracedWord::begin, "In characters of the sentence.")
      .def_ro("end", &TracedWord::end)
      .def("__str__", TextGetter(&TracedWord::text))
      .def("__repr__", [](const TracedWord& self) {
        return nb::str("<TracedWord {!r}>").format(Str(self.text));
      });
  nb::class_<TracedSide>(module, "TracedSide",
                         "The source or the translation of a traced sentence.")
      .def_prop_ro("text", TextGetter(&TracedSide::text))
      .def_prop_ro(
          "tokens", [](const TracedSide& self) { return InCharacters(self.tokens, self.text); },
          nb::rv_policy::move, "</s> last, unless a translation was cut off.")
      .def_prop_ro(
          "words", [](const TracedSide& self) { return InCharacters(self.words, self.text); },
          nb::rv_policy::move)
      .def_prop_ro(
          "pieces", [](const TracedSide& self) { return Texts(Pieces(self)); },
          nb::sig("def pieces(self) -> list[str]"), "The pieces of the tokens.")
      .def("__str__", TextGetter(&TracedSide::text))
      .def("__repr__", [](const TracedSide& self) {
        return nb::str("<TracedSide {!r}>").format(Str(self.text));
      });
  nb::class_<Prediction>(module, "Prediction", "A token that the decoder could have produced.")
      .def_prop_ro("piece", TextGetter(&Prediction::piece))
      .def_ro("id", &Prediction::id)
      .def_ro("probability", &Prediction::probability)
      .def("__repr__", [](const Prediction& self) {
        return nb::str("<Prediction {!r}: {:.3f}>").format(Str(self.piece), self.probability);
      });
}

// --- Alignment

Level ParseLevel(const std::string& level) {
  if (level == "word") return Level::kWord;
  if (level == "piece") return Level::kPiece;
  Raise(absl::InvalidArgumentError(absl::StrCat("level must be word or piece, not '", level, "'")));
}

LinkRule ParseLinkRule(const std::string& name) {
  if (name == "intersection") return LinkRule::kIntersection;
  if (name == "each") return LinkRule::kEach;
  Raise(absl::InvalidArgumentError(
      absl::StrCat("rule must be intersection or each, not '", name, "'")));
}

void BindAlignment(nb::module_& module) {
  nb::class_<AlignmentOptions>(module, "AlignmentOptions",
                               "Which attention aligns, and how it is measured.")
      .def(
          "__init__",
          [](AlignmentOptions* self, int layer, std::vector<int> heads,
             const std::optional<std::string>& row, const std::string& measure) {
            new (self)
                AlignmentOptions(ReadAlignmentOptions(layer, std::move(heads), row, measure));
          },
          nb::arg("layer") = -1, nb::arg("heads") = std::vector<int>(), nb::arg("row") = nb::none(),
          nb::arg("measure") = "weight",
          "layer: of the decoder; -1: the model's choice. heads: to average; empty: the model's\n"
          "choice. row: \"output\", the step that predicts a token, or \"input\", the next step,\n"
          "which reads it; None: the model's choice. measure: \"weight\", \"norm\" or\n"
          "\"occlusion\". Raises ValueError for other values.");
  nb::class_<LineAlignment>(
      module, "Alignment",
      "The share of each source in each target; both are words, or both pieces.")
      .def_prop_ro(
          "source", [](const LineAlignment& self) { return Texts(self.source); },
          nb::sig("def source(self) -> list[str]"), "The words or pieces of the source.")
      .def_prop_ro(
          "target", [](const LineAlignment& self) { return Texts(self.target); },
          nb::sig("def target(self) -> list[str]"), "The words or pieces of the translation.")
      .def_prop_ro(
          "weights",
          [](const LineAlignment& self) {
            return View<2>(self.alignment.weights, "weights",
                           {self.target.size(), self.source.size() + 1});
          },
          "[targets, sources + 1]: rows sum to 1. The last column is the null word: the share of\n"
          "<s> and </s>. A view, not a copy.")
      .def(
          "links",
          [](const LineAlignment& self, const std::string& rule) {
            return Links(self.alignment, ParseLinkRule(rule));
          },
          nb::arg("rule") = "intersection",
          "(source, target) pairs, ordered by target. rule: \"intersection\", a target's largest\n"
          "share, unless another target has a much larger one there; or \"each\", every target's\n"
          "largest share. A target whose largest share is the null word's has no link.")
      .def(
          "pharaoh",
          [](const LineAlignment& self, const std::string& rule) {
            return FormatPharaoh(self.alignment, ParseLinkRule(rule));
          },
          nb::arg("rule") = "intersection",
          "The links as SOURCE-TARGET, counted from 0: \"0-0 2-1\".")
      .def("__repr__", [](const LineAlignment& self) {
        return nb::str("<Alignment {}>").format(FormatPharaoh(self.alignment));
      });
}

// --- The trace

nb::list DecoderInputs(const SentenceTrace& trace) {
  nb::list inputs;
  inputs.append(Str(trace.decoder_start));
  for (size_t i = 0; i + 1 < trace.target.tokens.size(); ++i) {
    inputs.append(Str(trace.target.tokens[i].piece));
  }
  return inputs;
}

// The page of `limpid trace --html`.
std::string Page(const SentenceTrace& trace) {
  if (AttentionLayers(trace, AttentionKind::kCross).layers().size() !=
      static_cast<size_t>(trace.decoder_layers)) {
    Raise(absl::InvalidArgumentError("the page needs the cross-attention of every layer"));
  }
  const AlignmentOptions options = internal::AlignmentOptionsOf(trace, {});
  const Alignment alignment = ValueOrRaise(AlignWords(trace, options));
  return internal::FormatTracePage({&trace, 1}, {&alignment, 1}, options);
}

// Calls limpid_nmt.show.NAME, which draws: that is easier in Python.
nb::object Show(const char* name, nb::handle trace, const nb::args& args,
                const nb::kwargs& options) {
  return nb::module_::import_("limpid_nmt.show").attr(name)(trace, *args, **options);
}

template <AttentionKind kind>
AttentionLayers LayersOf(const SentenceTrace& trace) {
  return {trace, kind};
}

void BindSentenceTrace(nb::module_& module) {
  nb::class_<SentenceTrace>(
      module, "SentenceTrace",
      "One sentence, its translation, and every recorded attention.\n\n"
      "Decoder input i is the start token for i = 0, and then target token i - 1. From it the\n"
      "decoder predicts target token i: row i of `decoder` and `cross`.")
      .def_ro("source", &SentenceTrace::source)
      .def_ro("target", &SentenceTrace::target)
      .def_prop_ro("encoder", LayersOf<AttentionKind::kEncoder>, nb::rv_policy::move,
                   nb::keep_alive<0, 1>(),
                   "Self-attention of the encoder: queries and keys are source tokens.")
      .def_prop_ro("decoder", LayersOf<AttentionKind::kDecoder>, nb::rv_policy::move,
                   nb::keep_alive<0, 1>(),
                   "Self-attention of the decoder: queries and keys are decoder inputs.")
      .def_prop_ro("cross", LayersOf<AttentionKind::kCross>, nb::rv_policy::move,
                   nb::keep_alive<0, 1>(),
                   "Cross-attention: queries are decoder inputs, keys are source tokens.")
      .def_prop_ro("decoder_inputs", DecoderInputs,
                   nb::sig("def decoder_inputs(self) -> list[str]"),
                   "The piece that the decoder reads at each step.")
      .def_ro("predictions", &SentenceTrace::predictions,
              "[steps][predictions]: the most probable next tokens, most probable first.")
      .def_prop_ro(
          "occlusion",
          [](const SentenceTrace& self) {
            return View<2>(self.occlusion, "occlusion",
                           {self.source.words.size(), self.target.tokens.size()});
          },
          "[source words, target tokens]: the decrease of a token's log-probability when the word\n"
          "is removed from the source.")
      .def_prop_ro(
          "alignment",
          [](const SentenceTrace& self) { return ValueOrRaise(AlignSentence(self, Level::kWord)); },
          nb::rv_policy::move, "The alignment of words by the model's choice of attention.")
      .def(
          "align",
          [](const SentenceTrace& self, const std::string& level, int layer, std::vector<int> heads,
             const std::optional<std::string>& row, const std::string& measure) {
            return ValueOrRaise(
                AlignSentence(self, ParseLevel(level),
                              ReadAlignmentOptions(layer, std::move(heads), row, measure)));
          },
          nb::arg("level") = "word", nb::arg("layer") = -1, nb::arg("heads") = std::vector<int>(),
          nb::arg("row") = nb::none(), nb::arg("measure") = "weight",
          "Aligns words, or with level=\"piece\" pieces, without <s> and </s>. AlignmentOptions\n"
          "explains the others. Raises ValueError for unknown values, and RuntimeError if the\n"
          "trace lacks the data.")
      .def(
          "html", [](const SentenceTrace& self) { return Str(Page(self)); },
          "The page of `limpid trace --html`: one file, without a network. Raises ValueError if\n"
          "the cross-attention of a layer was not recorded.")
      .def(
          "_repr_html_",
          [](nb::handle_t<SentenceTrace> self) { return Show("html", self, {}, {}); },
          nb::sig("def _repr_html_(self) -> str"), "Words, lines between them, and the page.")
      .def(
          "plot",
          [](nb::handle_t<SentenceTrace> self, const nb::args& args, const nb::kwargs& options) {
            return Show("plot", self, args, options);
          },
          nb::sig("def plot(self, kind: str = 'cross', layer: int | None = None, "
                  "head: int | None = None, ax: typing.Any = None) -> typing.Any"),
          "Draws a heat map with matplotlib: rows are queries, columns keys, cells weights.\n\n"
          "kind: \"cross\", \"encoder\" or \"decoder\". layer: None is the last. head: None is\n"
          "the mean of all. ax: the matplotlib Axes to draw into; None: a new figure. Returns the "
          "Axes.")
      .def(
          "to_bertviz",
          [](nb::handle_t<SentenceTrace> self) { return Show("to_bertviz", self, {}, {}); },
          nb::sig("def to_bertviz(self) -> dict[str, typing.Any]"),
          "The arguments of bertviz.model_view and head_view, with PyTorch's tensors:\n"
          "`model_view(**trace.to_bertviz())`.")
      .def("__repr__", [](const SentenceTrace& self) {
        return nb::str("<SentenceTrace {!r} → {!r}>")
            .format(Str(self.source.text), Str(self.target.text));
      });
}

}  // namespace

LineAlignment Align(const Translation& translation, const std::string& level,
                    const AlignmentOptions& options) {
  if (translation.traces.empty() && translation.sentences > 0) {
    Raise(absl::FailedPreconditionError("there are no traces to align by: ask for trace=True"));
  }
  return ValueOrRaise(AlignLine(translation, ParseLevel(level), options));
}

void BindTrace(nb::module_& module) {
  BindAttention(module);
  BindSides(module);
  BindAlignment(module);
  BindSentenceTrace(module);
}

}  // namespace limpid::python
