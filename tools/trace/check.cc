#include "tools/trace/check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/trace/attention_map.h"

namespace limpid::internal {
namespace {

constexpr double kTolerance = 1e-5;

// The largest error of an identity so far.
struct Identity {
  std::string_view name;
  double tolerance = 0;
  double largest = 0;
  std::string where = {};
  int64_t compared = 0;  // values

  void Add(double error, const AttentionTrace& trace, size_t head, int query) {
    ++compared;
    if (std::isnan(error)) error = HUGE_VAL;
    if (error <= largest) return;
    largest = error;
    where = absl::StrCat(std::string(AttentionKindName(trace.id.kind)), " attention, layer ",
                         trace.id.layer, ", head ", trace.heads[head], ", step ", query);
  }
  const char* verdict() const {
    return compared == 0 ? "skipped " : largest <= tolerance ? "holds   " : "FAILS   ";
  }
};

struct Identities {
  Identity weights = {"weights = softmax(Q Kᵀ / √d)", kTolerance};
  Identity context = {"context = weights · V       ", kTolerance};
  Identity sums = {"rows of weights sum to 1    ", kTolerance};
  Identity masked = {"masked weights are 0        ", 0};
};

std::vector<double> Softmax(const AttentionTrace& trace, size_t head, int query) {
  const size_t head_dim = trace.head_dim;
  const float* q = &trace.q[(head * trace.queries + query) * head_dim];
  std::vector<double> row(VisibleKeys(trace, query));
  for (size_t key = 0; key < row.size(); ++key) {
    const float* k = &trace.k[(head * trace.keys + key) * head_dim];
    for (size_t i = 0; i < head_dim; ++i) row[key] += static_cast<double>(q[i]) * k[i];
    row[key] /= std::sqrt(static_cast<double>(head_dim));
  }
  const double largest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double& value : row) sum += value = std::exp(value - largest);
  for (double& value : row) value /= sum;
  return row;
}

void CheckRow(const AttentionTrace& trace, size_t head, int query, Identities& identities) {
  const size_t head_dim = trace.head_dim;
  const std::vector<double> softmax = Softmax(trace, head, query);
  const auto visible = static_cast<int>(softmax.size());
  double sum = 0;
  for (int key = 0; key < trace.keys; ++key) {
    const float weight = trace.weight(head, query, key);
    sum += weight;
    if (key < visible) {
      identities.weights.Add(std::abs(weight - softmax[key]), trace, head, query);
    } else {
      identities.masked.Add(std::abs(weight), trace, head, query);
    }
  }
  identities.sums.Add(std::abs(sum - 1), trace, head, query);
  const float* context = &trace.context[(head * trace.queries + query) * head_dim];
  for (size_t i = 0; i < head_dim; ++i) {
    double mixed = 0;
    double scale = 1;
    for (int key = 0; key < visible; ++key) {
      const double value = trace.v[(head * trace.keys + key) * head_dim + i];
      mixed += trace.weight(head, query, key) * value;
      scale = std::max(scale, std::abs(value));
    }
    identities.context.Add(std::abs(context[i] - mixed) / scale, trace, head, query);
  }
}

}  // namespace

TraceReport CheckTraces(absl::Span<const SentenceTrace> traces) {
  Identities identities;
  int64_t rows = 0;
  for (const SentenceTrace& trace : traces) {
    for (const AttentionTrace& attention : trace.attentions) {
      for (size_t head = 0; head < attention.heads.size(); ++head) {
        for (int query = 0; query < attention.queries; ++query, ++rows) {
          CheckRow(attention, head, query, identities);
        }
      }
    }
  }
  TraceReport report;
  for (const Identity* identity :
       {&identities.weights, &identities.context, &identities.sums, &identities.masked}) {
    report.holds &= identity->largest <= identity->tolerance;
    absl::StrAppend(&report.text, identity->verdict(), std::string(identity->name),
                    identity->compared == 0
                        ? "  not recorded"
                        : absl::StrFormat("  largest error %.1e", identity->largest),
                    identity->where.empty() ? "" : absl::StrCat("  (", identity->where, ")"), "\n");
  }
  report.holds &= rows > 0;
  absl::StrAppend(&report.text, "Checked ", rows,
                  " rows in double precision: every attention, layer, head and step.\n");
  return report;
}

}  // namespace limpid::internal
