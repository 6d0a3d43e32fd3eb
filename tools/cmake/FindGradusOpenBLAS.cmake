# Finds OpenBLAS itself, not the generic BLAS alternative (gradus sets OpenBLAS's number of threads), as the target
# gradus::openblas. OpenBLAS's own CMake package is of no use here: Debian 13's names folders that don't exist.
# Installed beside gradus-config.cmake: whoever links a static gradus needs it as well.

find_library(GradusOpenBLAS_LIBRARY openblas HINTS ${OpenBLAS_ROOT} PATH_SUFFIXES openblas-pthread)
find_path(GradusOpenBLAS_INCLUDE_DIR openblas_config.h HINTS ${OpenBLAS_ROOT} PATH_SUFFIXES openblas-pthread openblas)
mark_as_advanced(GradusOpenBLAS_LIBRARY GradusOpenBLAS_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(GradusOpenBLAS REQUIRED_VARS GradusOpenBLAS_LIBRARY GradusOpenBLAS_INCLUDE_DIR)

if(GradusOpenBLAS_FOUND AND NOT TARGET gradus::openblas)
  add_library(gradus::openblas INTERFACE IMPORTED)
  target_link_libraries(gradus::openblas INTERFACE ${GradusOpenBLAS_LIBRARY})
  target_include_directories(gradus::openblas INTERFACE ${GradusOpenBLAS_INCLUDE_DIR})
endif()
