// The pickle machine accepts what weight files hold and refuses everything else by name and offset.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/pth/pickle_machine.h"
#include "weights/pth/pth_reader.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;
using namespace std::string_literals;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// The value of a pickle without tensors.
Value read(const std::string& pickle) {
  return to_value(
      read_pickle(bytes_of(pickle), 0, "some.pth"),
      [](const Storage&) -> StorageContent { throw UserError("no storages here"); }, 0, "some.pth");
}

std::int64_t integer(const std::string& pickle) {
  return *read("\x80\x02" + pickle + ".").get_if<std::int64_t>();
}

Value read_file_with(const std::string& pickle,
                     const std::vector<std::pair<std::string, std::string>>& storages) {
  const TemporaryFolder folder;
  write_container(folder.path() / "a.pth", pickle, storages);
  return read_pth(folder.path() / "a.pth");
}

// Two storages' worth of floats 0, 1, ... 5.
const std::string kSixFloats = [] {
  std::string bytes;
  for (int i = 0; i < 6; ++i) {
    const auto value = static_cast<float>(i);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}();

}  // namespace

TEST_CASE("integers of every length keep their sign") {
  CHECK(integer("J\xff\xff\xff\xff"s) == -1);
  CHECK(integer("K\xff"s) == 255);
  CHECK(integer("M\xff\xff"s) == 65535);
  CHECK(integer("\x8a\x00"s) == 0);
  CHECK(integer("\x8a\x01\xff"s) == -1);
  CHECK(integer("\x8a\x02\xff\x00"s) == 255);
  CHECK(integer("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"s) == INT64_MIN);
  CHECK(integer("\x8b\x01\x00\x00\x00\x80"s) == -128);
  CHECK_THROWS_WITH(integer("\x8a\x09 12345678"s), Contains("LONG1") && Contains("64 bits"));
  CHECK_THROWS_WITH(integer("\x8b\xff\xff\xff\xff"s), Contains("LONG4"));
}

TEST_CASE("texts of every form are read") {
  CHECK(*read("X\x02\x00\x00\x00hi."s).get_if<std::string>() == "hi");
  CHECK(*read("U\x02hi."s).get_if<std::string>() == "hi");
  CHECK(*read("T\x02\x00\x00\x00hi."s).get_if<std::string>() == "hi");
  CHECK_THROWS_WITH(read("T\xff\xff\xff\xffhi."s), Contains("negative"));
  CHECK_THROWS_WITH(read("U\x01\xff."s), Contains("UTF-8"));
  CHECK_THROWS_WITH(read("X\xff\xff\xff\xffhi."s), Contains("BINUNICODE (0x58) at offset 0"));
}

TEST_CASE("shared objects appear wherever they are mentioned") {
  // x = []; x.append(1); (x, x)
  const Value value = read("]q\x01K\x01"s + "ah\x01\x86."s);
  const Tuple* tuple = value.get_if<Tuple>();
  REQUIRE(tuple != nullptr);
  CHECK(tuple->items[0].get_if<List>()->size() == 1);
  CHECK(tuple->items[1].get_if<List>()->size() == 1);
}

TEST_CASE("an ordered dictionary may be made of pairs and carry a state that is dropped") {
  const std::string pairs =
      "]("s + pickled_text("a") + "K\x01\x86"s + pickled_text("b") + "K\x02\x86"s + "e";
  const std::string state = "}"s + pickled_text("_metadata") + "}s";
  const Value value = read("ccollections\nOrderedDict\n" + pairs + "\x85R" + state + "b.");
  const Map* map = value.get_if<Map>();
  REQUIRE(map != nullptr);
  REQUIRE(map->size() == 2);
  CHECK(std::get<std::string>(map->entries()[1].first) == "b");
}

TEST_CASE("names outside of the list are refused and printed") {
  for (const auto& [module, name] : std::vector<std::pair<std::string, std::string>>{
           {"os", "system"},
           {"builtins", "eval"},
           {"torch", "load"},
           {"torch.storage", "UntypedStorage"},
           {"torch._utils", "_rebuild_parameter_with_state"},
           {"collections", "defaultdict"},
           {"numpy.core.multiarray", "_reconstruct"}}) {
    CHECK_THROWS_WITH(read("\x80\x02"s + "c" + module + "\n" + name + "\n)R."),
                      Contains("GLOBAL (0x63) at offset 2") && Contains(module + " " + name) &&
                          Contains("some.pth"));
  }
  CHECK_THROWS_WITH(read("cos\n\x1b[31m\n."), Contains("\\x1b"));
}

