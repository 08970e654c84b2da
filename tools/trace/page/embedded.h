// The page of a trace without its data; embed.cmake writes the .cc.

#ifndef LIMPID_TOOLS_TRACE_PAGE_EMBEDDED_H_
#define LIMPID_TOOLS_TRACE_PAGE_EMBEDDED_H_

#include <string_view>

namespace limpid::internal {

std::string_view PageBeforeData();
std::string_view PageAfterData();

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRACE_PAGE_EMBEDDED_H_
