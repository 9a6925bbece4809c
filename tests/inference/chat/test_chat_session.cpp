#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/files.h"
#include "inference/chat/chat_session.h"
#include "tests/inference/chat/tiny_chat_model.h"

using namespace vllama;
using Catch::Contains;

namespace {

struct Session {
  test::TemporaryFolder folder;
  inference::OpenedModel opened = test::tiny_chat_model(folder, "vision");
  inference::ModelChat conversation{opened, {}, {.max_new_tokens = 5}};
  std::function<bool()> stop_requested = [] { return false; };

  std::string operator()(const std::string& lines) {
    std::istringstream input(lines);
    std::ostringstream output;
    inference::ChatSession(opened, conversation, {}, stop_requested)
        .run(inference::lines_of(input, output, ""), output);
    return output.str();
  }
};

}  // namespace

TEST_CASE("answers appear as they are made, and can be stopped") {
  Session session;
  session.conversation.set_config({.max_new_tokens = 40});
  int num_asked = 0;
  session.stop_requested = [&] { return ++num_asked == 4; };
  const std::string output = session("Hello?\nHello again?\n/quit\nnever asked\n");
  CHECK_THAT(output, Contains(" [stopped]\n") && Contains("max_new_tokens = 40"));
  REQUIRE(session.conversation.turns().size() == 2);
  CHECK(session.conversation.turns()[0].reply.answer.num_new_tokens == 3);
  CHECK(session.conversation.turns()[1].reply.answer.num_new_tokens == 40);
  CHECK_THAT(output, Contains(session.conversation.turns()[1].reply.text));
}

TEST_CASE("commands: help, parameters, reset, and mistakes that end nothing") {
  Session session;
  CHECK_THAT(session("/help\n"), Contains("/open FILE") && Contains("/save!"));
  CHECK_THAT(session("/params max_new_tokens=3 do_sample=true\n/params\n"),
             Contains("max_new_tokens: 3") && Contains("do_sample: true"));
  CHECK(session.conversation.config().max_new_tokens == 3);
  for (const char* mistake : {"max_new_tokens=0", "colour=red", "num_beams=4", "temperature"})
    session("/params " + std::string(mistake) + "\n");
  CHECK(session.conversation.config().max_new_tokens == 3);
  CHECK(session.conversation.config().num_beams == 1);
  CHECK_THAT(session("/fly\n"), Contains("/help"));
  CHECK_THAT(session("/params do_sample=false temperature=0.5 top_p=0.3 length_penalty=2\n"),
             Contains("Note: temperature has no effect: do_sample is false") &&
                 Contains("Note: top_p has no effect") &&
                 Contains("Note: length_penalty has no effect: num_beams is 1") &&
                 !Contains("top_k has no effect"));
  CHECK_THAT(session("/params do_sample=true temperature=0.7\n"), !Contains("no effect"));
  CHECK_THAT(session("/params\n"), !Contains("no effect"));
  CHECK_THAT(session("/open\n/open absent.jpg\n"), Contains("needs a file") && Contains("absent"));
  CHECK(session.conversation.turns().empty());
  session("Hello?\n\n   \n/reset\n");
  CHECK(session.conversation.turns().empty());
}

TEST_CASE("a chat is saved as JSON, and no file replaced unasked") {
  Session session;
  const std::string file = session.folder.path() / "chat.json";
  CHECK_THAT(session("Hello?\n/save " + file + "\n"), Contains("Wrote"));
  const auto saved = nlohmann::json::parse(read_file(file));
  CHECK(saved["turns"][0]["question"] == "Hello?");
  CHECK(saved["turns"][0]["answer"] == session.conversation.turns()[0].reply.text);
  CHECK_THAT(session("Again?\n/save " + file + "\n"), Contains("exists"));
  CHECK(nlohmann::json::parse(read_file(file)) == saved);
  CHECK_THAT(session("/save! " + file + "\n"), Contains("Replaced"));
  CHECK(nlohmann::json::parse(read_file(file))["turns"].size() == 2);
  CHECK_THAT(session("/save\n/save " + session.folder.path().string() + "\n/save /absent/a.json\n"),
             Contains("needs a file") && Contains("is a folder") && Contains("/absent"));
}
