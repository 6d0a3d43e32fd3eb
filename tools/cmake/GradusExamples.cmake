# Each file of examples/ is one program, and each program is a test: it exits 0 when it did what it shows.
# So is each lesson of examples/lessons/: it exits 1 when one of its claims does not hold.

# As tests, those that train on fetched data take what the library holds: tests never fetch.
set(gradus_example_arguments_fashion_mnist --data digits --model conv)
set(gradus_example_arguments_tabular ${PROJECT_SOURCE_DIR}/examples/data)

# The one header that all include, read once.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/examples/header.cpp CONTENT "")
add_library(gradus_example_header OBJECT ${PROJECT_BINARY_DIR}/examples/header.cpp)
gradus_project_options(gradus_example_header)
target_link_libraries(gradus_example_header PRIVATE gradus::gradus)
target_precompile_headers(gradus_example_header PRIVATE <gradus/gradus.hpp>)

# gradus_add_example(<target> <program> <test> <folder> <source>)
function(gradus_add_example target program test folder source)
  add_executable(${target} ${source})
  gradus_project_options(${target})
  target_precompile_headers(${target} REUSE_FROM gradus_example_header)
  # Written as users write: they mix integers and doubles freely, and reuse names inside lambdas.
  target_compile_options(${target} PRIVATE -Wno-conversion -Wno-shadow)
  # xtensor for the program that shows the bridge: a user of that header finds xtensor on their own.
  target_link_libraries(${target} PRIVATE gradus::gradus xtensor)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${program} RUNTIME_OUTPUT_DIRECTORY ${folder})
  if(GRADUS_BUILD_TESTS)
    add_test(NAME ${test} COMMAND ${target} ${gradus_example_arguments_${program}} WORKING_DIRECTORY ${folder})
    set_tests_properties(${test} PROPERTIES TIMEOUT 300)
  endif()
endfunction()

file(GLOB gradus_examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cpp)
foreach(source IN LISTS gradus_examples)
  get_filename_component(name ${source} NAME_WE)
  gradus_add_example(example_${name} ${name} example.${name} ${PROJECT_BINARY_DIR}/examples ${source})
endforeach()

# `lessons` builds all of them, without the rest.
add_custom_target(lessons)
file(GLOB gradus_lessons CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/lessons/*.cpp)
foreach(source IN LISTS gradus_lessons)
  get_filename_component(name ${source} NAME_WE)
  gradus_add_example(lesson_${name} lesson_${name} lesson.${name} ${PROJECT_BINARY_DIR}/examples/lessons ${source})
  add_dependencies(lessons lesson_${name})
endforeach()
