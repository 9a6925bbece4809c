// manifest.json of a saved step.
#include "checkpoint/manifest.h"

#include <fmt/format.h>

#include "tools/fuzz/input.h"
#include "weights/values/checksum.h"

using namespace vllama;
using namespace vllama::fuzz;

namespace {

void parse(std::string_view text) {
  const std::vector<std::byte> bytes = exact(text);
  answers([&] {
    const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    require(checkpoint::manifest_text(checkpoint::parse_manifest(view)) == text,
            "a manifest is read from its own text alone");
  });
}

}  // namespace

// The text as it is, and with the checksum behind it that a change of a byte would never hit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(Input(data, size).rest());
  parse(text);
  const std::uint32_t sum = weights::crc32(std::as_bytes(std::span<const char>(text)), 0);
  parse(text + fmt::format("  \"crc32\": \"{:08x}\"\n}}\n", sum));
  return 0;
}
