// What `limpid translate` prints on stderr: warnings, progress and speed.

#ifndef LIMPID_TOOLS_TRANSLATION_REPORT_H_
#define LIMPID_TOOLS_TRANSLATION_REPORT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "limpid/translator.h"
#include "tools/line_warning.h"

namespace limpid::internal {

class TranslationReport {
 public:
  using Clock = std::chrono::steady_clock;

  // `live`: whether to show progress during translation, not only at the end.
  // `lines_before`: the number of lines that an earlier run translated.
  TranslationReport(bool live, int64_t lines_before)
      : live_(live), last_shown_(Clock::now()), lines_before_(lines_before) {}

  // Adds translations that took `time`, without the wait for input.
  void Add(const std::vector<Translation>& translations, Clock::duration time);

  // Prints the speed, if stderr is a terminal and translating took long, and the totals of the
  // warnings.
  void Finish();

 private:
  void Warn(bool applies, LineWarning* warning);
  void EraseProgress();
  bool IsLong() const { return time_ > std::chrono::seconds(1); }
  std::string Speed() const;

  bool live_;
  bool shown_ = false;
  Clock::time_point last_shown_;
  Clock::duration time_{};
  int64_t lines_before_;
  int64_t lines_ = 0;
  int64_t sentences_ = 0;
  LineWarning invalid_utf8_ = InvalidUtf8Warning();
  LineWarning unknown_language_{
      "begins with the code of a language that the model does not have; translated it as text",
      "began with the code of a language that the model does not have"};
  LineWarning cut_{"has a sentence longer than the model's limit; translated it in parts",
                   "had sentences longer than the model's limit"};
  LineWarning unfinished_{
      "has a translation longer than the limit; cut it off (see --max_output_tokens)",
      "had translations longer than the limit"};
};

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRANSLATION_REPORT_H_
