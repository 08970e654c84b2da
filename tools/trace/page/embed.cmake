# Combines page.html, page.css and the scripts into a C++ file:
#   cmake -DOUTPUT=embedded.cc -P embed.cmake
cmake_minimum_required(VERSION 3.18)

# base64_sha256(TEXT RESULT): the hash that identifies an inline element in a Content-Security-Policy.
function(base64_sha256 text result)
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(SHA256 hex "${text}")
  string(APPEND hex "00")  # pads to 33 bytes, 44 digits; the last digit becomes "="
  set(base64 "")
  foreach(begin RANGE 0 60 6)
    string(SUBSTRING "${hex}" ${begin} 6 three_bytes)
    foreach(shift 18 12 6 0)
      math(EXPR digit "(0x${three_bytes} >> ${shift}) & 63")
      string(SUBSTRING "${digits}" ${digit} 1 digit)
      string(APPEND base64 "${digit}")
    endforeach()
  endforeach()
  string(SUBSTRING "${base64}" 0 43 base64)
  set(${result} "${base64}=" PARENT_SCOPE)
endfunction()

set(folder "${CMAKE_CURRENT_LIST_DIR}")
file(READ "${folder}/page.html" page)
file(READ "${folder}/page.css" style)
set(script "")
foreach(part trace words heads player page)
  file(READ "${folder}/${part}.js" text)
  string(APPEND script "${text}")
endforeach()

base64_sha256("${style}" style_hash)
base64_sha256("${script}" script_hash)
string(REPLACE "{{style hash}}" "${style_hash}" page "${page}")
string(REPLACE "{{script hash}}" "${script_hash}" page "${page}")
string(REPLACE "{{style}}" "${style}" page "${page}")
string(REPLACE "{{script}}" "${script}" page "${page}")

string(FIND "${page}" "{{data}}" place)
string(SUBSTRING "${page}" 0 ${place} before)
math(EXPR place "${place} + 8")
string(SUBSTRING "${page}" ${place} -1 after)
file(WRITE "${OUTPUT}" "// Made by tools/trace/page/embed.cmake.
#include \"tools/trace/page/embedded.h\"

namespace limpid::internal {

std::string_view PageBeforeData() { return R\"PAGE(${before})PAGE\"; }
std::string_view PageAfterData() { return R\"PAGE(${after})PAGE\"; }

}  // namespace limpid::internal
")
