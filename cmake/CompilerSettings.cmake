# Language level, warnings, sanitizers and ccache for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # With precompiled headers ccache must be told that they, and not the files they were made of, are compared.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(vllama_settings INTERFACE)
target_include_directories(vllama_settings INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_options(vllama_settings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Werror>)
if(VLLAMA_SANITIZE)
  # The tests and the fuzzers share these objects: what counts edges for the fuzzers does nothing in a test.
  target_compile_options(vllama_settings INTERFACE -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(vllama_settings INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
endif()
if(VLLAMA_TSAN)
  # The sanitizer knows no fences; they stand in front of what shared_ptr destroys, which it sees.
  target_compile_options(vllama_settings INTERFACE -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  target_link_options(vllama_settings INTERFACE -fsanitize=thread)
endif()