TEST_CASE("opcodes outside of the list are refused by name and offset") {
  for (const auto& [opcode, name] :
       std::vector<std::pair<std::string, std::string>>{{"i", "INST"},
                                                        {"o", "OBJ"},
                                                        {"\x93", "STACK_GLOBAL"},
                                                        {"\x95", "FRAME"},
                                                        {"0", "POP"},
                                                        {"I", "INT"},
                                                        {"\x82", "EXT1"},
                                                        {"\xfe", "unknown"}})
    CHECK_THROWS_WITH(read("\x80\x02N"s + opcode + "."),
                      Contains(name + " (0x") && Contains("at offset 3"));
  CHECK_THROWS_WITH(read("\x80\x04N."s), Contains("protocol 4"));
}

TEST_CASE("a stack that does not fit its opcodes is an error") {
  for (const std::string& pickle : {"."s,
                                    "t."s,
                                    "\x85."s,
                                    "K\x01\x86."s,
                                    "K\x01"s + "K\x01s."s,
                                    "Na."s,
                                    "(N."s,
                                    "NN."s,
                                    "h\x05."s,
                                    "q\x01."s,
                                    "}(Nu."s,
                                    "]NNs."s,
                                    "NQ."s,
                                    "NNR."s,
                                    "N)R."s,
                                    "Nb."s,
                                    "(\x85."s,
                                    "](K\x01"s + "R."s,
                                    "N"s,
                                    ""s,
                                    "c\n"s,
                                    "cos"s,
                                    "\x80"s})
    CHECK_THROWS_AS(read(pickle), UserError);
}

TEST_CASE("nesting, cycles and growth by sharing are bounded") {
  CHECK_NOTHROW(read("N"s + std::string(64, '\x85') + "."));
  CHECK_THROWS_WITH(read("N"s + std::string(65, '\x85') + "."), Contains("64"));
  CHECK_THROWS_WITH(read("N"s + std::string(1'000'000, '\x85') + "."), Contains("64"));
  CHECK_THROWS_WITH(read("]q\x01h\x01" + "a."s), Contains("contain themselves"));
  // Each level doubles the last one.
  std::string doubling = "]";
  for (int i = 0; i < 40; ++i) doubling += "q\x01h\x01\x86"s;
  CHECK_THROWS_WITH(read(doubling + "."), Contains("values"));
  // A megabyte of text, mentioned again and again.
  std::string repeated = "("s + pickled_text(std::string(1'000'000, 'x')) + "q\x01"s;
  for (int i = 0; i < 1000; ++i) repeated += "h\x01"s;
  CHECK_THROWS_WITH(read(repeated + "t."), Contains("text"));
}

TEST_CASE("only texts and integers are keys") {
  CHECK_THROWS_WITH(read("}NNs."s), Contains("key"));
  CHECK_THROWS_WITH(read("})Ns."s), Contains("key"));
  CHECK(read("}K\x01Ns."s).find(1)->is_none());
}

TEST_CASE("data types and devices are kept by name, other names are no values") {
  CHECK(read("ctorch\nfloat16\n."s).get_if<Opaque>()->text == "torch.float16");
  CHECK(read("ctorch\ndevice\n"s + pickled_text("cpu") + "\x85R."s).get_if<Opaque>()->text ==
        "cpu");
  CHECK(read("ctorch\nSize\nK\x02\x85\x85R."s).get_if<Tuple>()->items.size() == 1);
  CHECK_THROWS_WITH(read("ccollections\nOrderedDict\n."s), Contains("used as a value"));
  CHECK_THROWS_WITH(read("ctorch\nfloat16\n)R."s), Contains("called"));
}

