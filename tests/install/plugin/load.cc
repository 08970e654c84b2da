// A program that does not link Limpid: load PLUGIN MODEL TEXT.

#include <dlfcn.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  void* plugin = dlopen(argv[1], RTLD_NOW);
  if (plugin == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  using Function = const char* (*)(const char*, const char*);
  const auto translate = reinterpret_cast<Function>(dlsym(plugin, "Translate"));
  if (translate == nullptr) return 1;
  std::puts(translate(argv[2], argv[3]));
}
