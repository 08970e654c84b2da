# Finds the dependencies of Limpid's libraries. The build and the installed package both include
# this file, so that the targets that the exported libraries link to have the same names in both.
find_package(PkgConfig REQUIRED QUIET)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc)
find_package(absl REQUIRED)
pkg_check_modules(Highway REQUIRED QUIET IMPORTED_TARGET libhwy)

# limpid_find_library(TARGET HEADER LIBRARY): finds a library whose own .pc or CMake file requires
# packages that are not needed to use it.
function(limpid_find_library target header library)
  if(TARGET ${target})
    return()
  endif()
  string(MAKE_C_IDENTIFIER "LIMPID_${library}" name)
  find_path(${name}_INCLUDE_DIR ${header} REQUIRED)
  find_library(${name}_LIBRARY ${library} REQUIRED)
  mark_as_advanced(${name}_INCLUDE_DIR ${name}_LIBRARY)
  add_library(${target} UNKNOWN IMPORTED)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${name}_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE_DIR})
endfunction()

# In Debian 13, its .pc file requires Protocol Buffers' headers.
limpid_find_library(Limpid::SentencePiece sentencepiece_processor.h sentencepiece)
# Debian's dnnl-config.cmake requires OpenCL's headers.
limpid_find_library(Limpid::oneDNN oneapi/dnnl/dnnl.hpp dnnl)

# If oneDNN runs on OpenMP, linear.cc sets OpenMP's number of threads. Debian's oneDNN runs on GCC's
# OpenMP; FindOpenMP would find the compiler's instead.
get_target_property(LIMPID_dnnl_HEADERS Limpid::oneDNN INTERFACE_INCLUDE_DIRECTORIES)
file(STRINGS ${LIMPID_dnnl_HEADERS}/oneapi/dnnl/dnnl_config.h LIMPID_dnnl_OPENMP
     REGEX "define DNNL_CPU_RUNTIME DNNL_RUNTIME_OMP")
if(LIMPID_dnnl_OPENMP)
  find_library(LIMPID_OPENMP_LIBRARY NAMES gomp libgomp.so.1 REQUIRED)
  mark_as_advanced(LIMPID_OPENMP_LIBRARY)
  set_target_properties(Limpid::oneDNN PROPERTIES
                        INTERFACE_LINK_LIBRARIES ${LIMPID_OPENMP_LIBRARY})
endif()
