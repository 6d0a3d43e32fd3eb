# Builds and runs a program that has gradus as a subproject. This is also where the shared library is built, linked
# through its limited exports, and weighed.
# Needs: SOURCE_DIR (tests/consumer), WORK_DIR, GENERATOR, CXX.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

# With warnings as errors the compile commands are those of the main build, which a compiler cache remembers.
build_and_run(${SOURCE_DIR}/add_subdirectory ${WORK_DIR}/build -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Release
              -DGRADUS_WARNINGS_AS_ERRORS=ON)

file(GLOB library ${WORK_DIR}/build/gradus/libgradus.so.*.*.*)
file(SIZE "${library}" bytes)
message("${library}: ${bytes} bytes")
if(bytes GREATER 6000000)
  message(FATAL_ERROR "the shared library is ${bytes} bytes; at most 6000000 are allowed")
endif()
