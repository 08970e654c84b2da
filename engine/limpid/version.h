// Limpid's version. CMakeLists.txt reads it from here.

#ifndef LIMPID_VERSION_H_
#define LIMPID_VERSION_H_

#define LIMPID_VERSION "0.1.0"
#define LIMPID_VERSION_MAJOR 0
#define LIMPID_VERSION_MINOR 1
#define LIMPID_VERSION_PATCH 0

#endif  // LIMPID_VERSION_H_
