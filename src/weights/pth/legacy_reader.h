// The stream container of PyTorch before 1.6: five pickles, then the storages.
#pragma once

#include <memory>

#include "core/files.h"
#include "weights/values/value.h"

namespace vllama::weights {

// True when the bytes begin with the container's magic number.
bool is_legacy_container(std::span<const std::byte> bytes);

Value read_legacy_container(const std::shared_ptr<const MappedFile>& file);

}  // namespace vllama::weights
