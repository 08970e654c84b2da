// The plug-in: a C function that translates.

#include <string>

#include "limpid/translator.h"

extern "C" const char* Translate(const char* model, const char* text) {
  static std::string result;
  const auto translator = limpid::Translator::Load(model);
  if (!translator.ok()) return (result = translator.status().ToString()).c_str();
  const auto translation = (*translator)->Translate(text);
  result = translation.ok() ? translation->text : translation.status().ToString();
  return result.c_str();
}
