#include "tools/translation_report.h"

#include <unistd.h>

#include <cmath>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "tools/subcommand.h"

namespace limpid::internal {

void TranslationReport::Add(const std::vector<Translation>& translations, Clock::duration time) {
  time_ += time;
  for (const Translation& translation : translations) {
    ++lines_;
    sentences_ += translation.sentences;
    Warn(translation.replaced_invalid_utf8, &invalid_utf8_);
    Warn(translation.unknown_language_code, &unknown_language_);
    Warn(translation.cut_sentences > 0, &cut_);
    Warn(translation.unfinished_sentences > 0, &unfinished_);
  }
  if (live_ && IsLong() && Clock::now() - last_shown_ > std::chrono::milliseconds(200)) {
    last_shown_ = Clock::now();
    std::cerr << "\r" << Speed() << "\033[K" << std::flush;
    shown_ = true;
  }
}

void TranslationReport::Finish() {
  if (isatty(STDERR_FILENO) != 0 && IsLong()) {
    EraseProgress();
    std::cerr << Speed() << "\n";
  }
  for (const LineWarning* warning : {&invalid_utf8_, &unknown_language_, &cut_, &unfinished_}) {
    warning->Finish();
  }
}

void TranslationReport::Warn(bool applies, LineWarning* warning) {
  if (!applies) return;
  if (warning->is_first()) EraseProgress();
  warning->Add(lines_before_ + lines_);
}

void TranslationReport::EraseProgress() {
  if (shown_) std::cerr << "\r\033[K";
  shown_ = false;
}

std::string TranslationReport::Speed() const {
  const double seconds = std::chrono::duration<double>(time_).count();
  const auto rate = static_cast<int64_t>(std::llround(static_cast<double>(sentences_) / seconds));
  return absl::StrCat(WithCommas(lines_), " lines, ", WithCommas(sentences_), " sentences, ",
                      WithCommas(rate), " sentences/s");
}

}  // namespace limpid::internal
