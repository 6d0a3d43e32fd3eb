# Each file of examples/ is one program, and each program is a test: it exits 0 when it did what it shows.

# As tests, those that train on fetched data take what the library holds: tests never fetch.
set(gradus_example_arguments_fashion_mnist --data digits --model conv)
set(gradus_example_arguments_tabular ${PROJECT_SOURCE_DIR}/examples/data)

file(GLOB gradus_examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cpp)
foreach(source IN LISTS gradus_examples)
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  gradus_project_options(example_${name})
  # Written as users write: they mix integers and doubles freely, and reuse names inside lambdas.
  target_compile_options(example_${name} PRIVATE -Wno-conversion -Wno-shadow)
  # xtensor for the program that shows the bridge: a user of that header finds xtensor on their own.
  target_link_libraries(example_${name} PRIVATE gradus::gradus xtensor)
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name}
                                                   RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
  if(GRADUS_BUILD_TESTS)
    add_test(NAME example.${name} COMMAND example_${name} ${gradus_example_arguments_${name}} WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
    set_tests_properties(example.${name} PROPERTIES TIMEOUT 300)
  endif()
endforeach()
