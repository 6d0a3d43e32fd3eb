include(CMakePackageConfigHelpers)

set(gradus_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gradus)

install(TARGETS gradus EXPORT gradus-targets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/gradus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")
install(EXPORT gradus-targets NAMESPACE gradus:: DESTINATION ${gradus_cmake_dir})

get_target_property(gradus_type gradus TYPE)
configure_package_config_file(${PROJECT_SOURCE_DIR}/tools/cmake/gradus-config.cmake.in
                              ${PROJECT_BINARY_DIR}/gradus-config.cmake INSTALL_DESTINATION ${gradus_cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gradus-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gradus-config.cmake ${PROJECT_BINARY_DIR}/gradus-config-version.cmake
              ${PROJECT_SOURCE_DIR}/tools/cmake/FindGradusOpenBLAS.cmake
        DESTINATION ${gradus_cmake_dir})

# A static library leaves OpenBLAS and zlib to the program that links it.
if(gradus_type STREQUAL "STATIC_LIBRARY")
  set(gradus_pc_requires "Requires: openblas zlib")
else()
  set(gradus_pc_requires "Requires.private: openblas zlib")
endif()
# The prefix is said relative to the file, so that an installed tree can be moved (or installed with --prefix).
file(RELATIVE_PATH gradus_pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/gradus.pc.in ${PROJECT_BINARY_DIR}/gradus.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gradus.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
