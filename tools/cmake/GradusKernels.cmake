# src/kernels/simd is compiled once per instruction set and picked at run time, so that the default build is fast on
# every machine. tools/check/one_definition.py proves that the copies share no symbol.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(GRADUS_KERNEL_ISAS sse2 avx2 avx512)
else()
  set(GRADUS_KERNEL_ISAS generic)
endif()

if(GRADUS_SANITIZE STREQUAL "thread")
  set(GRADUS_KERNEL_ISAS generic) # a kernel knows no threads, whatever its instructions
elseif(GRADUS_SANITIZE)
  list(REMOVE_ITEM GRADUS_KERNEL_ISAS avx512) # the same loops as AVX2's, and the longest to compile
endif()

set(gradus_flags_sse2 "")
set(gradus_flags_avx2 -mavx2 -mfma)
set(gradus_flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512cd -mavx512vl -mfma -mavx2 -mprefer-vector-width=512)
set(gradus_flags_generic "")

function(gradus_add_kernels target)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/kernels/simd/*.cpp)
  foreach(isa IN LISTS GRADUS_KERNEL_ISAS)
    set(objects gradus_kernels_${isa})
    add_library(${objects} OBJECT ${sources})
    gradus_library_options(${objects})
    target_include_directories(${objects} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${objects} PRIVATE xsimd)
    target_compile_definitions(${objects} PRIVATE GRADUS_ISA=${isa})
    # The kernels fuse explicitly: an element's result must not depend on how the compiler treats the end of a loop.
    target_compile_options(${objects} PRIVATE ${gradus_flags_${isa}} -ffp-contract=off)
    if(GRADUS_SANITIZE)
      # GCC's own AVX-512 intrinsics look uninitialised to it at -O1 (GCC bug 105593).
      # Loops over floating numbers: what can go wrong in them is an address.
      target_compile_options(${objects} PRIVATE -O1 -fno-sanitize=undefined -Wno-uninitialized -Wno-maybe-uninitialized)
    else()
      # A loop that is not optimised is too slow to test with. (A sanitized one at -O2 takes a minute to compile.)
      target_compile_options(${objects} PRIVATE $<$<CONFIG:Debug>:-O2>)
    endif()
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
  if(avx512 IN_LIST GRADUS_KERNEL_ISAS)
    target_compile_definitions(${target} PRIVATE GRADUS_X86_KERNELS=512)
  elseif(avx2 IN_LIST GRADUS_KERNEL_ISAS)
    target_compile_definitions(${target} PRIVATE GRADUS_X86_KERNELS=256)
  endif()
endfunction()
