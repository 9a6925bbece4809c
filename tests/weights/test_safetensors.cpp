// The safetensors reader takes exactly what the format allows.
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/safetensors_reader.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;
using namespace std::string_literals;

namespace {

SafetensorsFile read(const std::string& header, const std::string& data) {
  const TemporaryFolder folder;
  write_safetensors_bytes(folder.path() / "a.safetensors", header, data);
  return read_safetensors(MappedFile::open(folder.path() / "a.safetensors"));
}

std::string entry(const std::string& name, const std::string& type, const std::string& shape,
                  const std::string& offsets) {
  return '"' + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}";
}

}  // namespace

TEST_CASE("a header may be padded, carry metadata and list tensors in any order") {
  const SafetensorsFile file = read(
      "{"s + entry("b", "I16", "[2]", "[4,8]") + R"(,"__metadata__":{"k":"v"},)" +
          entry("a", "U8", "[2,2]", "[0,4]") + "," + entry("e", "F32", "[0,3]", "[8,8]") + "}   ",
      "abcdefgh");
  REQUIRE(file.tensors.size() == 3);
  CHECK(file.metadata.at("k") == "v");
  CHECK(file.tensors.at("b").type == ElementType::int16);
  CHECK(static_cast<char>(file.tensors.at("b").bytes[0]) == 'e');
  CHECK(file.tensors.at("e").num_elements() == 0);
  CHECK(read("{}", "").tensors.empty());
}

TEST_CASE("damaged headers are refused with the reason") {
  const std::string a = entry("a", "U8", "[4]", "[0,4]");
  struct Damage {
    std::string header, data, message;
  };
  const std::vector<Damage> table = {
      {"{" + a + "," + entry("b", "U8", "[2]", "[3,5]") + "}", "12345", "an overlap"},
      {"{" + a + "," + entry("b", "U8", "[2]", "[5,7]") + "}", "1234567", "a hole"},
      {"{"s + entry("b", "U8", "[2]", "[1,3]") + "}", "123", "a hole"},
      {"{" + a + "}", "12345", "end at byte 4 of 5"},
      {"{" + a + "}", "123", "bytes 0 to 4 of 3"},
      {"{" + a + "," + a + "}", "1234", "'a' occurs twice"},
      {"{"s + entry("a", "F8_E4M3", "[4]", "[0,4]") + "}", "1234", "unsupported dtype 'F8_E4M3'"},
      {"{"s + entry("a", "U8", "[5]", "[0,4]") + "}", "1234", "shape [5]"},
      {"{"s + entry("a", "U8", "[4]", "[4,0]") + "}", "1234", "bytes 4 to 0"},
      {"{"s + entry("a", "U8", "[4]", "[0,4,4]") + "}", "1234", "data_offsets"},
      {"{"s + entry("a", "U8", "[-4]", "[0,4]") + "}", "1234", "negative"},
      {"{"s + entry("a", "U8", "[4.0]", "[0,4]") + "}", "1234", "fraction"},
      {"{"s + entry("a", "U8", "[[4]]", "[0,4]") + "}", "1234", "list"},
      {"{"s + entry("a", "U8", "[4294967296,4294967296]", "[0,0]") + "}", "", "'a'"},
      {"{"s + entry("a", "I64", "[4611686018427387904]", "[0,0]") + "}", "", "'a'"},
      {"{"s + entry("a", "U8", "[18446744073709551615]", "[0,0]") + "}", "", "too large"},
      {R"({"a":{"dtype":"U8","shape":[4]}})", "1234", "lacks"},
      {R"({"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "1234", "repeated"},
      {R"({"a":{"kind":"U8","shape":[4],"data_offsets":[0,4]}})", "1234", "'kind'"},
      {R"({"a":{"dtype":{},"shape":[4],"data_offsets":[0,4]}})", "1234", "nested"},
      {R"({"a":null})", "", "null"},
      {R"({"a":"b"})", "", "text"},
      {R"({"__metadata__":{"a":1}})", "", "number"},
      {"[1]", "", "list"},
      {"\"a\"", "", "text"},
      {"{" + a, "1234", "not JSON"},
      {"{" + a + "} x", "1234", "not JSON"},
      {"", "", "not JSON"},
      {std::string(100'000, '['), "", "list"},
      {"{\"\xff\":{}}", "", "not JSON"},
  };
  for (const Damage& damage : table) {
    INFO(damage.header.substr(0, 200));
    CHECK_THROWS_AS(read(damage.header, damage.data), UserError);
    CHECK_THROWS_WITH(read(damage.header, damage.data),
                      Contains("a.safetensors") && Contains(damage.message));
  }
}

TEST_CASE("a header length beyond the file or the limit is refused") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  for (const std::string& bytes :
       {std::string("\x03\0\0\0\0\0\0\0{}", 10), std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}"),
        std::string("\x02\0\0", 3)}) {
    write_bytes(path, bytes);
    CHECK_THROWS_WITH(read_safetensors(MappedFile::open(path)),
                      Contains("short") || Contains("cut off"));
  }
}

TEST_CASE("what is written is read back, wide types first and aligned") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  const NamedTensors tensors = {{"bytes", at::arange(3, at::kByte)},
                                {"flag", at::full({1}, true, at::kBool)},
                                {"half", at::arange(4, at::kHalf).view({2, 2}).t()},
                                {"long", at::arange(2, at::kLong)},
                                {"nothing", at::arange(0, at::kFloat)},
                                {"scalar", at::full({}, 1.5, at::kFloat)}};
  write_safetensors(path, tensors);
  const auto file = MappedFile::open(path);
  const SafetensorsFile content = read_safetensors(file);
  CHECK(content.metadata.at("format") == "pt");
  REQUIRE(content.tensors.size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    const at::Tensor found = to_tensor(content.tensors.at(name));
    CHECK(found.scalar_type() == tensor.scalar_type());
    CHECK(found.equal(tensor));
  }
  const auto offset = [&](const char* name) {
    return content.tensors.at(name).bytes.data() - file->bytes().data();
  };
  CHECK(offset("long") % 8 == 0);
  CHECK(offset("long") < offset("scalar"));
  CHECK(offset("scalar") < offset("half"));
  CHECK(offset("half") < offset("bytes"));
}
