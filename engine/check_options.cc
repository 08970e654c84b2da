#include "engine/check_options.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/count_check.h"
#include "engine/search/decoding.h"

namespace limpid::internal {
namespace {

bool RecordsAllCrossAttention(const TraceRequest& request) {
  const std::vector<AttentionKind>& kinds = request.kinds;
  const bool cross =
      kinds.empty() || std::find(kinds.begin(), kinds.end(), AttentionKind::kCross) != kinds.end();
  return cross && request.layers.empty() && request.heads.empty();
}

absl::Status CheckCounts(const TranslateOptions& options) {
  const int predictions = options.trace.has_value() ? options.trace->predictions : 0;
  for (const Count& count : {
           Count{"batch_size", options.batch_size, 1, nullptr, kMaxBatchSize},
           Count{"batch_tokens", options.batch_tokens, 0, "batches by batch_size", kMaxBatchTokens},
           Count{"trace.predictions", predictions, 0, "none", kMaxPredictions},
       }) {
    if (absl::Status status = CheckCount(count); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckTexts(const SearchOptions& search) {
  if (absl::Status status = CheckTextSize("prefix", search.prefix); !status.ok()) return status;
  for (const std::vector<std::string>* texts : {&search.suppress, &search.end_at}) {
    for (const std::string& text : *texts) {
      if (absl::Status status = CheckTextSize("phrase", text); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTranslateOptions(const TranslateOptions& options) {
  if (absl::Status status = CheckCounts(options); !status.ok()) return status;
  if (absl::Status status = CheckTexts(options.search); !status.ok()) return status;
  if (options.replace_unknowns && options.trace.has_value() &&
      !RecordsAllCrossAttention(*options.trace)) {
    return absl::InvalidArgumentError(
        "replace_unknowns takes cross-attention of all layers and heads; the trace request leaves "
        "some out");
  }
  if (options.replace_unknowns && WantsSeveral(options.search)) {
    return absl::InvalidArgumentError(
        "replace_unknowns is for one translation: leave out either it, or nbest and alternatives");
  }
  return CheckSearchOptions(options.search);
}

absl::Status CheckTextSize(const char* what, std::string_view text) {
  if (text.size() <= kMaxTextBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a ", what, " of ", text.size(),
                                                 " bytes is too long; the maximum is ",
                                                 kMaxTextBytes, ": split it"));
}

}  // namespace limpid::internal
