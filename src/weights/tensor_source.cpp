// The one implementation of TensorSource, over a table of views into mapped files.
#include "weights/tensor_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "weights/values/finite.h"
#include "weights/values/readable.h"
#include "weights/weight_table.h"

namespace vllama::weights {
namespace {

// How much of a file may be in memory while a tensor is converted.
constexpr std::int64_t kPieceBytes = std::int64_t{8} << 20;

class MappedSource : public TensorSource {
 public:
  MappedSource(std::string path, WeightTable table)
      : path_(std::move(path)), table_(std::move(table)) {
    for (const auto& [name, entry] : table_)
      facts_.push_back(
          {name, scalar_type(entry.view.type), entry.view.shape, entry.file->path().string()});
  }

  const std::vector<TensorFacts>& tensors() const override { return facts_; }

  at::Tensor read(const std::string& name) const override { return to_tensor(entry(name).view); }

  std::int64_t copy_to(const std::string& name, at::Tensor& destination) const override {
    const WeightEntry& source = entry(name);
    VLLAMA_ASSERT(destination.sizes() == at::IntArrayRef(source.view.shape),
                  "the destination has the shape of the tensor");
    if (!source.view.is_contiguous() || !destination.is_contiguous()) {
      const at::Tensor values = to_tensor(source.view);
      destination.copy_(values);
      release_range(source, source.view.bytes);
      return weights::count_not_finite(to_view(values));
    }
    at::Tensor flat = destination.view({-1});
    std::int64_t begin = 0;
    return sum_over_pieces(source, [&](const TensorView& piece) {
      flat.narrow(0, begin, piece.shape[0]).copy_(to_tensor(piece));
      begin += piece.shape[0];
      return weights::count_not_finite(piece);
    });
  }

  std::int64_t count_not_finite(const std::string& name) const override {
    const WeightEntry& source = entry(name);
    if (!source.view.is_contiguous())
      return weights::count_not_finite(to_view(to_tensor(source.view)));
    return sum_over_pieces(
        source, [](const TensorView& piece) { return weights::count_not_finite(piece); });
  }

  void release(const std::string& name) const override {
    const WeightEntry& source = entry(name);
    release_range(source, source.view.bytes);
  }

 private:
  // Of a contiguous tensor, whose pages are released behind each piece.
  template <class Count>
  static std::int64_t sum_over_pieces(const WeightEntry& source, Count&& count) {
    std::int64_t sum = 0;
    for (const TensorView& piece : contiguous_pieces(source.view, kPieceBytes)) {
      sum += count(piece);
      release_range(source, piece.bytes);
    }
    return sum;
  }

  const WeightEntry& entry(const std::string& name) const {
    const auto found = table_.find(name);
    if (found == table_.end())
      throw UserError(fmt::format("{}: no tensor is named '{}'", path_, readable(name)));
    return found->second;
  }

  static void release_range(const WeightEntry& source, std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    const auto offset = static_cast<std::size_t>(bytes.data() - source.file->bytes().data());
    source.file->release_pages(offset, bytes.size());
  }

  std::string path_;
  WeightTable table_;
  std::vector<TensorFacts> facts_;
};

}  // namespace

std::unique_ptr<TensorSource> open_weights(const std::filesystem::path& path) {
  return std::make_unique<MappedSource>(path.string(), read_weight_table(path));
}

}  // namespace vllama::weights
