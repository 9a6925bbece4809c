// The pickle machine alone, with storages of whatever size the pickle asks for.
#include "tools/fuzz/weights.h"
#include "weights/pth/pickle_machine.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kMaxBytes = 1 << 16;
  const std::string name = "pickle";
  const std::vector<std::byte> bytes = exact(Input(data, size).rest());
  answers([&] {
    const weights::PickleGraph graph = weights::read_pickle(bytes, 0, name);
    const auto content_of = [](const weights::Storage& storage) {
      const auto num_bytes = static_cast<std::uint64_t>(storage.num_bytes());
      if (num_bytes > kMaxBytes) throw UserError("a storage is cut off");
      auto content = std::make_shared<std::vector<std::byte>>(num_bytes);
      return weights::StorageContent{*content, content};
    };
    touch(weights::to_value(graph, content_of, 64 * kMaxBytes, name));
  });
  return 0;
}
