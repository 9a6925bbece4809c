# The target `libtorch`, from the torch wheel in VLLAMA_VENV. The CPU build names the two libraries it
# needs by hand, because find_package(Torch) would ask for the CUDA toolkit that this build can do without.
file(GLOB site_packages "${VLLAMA_VENV}/lib/python3*/site-packages")
set(torch_folder "${site_packages}/torch")
if(NOT EXISTS "${torch_folder}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "no torch wheel in ${VLLAMA_VENV}: run tools/setup.sh, or set VLLAMA_VENV")
endif()

add_library(libtorch INTERFACE)
if(VLLAMA_CUDA)
  set(TORCH_CUDA_ARCH_LIST "9.0" CACHE STRING "GPU architectures")
  find_package(Torch REQUIRED PATHS "${torch_folder}" NO_DEFAULT_PATH)
  target_link_libraries(libtorch INTERFACE ${TORCH_LIBRARIES})
else()
  target_include_directories(libtorch SYSTEM INTERFACE
    "${torch_folder}/include" "${torch_folder}/include/torch/csrc/api/include")
  target_link_directories(libtorch INTERFACE "${torch_folder}/lib")
  target_link_libraries(libtorch INTERFACE torch_cpu c10)
  target_link_options(libtorch INTERFACE "LINKER:-rpath,${torch_folder}/lib"
    "LINKER:-rpath,${site_packages}/nvidia/cu13/lib"
    "LINKER:-rpath-link,${site_packages}/nvidia/cu13/lib")
endif()

# Without it the operators of tensors bring in all two thousand functions.
target_compile_definitions(libtorch INTERFACE AT_PER_OPERATOR_HEADERS)

# The wheel carries headers of fmt and protobuf that do not fit the system's libraries. What is linked
# here is searched before the wheel.
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/system_headers")
foreach(library fmt google)
  file(CREATE_LINK "/usr/include/${library}" "${CMAKE_BINARY_DIR}/system_headers/${library}" SYMBOLIC)
endforeach()
target_include_directories(vllama_settings SYSTEM INTERFACE "${CMAKE_BINARY_DIR}/system_headers")
