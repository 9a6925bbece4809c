// Builds zip, pickle and safetensors bytes for tests.
#include "tests/weights/sample_files.h"

#include <fstream>

#include "weights/pth/zip_writer.h"
#include "weights/values/byte_order.h"

namespace vllama::test {

using namespace weights;
using namespace std::string_literals;

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  // Some file systems flush a file that is truncated and written again, but not a new one.
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_zip(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, std::string>>& members) {
  AtomicFile file(path);
  ZipWriter zip(file);
  for (const auto& [name, content] : members) zip.add(name, std::as_bytes(std::span(content)));
  zip.finish();
  file.commit();
}

void write_container(const std::filesystem::path& path, const std::string& pickle,
                     const std::vector<std::pair<std::string, std::string>>& storages) {
  std::vector<std::pair<std::string, std::string>> members = {{"x/data.pkl", "\x80\x02" + pickle},
                                                              {"x/byteorder", "little"}};
  for (const auto& [key, content] : storages) members.emplace_back("x/data/" + key, content);
  members.emplace_back("x/version", "3\n");
  write_zip(path, members);
}

void write_safetensors_bytes(const std::filesystem::path& path, const std::string& header,
                             const std::string& data) {
  std::string bytes;
  append_number<std::uint64_t>(bytes, header.size());
  write_bytes(path, bytes + header + data);
}

std::string u32(std::uint32_t value) {
  std::string bytes;
  append_number(bytes, value);
  return bytes;
}

std::string pickled_text(const std::string& text) {
  return "X"s + u32(static_cast<std::uint32_t>(text.size())) + text;
}

namespace {

std::string pickled_byte(int value) {
  return std::string("K") + static_cast<char>(value);
}

std::string pickled_tuple(const std::vector<int>& numbers) {
  std::string bytes = "(";
  for (const int number : numbers) bytes += pickled_byte(number);
  return bytes + "t";
}

}  // namespace

std::string pickled_storage(const std::string& storage_class, const std::string& key,
                            int num_elements, const std::string& view) {
  return "("s + pickled_text("storage") + "ctorch\n" + storage_class + "\n"s + pickled_text(key) +
         pickled_text("cpu") + pickled_byte(num_elements) + view + "tQ";
}

std::string pickled_tensor(const std::string& storage, int offset, const std::vector<int>& shape,
                           const std::vector<int>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + pickled_byte(offset) +
         pickled_tuple(shape) + pickled_tuple(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}

std::uint64_t touch(const Value& value) {
  std::uint64_t sum = 0;
  if (const auto* view = value.get_if<TensorView>()) {
    for (const std::byte byte : view->bytes) sum += std::to_integer<std::uint64_t>(byte);
  } else if (const auto* map = value.get_if<Map>()) {
    for (const auto& [key, item] : map->entries()) sum += touch(item);
  } else if (const auto* list = value.get_if<List>()) {
    for (const Value& item : *list) sum += touch(item);
  } else if (const auto* tuple = value.get_if<Tuple>()) {
    for (const Value& item : tuple->items) sum += touch(item);
  }
  return sum;
}

}  // namespace vllama::test
