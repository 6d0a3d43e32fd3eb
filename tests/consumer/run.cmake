# Helpers of the consumer tests.

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Configures, builds and runs the consumer project in `source`; further arguments go to the configuration.
function(build_and_run source build)
  run(${CMAKE_COMMAND} -S ${source} -B ${build} -G "${GENERATOR}" -DCMAKE_CXX_COMPILER=${CXX} ${ARGN})
  cmake_host_system_information(RESULT jobs QUERY NUMBER_OF_LOGICAL_CORES)
  run(${CMAKE_COMMAND} --build ${build} --parallel ${jobs})
  run(${build}/train)
endfunction()