TEST_CASE("tensors stay inside their storage") {
  const std::vector<std::pair<std::string, std::string>> storages = {{"0", kSixFloats}};
  const std::string storage = pickled_storage("FloatStorage", "0", 6);
  const auto read_tensor = [&](int offset, const std::vector<int>& shape,
                               const std::vector<int>& strides) {
    const Value value =
        read_file_with(pickled_tensor(storage, offset, shape, strides) + ".", storages);
    touch(value);
    return *value.get_if<TensorView>();
  };
  CHECK(read_tensor(0, {2, 3}, {3, 1}).is_contiguous());
  CHECK(read_tensor(5, {1}, {1}).bytes.size() == 4);
  CHECK(read_tensor(1, {2, 2}, {3, 1}).bytes.size() == 20);
  CHECK(read_tensor(0, {}, {}).shape.empty());
  CHECK(read_tensor(200, {0, 2}, {2, 1}).num_elements() == 0);
  CHECK_THROWS_WITH(read_tensor(0, {7}, {1}), Contains("element 6 of a storage of 6"));
  CHECK_THROWS_WITH(read_tensor(1, {2, 3}, {3, 1}), Contains("REDUCE") && Contains("[2, 3]"));
  CHECK_THROWS_WITH(read_tensor(0, {2, 3}, {3}), Contains("2 extents and 1 strides"));
  // Stride 0 repeats one element; more than the file could hold is refused.
  CHECK(read_tensor(0, {6, 6}, {0, 1}).num_elements() == 36);
  CHECK_THROWS_WITH(read_tensor(0, {255, 255, 255}, {0, 0, 0}), Contains("claim"));
}

TEST_CASE("the extents of many tensors are bounded as values are") {
  const std::vector<int> ones(64, 1);
  const std::string tensor = pickled_tensor(pickled_storage("FloatStorage", "0", 6), 0, ones, ones);
  const auto repeated = [](const std::string& text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += text;
    return result;
  };
  // One tensor, mentioned again and again.
  const auto mentioned = [&](int count) {
    return read_file_with("(" + tensor + "q\x01" + repeated("h\x01", count) + "t.",
                          {{"0", kSixFloats}});
  };
  CHECK_NOTHROW(mentioned(1000));
  CHECK_THROWS_WITH(mentioned(70'000), Contains("values"));
  // A tensor is made again and again of arguments that are remembered.
  const std::size_t end = tensor.rfind('R');
  std::string made = tensor.substr(0, end) + "q\x02R";
  made.insert(made.find('('), "q\x01");
  const auto made_again = [&](int count) {
    return read_file_with("(" + made + repeated("h\x01h\x02R", count) + "t.", {{"0", kSixFloats}});
  };
  CHECK_NOTHROW(made_again(1000));
  CHECK_THROWS_WITH(made_again(130'000), Contains("extents of tensors"));
}

TEST_CASE("storages are what the pickle says") {
  const auto tensor_of = [](const std::string& storage) {
    return pickled_tensor(storage, 0, {1}, {1}) + ".";
  };
  const auto read_one = [&](const std::string& storage_class, const std::string& key, int count,
                            const std::string& content) {
    return read_file_with(tensor_of(pickled_storage(storage_class, key, count)), {{"0", content}});
  };
  CHECK_NOTHROW(read_one("FloatStorage", "0", 6, kSixFloats));
  CHECK_THROWS_WITH(read_one("FloatStorage", "1", 6, kSixFloats), Contains("'1' is missing"));
  CHECK_THROWS_WITH(read_one("FloatStorage", "0", 5, kSixFloats),
                    Contains("24 bytes, its pickle says 20"));
  CHECK_THROWS_WITH(read_one("DoubleStorage", "0", 6, kSixFloats), Contains("48"));
  CHECK_THROWS_WITH(read_one("UntypedStorage", "0", 6, kSixFloats), Contains("UntypedStorage"));
  CHECK_THROWS_WITH(read_one("float32", "0", 6, kSixFloats), Contains("persistent id"));
  const std::string two = "("s +
                          pickled_tensor(pickled_storage("FloatStorage", "0", 6), 0, {1}, {1}) +
                          pickled_tensor(pickled_storage("IntStorage", "0", 6), 0, {1}, {1}) + "t.";
  CHECK_THROWS_WITH(read_file_with(two, {{"0", kSixFloats}}), Contains("declared twice"));
}

TEST_CASE("a persistent id may name a window of its storage") {
  const auto window = [&](int first, int count) {
    return "("s + pickled_text("v") + "K" + static_cast<char>(first) + "K" +
           static_cast<char>(count) + "t";
  };
  const auto read_window = [&](int first, int count) {
    return read_file_with(
        pickled_tensor(pickled_storage("FloatStorage", "0", 6, window(first, count)), 1, {2}, {1}) +
            ".",
        {{"0", kSixFloats}});
  };
  const Value value = read_window(2, 3);
  const TensorView* view = value.get_if<TensorView>();
  CHECK(*reinterpret_cast<const float*>(view->bytes.data()) == 3.0f);
  CHECK_THROWS_WITH(read_window(2, 2), Contains("element 2 of a storage of 2"));
  CHECK_THROWS_WITH(read_window(4, 3), Contains("outside"));
}
