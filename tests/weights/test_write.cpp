// What is written is read back, and a failed write changes nothing.
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/pth/pth_reader.h"
#include "weights/pth/zip_reader.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;

namespace {

Map training_state() {
  Map state;
  state.set(std::int64_t{0}, to_map({{"step", at::full({}, 20.0, at::kFloat)},
                                     {"exp_avg", at::arange(6, at::kFloat).view({2, 3})}}));
  Map group;
  group.set("lr", 1e-4);
  group.set("betas", Tuple{{0.9, 0.999}});
  group.set("foreach", Value());
  group.set("amsgrad", false);
  group.set("params", List{0, 1, 2});
  Map optimizer;
  optimizer.set("state", std::move(state));
  optimizer.set("param_groups", List{std::move(group)});
  Map top;
  top.set("model", to_map({{"w", at::arange(4, at::kHalf)}, {"ids", at::arange(3)}}));
  top.set("optimizer", std::move(optimizer));
  top.set("empty", List{});
  top.set("nothing", Map{});
  top.set("no_items", Tuple{});
  top.set("text", "naïve 文");
  top.set("large", std::int64_t{-1} << 40);
  top.set("scaler", Value());
  top.set("epoch", 1);
  return top;
}

// The system's reason when a process that may write 64 KiB per file calls `write`.
std::string failure_of_limited(const std::function<void()>& write) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit limit = {65536, 65536};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::string message = "no failure";
    try {
      write();
    } catch (const RunFailure& failure) {
      message = failure.what();
    }
    const ssize_t ignored = ::write(ends[1], message.data(), message.size());
    _exit(ignored > 0 ? 0 : 1);
  }
  ::close(ends[1]);
  std::string message(4096, '\0');
  const ssize_t length = ::read(ends[0], message.data(), message.size());
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  message.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return message;
}

}  // namespace

TEST_CASE("a checkpoint tree comes back as it was written") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "checkpoint_1.pth";
  write_pth(path, training_state());
  const Value read = read_pth(path);
  const Value written = training_state();
  REQUIRE(read.get_if<Map>()->size() == written.get_if<Map>()->size());
  for (const auto& [key, value] : written.get_if<Map>()->entries())
    CHECK(read.find(key)->type_name() == value.type_name());
  CHECK(*read.find("large")->get_if<std::int64_t>() == std::int64_t{-1} << 40);
  CHECK(*read.find("text")->get_if<std::string>() == "naïve 文");
  const Value& group = (*read.find("optimizer")->find("param_groups")->get_if<List>())[0];
  CHECK(*group.find("lr")->get_if<double>() == 1e-4);
  CHECK(*group.find("betas")->get_if<Tuple>()->items[1].get_if<double>() == 0.999);
  const Value* state = read.find("optimizer")->find("state")->find(0);
  REQUIRE(state != nullptr);
  CHECK(to_tensor(*state->find("exp_avg")->get_if<TensorView>())
            .equal(at::arange(6, at::kFloat).view({2, 3})));
  CHECK(state->find("step")->get_if<TensorView>()->shape.empty());
}

TEST_CASE("views from another file are written as storages of their own") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "copy.pth";
  const Value samples = read_pth(golden_file("checkpoint/samples.pth"));
  write_pth(path, samples);
  const Value copy = read_pth(path);
  for (const auto& [name, value] : samples.find("model")->get_if<Map>()->entries()) {
    INFO(key_text(name));
    const TensorView* view = copy.find("model")->find(name)->get_if<TensorView>();
    CHECK(view->is_contiguous());
    CHECK(to_tensor(*view).equal(to_tensor(*value.get_if<TensorView>())));
  }
}

TEST_CASE("every member starts at a multiple of 64 and has a true checksum") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.pth";
  write_pth(path, training_state());
  const auto file = MappedFile::open(path);
  const auto members = read_zip_directory(file->bytes(), "a.pth");
  CHECK(members.size() == 7);
  CHECK(members[0].name == "a/data.pkl");
  for (const ZipMember& member : members) CHECK(member.offset % 64 == 0);
  CHECK(file->text().substr(members.back().offset, 2) == "3\n");
}

TEST_CASE("what cannot be stored is refused") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(write_pth(folder.path() / "a.pth", Opaque{"torch.float16"}),
                    Contains("torch.float16"));
  CHECK_THROWS_AS(write_safetensors(folder.path() / "a", {{"__metadata__", at::arange(1)}}),
                  UserError);
  CHECK_THROWS_AS(
      write_safetensors(folder.path() / "a", {{"c", at::full({1}, 1, at::kComplexFloat)}}),
      UserError);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a full disk keeps the old file and leaves nothing behind") {
  const TemporaryFolder folder;
  const at::Tensor large = at::full({100'000}, 1.0, at::kFloat);
  for (const char* name : {"a.pth", "a.safetensors"}) {
    const auto path = folder.path() / name;
    write_bytes(path, "old");
    const std::string message = failure_of_limited([&] {
      if (path.extension() == ".pth") {
        write_pth(path, to_map({{"w", large}}));
      } else {
        write_safetensors(path, {{"w", large}});
      }
    });
    CHECK_THAT(message, Contains(path.string()) && Contains("File too large"));
    CHECK(read_file(path) == "old");
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

// Needs 8.6 GB of disk: run by hand with test_checkpoint "[zip64]".
TEST_CASE("files beyond 4 GiB are written in zip64 form", "[.][zip64]") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "large.pth";
  const at::Tensor large = at::full({(std::int64_t{1} << 32) + 100}, 7, at::kByte);
  write_pth(path, to_map({{"a", large}, {"b", at::arange(5)}}));
  const Value read = read_pth(path);
  CHECK(read.find("a")->get_if<TensorView>()->num_elements() == large.numel());
  CHECK(to_tensor(*read.find("b")->get_if<TensorView>()).equal(at::arange(5)));
}
