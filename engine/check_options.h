// Checks a call's options and texts.

#ifndef LIMPID_ENGINE_CHECK_OPTIONS_H_
#define LIMPID_ENGINE_CHECK_OPTIONS_H_

#include <string_view>

#include "absl/status/status.h"
#include "limpid/translate_options.h"

namespace limpid::internal {

// Returns InvalidArgument, naming the option, if one is out of range or two conflict.
absl::Status CheckTranslateOptions(const TranslateOptions& options);

// Returns InvalidArgument if `text` is longer than kMaxTextBytes; `what` names it in the message.
absl::Status CheckTextSize(const char* what, std::string_view text);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_CHECK_OPTIONS_H_
