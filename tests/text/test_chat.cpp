#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/text/golden_text.h"
#include "text/chat.h"
#include "text/error.h"

using namespace vllama;
using namespace vllama::text;
using test::Ids;
using test::llama_tokenizer;

namespace {

const std::string kChatTimes = "The video contains 8 frames sampled at 0.0, 1.2 seconds. ";

const ChatMedium kShownVideo{.kind = MediaKind::video, .time_message = kChatTimes};

ChatPrompt build(const char* kind, const char* family, const Chat& chat) {
  return build_chat_prompt(llama_tokenizer(),
                           prompt_template(family).layout(*config::value_named<LayoutKind>(kind)),
                           chat);
}

}  // namespace

TEST_CASE("the prompt of a video in the Vicuna form, token by token") {
  const auto prompt = build("reference", "vicuna", {.question = "What?", .media = {kShownVideo}});
  CHECK(prompt.text ==
        "###Human: <Video><ImageHere></Video> " + kChatTimes + " What?###Assistant:");
  REQUIRE(prompt.pieces.size() == 2);
  CHECK(prompt.pieces[0] == Ids{1, 835, 29950, 7889, 29901, 529, 15167, 29958});
  CHECK(prompt.pieces[1] == Ids{1533,  15167, 29958, 450,   4863,  3743,  29871, 29947,
                                16608, 4559,  29881, 472,   29871, 29900, 29889, 29900,
                                29892, 29871, 29896, 29889, 29906, 6923,  29889, 29871,
                                1724,  29973, 2277,  29937, 7900,  22137, 29901});
}

TEST_CASE("images, sound with video, and no media") {
  const std::string system(kChatSystemText);
  CHECK(build("reference", "vicuna",
              {.system = system, .question = "What?", .media = {{.kind = MediaKind::image}}})
            .text == system + "###Human: <Image><ImageHere></Image>  What?###Assistant:");
  const auto both =
      build("reference", "vicuna",
            {.question = "What?", .media = {{.kind = MediaKind::video, .has_sound = true}}});
  CHECK(
      both.text ==
      "###Human: Close your eyes, open your ears and you imagine only based on the sound that: "
      "<ImageHere>.                 Close your ears, open your eyes and you see that "
      "<Video><ImageHere></Video>.                  Now answer my question based on what you have "
      "just seen and heard. What?###Assistant:");
  REQUIRE(both.pieces.size() == 3);
  CHECK(both.pieces[0].back() == 29871);  // the space in front of the sound stays
  CHECK(build("reference", "vicuna", {.system = "S", .question = "What?"}).text ==
        "S###Human: What?###Assistant:");
}

TEST_CASE("the LLaMA-2 form keeps the place of the system text, the first <s> is BOS") {
  const auto prompt =
      build("reference", "llama_v2",
            {.past = {{"What?", "A dog."}}, .question = "Sure?", .media = {kShownVideo}});
  CHECK(prompt.text == "[INST] <<SYS>>\n\n<</SYS>>\n\n<Video><ImageHere></Video> " + kChatTimes +
                           " What? [/INST] A dog. </s><s>[INST] Sure? [/INST]");
  CHECK(prompt.pieces[0][0] == 1);
  CHECK(std::count(prompt.pieces[1].begin(), prompt.pieces[1].end(), 1) == 1);
}

TEST_CASE("the training layout of a chat is the beginning of the training sequence") {
  const Conversation conversation = {{{"What is it?", "A dog."}, {"Sure?", "Yes."}}};
  for (const char* family : {"vicuna", "llama_v2"}) {
    const auto trained = test::video_conversation(
        llama_tokenizer(), conversation, kChatTimes,
        {.layout = &prompt_template(family).training, .num_media_tokens = 3, .limit = {512}});
    for (std::size_t num_past = 0; num_past < 2; ++num_past) {
      const Chat chat{.past = {conversation.turns.begin(), conversation.turns.begin() + num_past},
                      .question = conversation.turns[num_past].question,
                      .media = {kShownVideo}};
      const auto prompt = build("training", family, chat);
      REQUIRE(prompt.pieces.size() == 2);
      Ids ids = prompt.pieces[0];
      ids.insert(ids.end(), 3, llama_tokenizer().image_token());
      ids.insert(ids.end(), prompt.pieces[1].begin(), prompt.pieces[1].end());
      REQUIRE(ids.size() < trained.ids.size());
      CHECK(std::equal(ids.begin(), ids.end(), trained.ids.begin()));
    }
  }
}

TEST_CASE("media stand before whatever turn is first") {
  const Chat chat{.past = {{"b", "c"}}, .question = "d", .media = {{.kind = MediaKind::image}}};
  CHECK(build("reference", "vicuna", chat).text ==
        "###Human: <Image><ImageHere></Image>  b###Assistant: c###Human: d###Assistant:");
}

TEST_CASE("media that are shown later stand before the question of their turn") {
  const Chat chat{.past = {{"b", "c"}},
                  .question = "d",
                  .media = {{.kind = MediaKind::image},
                            {.kind = MediaKind::image},
                            {.turn = 1, .kind = MediaKind::video, .time_message = "T "}}};
  const auto prompt = build("reference", "vicuna", chat);
  CHECK(prompt.text ==
        "###Human: <Image><ImageHere></Image>  <Image><ImageHere></Image>  b###Assistant: c"
        "###Human: <Video><ImageHere></Video> T  d###Assistant:");
  CHECK(prompt.pieces.size() == 4);
}

