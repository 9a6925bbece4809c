# vllama_library(NAME [TENSORS] SOURCES... LINK LIBRARIES...): one static library for one folder.
function(vllama_library name)
  cmake_parse_arguments(arg "TENSORS" "" "SOURCES;LINK" ${ARGN})
  add_library(vllama_${name} STATIC ${arg_SOURCES})
  target_link_libraries(vllama_${name} PUBLIC vllama_settings ${arg_LINK})
  if(arg_TENSORS)
    target_precompile_headers(vllama_${name} REUSE_FROM vllama_tensor_headers)
  endif()
endfunction()

# Tests compile in two thirds of the time so, and nobody measures their speed.
set(test_options $<$<CONFIG:Release>:-O1>)

# vllama_test(NAME [TENSORS] SOURCES... LINK LIBRARIES...): one Catch2 program, one ctest entry.
function(vllama_test name)
  cmake_parse_arguments(arg "TENSORS" "" "SOURCES;LINK" ${ARGN})
  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE vllama_test_main ${arg_LINK})
  target_compile_options(test_${name} PRIVATE ${test_options})
  if(arg_TENSORS)
    target_precompile_headers(test_${name} REUSE_FROM vllama_test_headers)
    set_target_properties(test_${name} PROPERTIES
      UNITY_BUILD_CODE_BEFORE_INCLUDE "#include \"tests/support/batch.h\"")
  endif()
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # Threads that wait must not spin where tests share the cores.
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "OMP_WAIT_POLICY=PASSIVE")
endfunction()
