// vllama chat from outside: answers, mistakes, and Ctrl-C.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/files.h"
#include "tests/tools/chat_world.h"

using namespace vllama;
using Catch::Contains;

namespace {

void wait_for_file(const std::filesystem::path& file) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!std::filesystem::exists(file)) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

TEST_CASE("chat: questions about a clip, as text and as JSON") {
  const test::ChatWorld world;
  const std::string questions = world.chat() + "--frames 3 --video '" + world.clip.string() +
                                "' --prompt 'What is it?' --prompt 'Sure?' --max-new-tokens 5 ";
  const auto text = test::run_program(questions + "2>/dev/null");
  CHECK(text.status == 0);
  const auto json = test::run_program(questions + "--json");
  REQUIRE(json.status == 0);
  const auto chat = nlohmann::json::parse(json.output.substr(json.output.find("{\n")));
  CHECK(chat["chat"]["template"] == "reference");
  CHECK(chat["media"][0]["kind"] == "video");
  CHECK(chat["media"][0]["frame_times_seconds"].size() == 3);
  REQUIRE(chat["turns"].size() == 2);
  CHECK(chat["turns"][0]["question"] == "What is it?");
  CHECK(chat["turns"][1]["new_tokens"] == 5);
  CHECK_THAT(text.output, Contains(chat["turns"][0]["answer"].get<std::string>()));
  CHECK_THAT(test::run_program(questions + "--top-p 0.5").output,
             Contains("top_p has no effect: do_sample is false"));
  const auto again = test::run_program(questions + "--json --template training");
  CHECK_THAT(again.output, Contains("\"template\": \"training\""));
}

TEST_CASE("chat: mistakes say what to change, and end with 2") {
  const test::ChatWorld world;
  const std::string chat = world.chat(), ask = " --prompt x";
  write_file_atomically(world.path("text.jpg"), "no picture");
  const auto expect = [&](const std::string& arguments, const std::string& message) {
    INFO(arguments);
    const auto outcome = test::run_program(arguments);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.output, Contains(message));
  };
  expect(chat + "--video absent.mp4" + ask, "absent.mp4");
  expect(chat + "--image '" + world.path("text.jpg").string() + "'" + ask, "cannot show the image");
  expect(chat + "--audio '" + world.clip.string() + "'" + ask, "no audio branch");
  expect(chat + "--json", "--prompt");
  expect(chat + "--temperature 0" + ask, "temperature");
  expect(chat + "--num-beams 2 --do-sample" + ask, "num_beams");
  expect(chat + "--max-new-tokens 1000000" + ask, "max_new_tokens");
  expect(chat + "--frames 4000 --video '" + world.clip.string() + "'" + ask, "max_frame_positions");
  expect("chat absent --prompt x", "absent");
  CHECK_THAT(test::run_program("chat --help").output,
             Contains("Example:") && Contains("--max-new-tokens") && Contains("--no-sound"));
}

TEST_CASE("chat: Ctrl-C stops the answer and not the program") {
  const test::ChatWorld world;
  const auto pipe = world.path("lines");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  test::BackgroundProgram program(world.chat() + "--max-new-tokens 250 <'" + pipe.string() + "'");
  const int lines = ::open(pipe.c_str(), O_WRONLY);
  REQUIRE(lines >= 0);
  const auto type = [&](const std::string& text) {
    REQUIRE(::write(lines, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  type("/save " + world.path("ready.json").string() + "\n");
  wait_for_file(world.path("ready.json"));
  const auto stopped = world.path("stopped.json"), ended = world.path("ended.json");
  type("Hello?\n/save " + stopped.string() + "\n");
  for (int i = 0; i < 60000 && !std::filesystem::exists(stopped); ++i) {
    program.signal(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  type("Again?\n/save " + ended.string() + "\n");
  wait_for_file(ended);
  ::close(lines);
  CHECK(program.wait() == 0);
  CHECK(nlohmann::json::parse(read_file(stopped))["turns"][0]["end"] == "cancelled");
  CHECK(nlohmann::json::parse(read_file(ended))["turns"][1]["new_tokens"] >= 1);
}
