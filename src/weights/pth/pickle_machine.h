// The stack machine that reads a pickle of protocol 2 as data.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "weights/pth/pickle_graph.h"

namespace vllama::weights {

// Reads one pickle that starts at `bytes[begin]`. Only the opcodes of PyTorch's weight files and
// the names of pickle_globals.h are accepted. Texts of the graph point into `bytes`. Throws
// UserError naming `file_name`, the opcode, its offset in `bytes` and, for a foreign global, its
// name.
PickleGraph read_pickle(std::span<const std::byte> bytes, std::size_t begin,
                        const std::string& file_name);

}  // namespace vllama::weights
