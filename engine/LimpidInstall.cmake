# For cmake --install: the program with its default model, and the public headers and the library
# for find_package(Limpid) and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(LIMPID_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Limpid)

if(LIMPID_TOOLS)
  install(TARGETS limpid)
endif()
install(DIRECTORY models/eng-deu DESTINATION ${CMAKE_INSTALL_DATADIR}/limpid/models)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/limpid)
install(DIRECTORY engine/limpid DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

if(LIMPID_SHARED)
  install(TARGETS limpid_shared EXPORT Limpid INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  set(LIMPID_PC_REQUIRES "absl_statusor absl_span absl_function_ref")
  set(LIMPID_PC_LIBS "-llimpid")
else()
  install(TARGETS limpid_tokenizer limpid_models limpid_engine EXPORT Limpid
          INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  set(LIMPID_PC_REQUIRES "absl_statusor absl_span absl_function_ref absl_hash absl_strings absl_str_format")
  string(APPEND LIMPID_PC_REQUIRES " icu-uc libhwy zlib")
  # Linked by name: these have no .pc file, or one that requires packages not needed to use them.
  set(LIMPID_PC_LIBS "-llimpid_engine -llimpid_models -llimpid_tokenizer -lsentencepiece -ldnnl -pthread")
  if(LIMPID_OPENMP_LIBRARY)
    get_filename_component(openmp ${LIMPID_OPENMP_LIBRARY} NAME)
    string(APPEND LIMPID_PC_LIBS " -l:${openmp}")
  endif()
endif()
install(EXPORT Limpid NAMESPACE Limpid:: DESTINATION ${LIMPID_CMAKE_DIR})
configure_package_config_file(engine/LimpidConfig.cmake.in LimpidConfig.cmake
                              INSTALL_DESTINATION ${LIMPID_CMAKE_DIR})
write_basic_package_version_file(LimpidConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES engine/LimpidDependencies.cmake ${PROJECT_BINARY_DIR}/LimpidConfig.cmake
              ${PROJECT_BINARY_DIR}/LimpidConfigVersion.cmake
        DESTINATION ${LIMPID_CMAKE_DIR})
file(RELATIVE_PATH LIMPID_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(engine/limpid.pc.in limpid.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/limpid.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
