# The header of tensors takes four seconds to read. Targets of which most files see it, marked TENSORS, share it read.
# With -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON a build shows whether every file names all the headers that it needs.
set(tensor_headers <ATen/core/Tensor.h> <fmt/format.h> <filesystem> <map>)
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/no_code.cpp" CONTENT "int main() {}\n")

add_library(vllama_tensor_headers OBJECT "${CMAKE_BINARY_DIR}/no_code.cpp")
target_link_libraries(vllama_tensor_headers PRIVATE vllama_settings libtorch fmt::fmt)
target_precompile_headers(vllama_tensor_headers PRIVATE ${tensor_headers})

# A program, since programs are compiled with other options than libraries.
add_executable(vllama_test_headers "${CMAKE_BINARY_DIR}/no_code.cpp")
target_link_libraries(vllama_test_headers PRIVATE vllama_settings libtorch fmt::fmt
  nlohmann_json::nlohmann_json)
target_compile_options(vllama_test_headers PRIVATE ${test_options})
# Not Catch: headers of libtorch that come after it would put their CHECK in place of its own.
target_precompile_headers(vllama_test_headers PRIVATE ${tensor_headers} <nlohmann/json.hpp>)
