# The header of tensors takes four seconds to read. Targets of which most files see it, marked TENSORS, share it read.
# With -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON a build shows whether every file names all the headers that it needs.
file(WRITE "${CMAKE_BINARY_DIR}/no_code.cpp" "")

add_library(vllama_tensor_headers OBJECT "${CMAKE_BINARY_DIR}/no_code.cpp")
target_link_libraries(vllama_tensor_headers PRIVATE vllama_settings libtorch fmt::fmt)
target_precompile_headers(vllama_tensor_headers PRIVATE <ATen/core/Tensor.h> <fmt/format.h> <filesystem> <map>)

add_library(vllama_test_headers OBJECT "${CMAKE_BINARY_DIR}/no_code.cpp")
target_link_libraries(vllama_test_headers PRIVATE vllama_settings libtorch fmt::fmt Catch2::Catch2
  nlohmann_json::nlohmann_json)
target_precompile_headers(vllama_test_headers PRIVATE <ATen/core/Tensor.h> <fmt/format.h> <filesystem> <map>
  <catch2/catch.hpp> <nlohmann/json.hpp>)
