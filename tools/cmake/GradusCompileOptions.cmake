# Compile and link options of everything that this project builds.

# A sanitized library is checked by tests that are themselves compiled as in any other build.
if(GRADUS_SANITIZE)
  add_link_options(-fsanitize=${GRADUS_SANITIZE})
endif()

function(gradus_sanitize target)
  if(GRADUS_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${GRADUS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
                                             -g1 -O0)
  endif()
endfunction()

# Code that is long and runs once: quick to compile beats quick to run. To be called in the directory of the targets. The
# same flags whatever the build type, so that a compiler cache makes the objects of all builds at once.
macro(gradus_quick_compile)
  foreach(type DEBUG RELEASE RELWITHDEBINFO MINSIZEREL)
    set(CMAKE_CXX_FLAGS_${type} "-O0 -g0")
  endforeach()
endmacro()

# Warnings and the language level: for our own code, tests and examples included.
function(gradus_project_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
  if(GRADUS_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# Code generation of the library. -fno-math-errno and -fno-trapping-math let GCC vectorise sqrt and comparisons; NaN and
# infinity keep their IEEE meaning, so -ffast-math is out.
function(gradus_library_options target)
  gradus_project_options(${target})
  gradus_sanitize(${target})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE -fno-math-errno -fno-trapping-math)
  # Calls inside a shared library go straight to their target. Static and shared objects are compiled alike, which lets
  # a compiler cache share them.
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  set_target_properties(${target} PROPERTIES DEFINE_SYMBOL "")
  if(NOT GRADUS_SANITIZE)
    # A function whose parameters GCC rewrites is a file's own, and no longer shared by all files: of fmt alone there
    # were dozens of copies.
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O3>
                                             $<$<CXX_COMPILER_ID:GNU>:-fno-ipa-sra>)
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
      target_compile_options(${target} PRIVATE -O2)  # a parent project that says nothing still gets a fast library
    endif()
  endif()
endfunction()

# A shared library exports namespace gradus and nothing else (not the templates of fmt and xtensor that it instantiates).
# A linker script says so in one place, which spares every public declaration an export macro.
function(gradus_limit_exports target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "SHARED_LIBRARY" AND UNIX AND NOT APPLE)
    set(script ${PROJECT_SOURCE_DIR}/tools/cmake/gradus.map)
    target_link_options(${target} PRIVATE -Wl,--version-script=${script} -Wl,-Bsymbolic-functions
                        $<$<CONFIG:Release>:-Wl,--strip-all>)  # of names that are not exported
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${script})
  endif()
endfunction()
