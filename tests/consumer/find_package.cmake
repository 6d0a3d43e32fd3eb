# Installs gradus to a prefix of its own, then builds and runs a program against it: by find_package and by pkg-config.
# Needs: SOURCE_DIR (tests/consumer), GRADUS_BUILD (the build to install), WORK_DIR, GENERATOR, CXX.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

set(prefix ${WORK_DIR}/prefix)
file(REMOVE_RECURSE ${prefix})  # so that a file that is no longer installed is missed
run(${CMAKE_COMMAND} --install ${GRADUS_BUILD} --prefix ${prefix})

build_and_run(${SOURCE_DIR}/find_package ${WORK_DIR}/build -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Release)

find_program(pkg_config NAMES pkg-config pkgconf)
if(pkg_config)
  file(GLOB_RECURSE pc ${prefix}/gradus.pc)
  get_filename_component(pc_dir ${pc} DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} ${pc_dir})
  execute_process(COMMAND ${pkg_config} --cflags --libs gradus OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run(${CXX} -std=c++20 ${SOURCE_DIR}/train.cpp -o ${WORK_DIR}/train_pc ${flags})
  set(ENV{LD_LIBRARY_PATH} ${pc_dir}/..)
  run(${WORK_DIR}/train_pc)
endif()
