// The trace page without its data. embed.cmake generates the .cc file.

#ifndef LIMPID_TOOLS_TRACE_PAGE_EMBEDDED_H_
#define LIMPID_TOOLS_TRACE_PAGE_EMBEDDED_H_

#include <string_view>

namespace limpid::internal {

std::string_view PageBeforeData();
std::string_view PageAfterData();

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_PAGE_EMBEDDED_H_