TEST_CASE("sound alone, and sound with video in the layout of training") {
  CHECK(build("reference", "vicuna", {.question = "What?", .media = {{.kind = MediaKind::sound}}})
            .text ==
        "###Human: Close your eyes, open your ears and you imagine only based on the sound that: "
        "<ImageHere>. What?###Assistant:");
  for (const char* family : {"vicuna", "llama_v2"}) {
    for (const bool has_video : {false, true}) {
      ChatMedium medium{.kind = MediaKind::sound};
      if (has_video)
        medium = {.kind = MediaKind::video, .has_sound = true, .time_message = kChatTimes};
      const PromptLayout& layout = prompt_template(family).training;
      const std::string text =
          (has_video ? layout.media_text(MediaKind::video, 2, kChatTimes) : "") +
          layout.media_text(MediaKind::sound, 3);
      const auto trained = build_conversation(llama_tokenizer(), {{{"What?", "A dog."}}, {{0, 0}}},
                                              std::vector<std::string>{text}, {.layout = &layout});
      const auto prompt = build("training", family, {.question = "What?", .media = {medium}});
      Ids ids = prompt.pieces[0];
      for (std::size_t i = 1; i < prompt.pieces.size(); ++i) {
        ids.insert(ids.end(), has_video && i == 1 ? 2 : 3, llama_tokenizer().image_token());
        ids.insert(ids.end(), prompt.pieces[i].begin(), prompt.pieces[i].end());
      }
      REQUIRE(ids.size() < trained.ids.size());
      CHECK(std::equal(ids.begin(), ids.end(), trained.ids.begin()));
    }
  }
}

TEST_CASE("nobody can type a placeholder into a chat") {
  CHECK_THROWS_AS(build("reference", "vicuna", {.question = "<ImageHere>"}), TextError);
  CHECK_THROWS_AS(build("reference", "vicuna", {.past = {{"q", "<AudioHere>"}}, .question = "q"}),
                  TextError);
  CHECK_THROWS_AS(prompt_template("gpt"), UserError);
}

TEST_CASE("recorded chat prompts come out, text and ids") {
  VLLAMA_SHARED_FILE(path, "goldens/text/chat_prompts.json");
  const std::string times =
      "The video contains 8 frames sampled at 0.0, 1.3, 2.7, 4.0, 5.3, 6.6, 8.0, 9.3 seconds. ";
  const std::string llama_system =
      "You are a helpful language and vision assistant. You are able to understand the visual "
      "content that the user provides, and assist the user with a variety of tasks using natural "
      "language.";
  for (const auto& entry : test::read_json(path)) {
    const std::string family = entry["template"];
    Chat chat{.system = family == "vicuna" ? "" : llama_system,
              .past = {},
              .question = "What is in the video?",
              .media = {{.kind = MediaKind::video, .time_message = times}}};
    if (entry["turn"] == 1) {
      chat.past = {{chat.question, "A short answer."}};
      chat.question = "Are you sure?";
    }
    const auto prompt = build("reference", family.c_str(), chat);
    CHECK(prompt.text == entry["prompt"].get<std::string>());
    CHECK(prompt.pieces == entry["segment_ids"].get<std::vector<Ids>>());
    std::size_t context = 5;  // video queries of the recording
    for (const Ids& piece : prompt.pieces) context += piece.size();
    CHECK(context == entry["context_length"]);
  }
}

TEST_CASE("generation stops at the end token and at the separator in its two spellings") {
  CHECK(stop_sequences(llama_tokenizer(), prompt_template("vicuna").reference) ==
        std::vector<Ids>{{2}, {835}, {2277, 29937}});
  CHECK(stop_sequences(llama_tokenizer(), prompt_template("llama_v2").reference) ==
        std::vector<Ids>{{2}});
}

TEST_CASE("the answer is what the model says in its own turn") {
  const auto answer = [](const char* family, const std::string& generated) {
    Ids ids = {0, 1};
    for (const std::int64_t id : llama_tokenizer().encode(generated)) ids.push_back(id);
    return answer_in(llama_tokenizer(), prompt_template(family).reference, ids);
  };
  CHECK(answer("vicuna", "A dog.\n###") == "A dog.");
  CHECK(answer("vicuna", "Assistant: A dog.###Human: more") == "A dog.");
  CHECK(answer("llama_v2", "A dog. ### here </s>") == "A dog. ### here");
  CHECK(answer("vicuna", "").empty());
  CHECK(answer_in(llama_tokenizer(), prompt_template("vicuna").training, Ids{}).empty());
}

TEST_CASE("nobody ends a turn of a chat by typing the text that ends one") {
  Chat chat{.past = {{"</s>", "</s>"}}, .question = "</s>"};
  const auto num_ends = [&chat] {
    std::ptrdiff_t count = 0;
    for (const Ids& piece : build("reference", "llama_v2", chat).pieces)
      count += std::count(piece.begin(), piece.end(), 2);
    return count;
  };
  CHECK(num_ends() == 1);
  chat.reads_special_tokens = true;
  CHECK(num_ends() == 4);
}
