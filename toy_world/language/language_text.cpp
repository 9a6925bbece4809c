#include "toy_world/language/language_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "text/time_message.h"
#include "text/tokenizers/tokenizer.h"
#include "toy_world/scene/choice.h"

namespace vllama::toy {
namespace {

constexpr float kOtherWordsWeight = 0.2F;  // against 1 for the word that decides an answer
constexpr std::size_t kMaxTurns = 6;
constexpr int kNumDrillNouns = 5;

// Scenes in order come more often than in the world: their questions are learned last.
constexpr SceneRules kScenes{
    .pairs = Pairs::all, .form_weights = {2, 1, 2}, .min_shapes = 1, .max_shapes = 3};

constexpr text::PromptLayout kDrillLayout = {
    .between_turns = " ",
    .before_answer = " Assistant: ",
    .after_answer = "###",
};

const text::PromptLayout& usual_layout() {
  return text::prompt_template("vicuna").training;
}

std::string media_text(RandomStream& random, Style style, std::int64_t num_tokens) {
  const bool is_usual = random.uniform() < 0.7;
  const std::size_t usual = style == Style::picture ? 1 : style == Style::heard ? 2 : 0;
  switch (is_usual ? usual : static_cast<std::size_t>(random.below(4))) {
    case 0: {
      if (random.uniform() < 0.9) return usual_layout().media_text(MediaKind::video, num_tokens);
      std::vector<std::int64_t> frames(8);
      for (std::size_t i = 0; i < frames.size(); ++i)
        frames[i] = static_cast<std::int64_t>(4 * i + random.below(4));
      return usual_layout().media_text(MediaKind::video, num_tokens, text::time_message(frames, 4));
    }
    case 1:
      return usual_layout().media_text(MediaKind::image, num_tokens);
    case 2:
      return usual_layout().media_text(MediaKind::sound, num_tokens);
    default: {
      std::string bare;
      for (std::int64_t i = 0; i < num_tokens; ++i) bare += text::kImagePlaceholder;
      return bare + " ";
    }
  }
}

// A text under construction: turns, and for each what decides its answer.
struct Draft {
  Style style;
  std::string description, sound_description;
  std::vector<text::Turn> turns;
  std::vector<std::optional<QuestionAnswer>> asked;  // none: a description was asked for
  std::size_t num_shapes;
};

void add(Draft& draft, const QuestionAnswer& asked) {
  draft.turns.push_back({asked.question, asked.answer});
  draft.asked.push_back(asked);
}

void add_description(Draft& draft, const Described& described, RandomStream& random) {
  const std::string answer =
      described.style == Style::picture ? described.text : caption(described.scene, random);
  draft.turns.push_back({request_of_description(random), answer + "."});
  draft.asked.push_back({});
}

Style any_style(RandomStream& random) {
  const double style = random.uniform();
  return style < 0.40   ? Style::caption
         : style < 0.70 ? Style::keywords
         : style < 0.85 ? Style::picture
                        : Style::heard;
}

Draft draw_dialogue(RandomStream& random, Style style) {
  const Described described = describe(random, style);
  Draft draft{style, described.text, described.sound_text, {}, {}, described.scene.shapes.size()};
  const std::size_t num_turns = 2 + random.below(kMaxTurns - 1);
  while (draft.turns.size() < num_turns) {
    if (style != Style::heard && style != Style::both && random.uniform() < 0.06)
      add_description(draft, described, random);
    else if (const auto asked = ask(described.scene, one_of(random, described.types), random))
      add(draft, *asked);
  }
  return draft;
}

// `count` shapes of distinct kinds.
Scene drill_scene(RandomStream& random, std::size_t count) {
  std::vector<int> kinds(kNumKinds);
  std::iota(kinds.begin(), kinds.end(), 0);
  shuffle(random, kinds);
  Scene scene{};
  scene.form = Form::still;
  for (std::size_t i = 0; i < count; ++i) {
    Shape shape{};
    shape.kind = static_cast<Kind>(kinds[i]);
    shape.colour = static_cast<Colour>(random.below(kNumColours));
    shape.is_large = random.below(2) == 1;
    scene.shapes.push_back(shape);
  }
  return scene;
}

Draft draw_drill(const TextMixture& mixture, RandomStream& random) {
  const Scene scene = drill_scene(random, 1 + random.below(kNumDrillNouns));
  std::string description;
  if (random.below(2) == 0) {
    description = joined(nouns(scene));
  } else {
    for (const std::string& noun : nouns(scene))
      description += (description.empty() ? "" : "; ") + noun;
  }
  Draft draft{Style::keywords, description, "", {}, {}, scene.shapes.size()};
  while (draft.turns.size() < kMaxTurns)
    if (const auto asked = ask(scene, one_of(random, mixture.drilled), random)) add(draft, *asked);
  return draft;
}

// Leaves one shape of the scene its sound, and describes that. A branch that has never heard
// anything says of a sound what it would say of a picture, so that half of the texts do the same:
// the kind is right, the rest is not.
std::string describe_one_sound(Scene& scene, RandomStream& random) {
  const Shape& sounding = leave_one_sound(scene, random);
  Scene other =
      draw_scene(random, {.pairs = Pairs::all, .form_weights = {1, 1, 0}, .max_shapes = 1});
  other.shapes[0].kind = sounding.kind;
  return random.below(2) == 0 ? heard(other) : caption(other, random);
}

SceneRules scenes_of(Style style) {
  SceneRules rules = kScenes;
  if (style == Style::both) {
    rules.form_weights = {1, 1, 0};
    rules.min_shapes = 2;
  }
  return rules;
}

// What stands in the places of media: a description and, behind it, that of the sound beside it.
struct MediaTokens {
  std::vector<std::int64_t> ids;
  std::int64_t num_seen, num_heard;
};

MediaTokens encode_media(const text::Tokenizer& tokenizer, const std::string& description,
                         const std::string& sound_description) {
  auto ids = tokenizer.encode(description);
  const auto sound = tokenizer.encode(sound_description);
  const auto num_seen = static_cast<std::int64_t>(ids.size());
  ids.insert(ids.end(), sound.begin(), sound.end());
  return {std::move(ids), num_seen, static_cast<std::int64_t>(sound.size())};
}

std::string clip_text(const MediaTokens& tokens) {
  const std::string video = usual_layout().media_text(MediaKind::video, tokens.num_seen);
  return tokens.num_heard == 0
             ? video
             : video + usual_layout().media_text(MediaKind::sound, tokens.num_heard);
}

std::int64_t only_token(const text::Tokenizer& tokenizer, const std::string& word) {
  const auto ids = tokenizer.encode(word);
  if (ids.size() != 1)
    throw UserError(fmt::format("the tokenizer splits '{}'; give it more pieces", word));
  return ids[0];
}

// Puts the tokens of the descriptions in the places of the media.
void write_description(Document& document, const std::vector<std::int64_t>& description,
                       std::int64_t placeholder) {
  for (std::size_t i = 0; i < document.ids.size(); ++i)
    if (document.ids[i] == placeholder) document.described.push_back(i);
  VLLAMA_ASSERT(document.described.size() == description.size(), "a place for each token");
  for (std::size_t i = 0; i < description.size(); ++i)
    document.ids[document.described[i]] = description[i];
}

// Answers are stretches of learned tokens, apart from marks in front of questions, which are short.
void find_decisions(Document& document, const Draft& draft, const text::Tokenizer& tokenizer) {
  constexpr std::size_t kMarkLength = 2;
  std::size_t turn = 0;
  for (std::size_t i = 0; i < document.ids.size();) {
    std::size_t end = i;
    while (end < document.ids.size() && document.weights[end] > 0) ++end;
    if (end - i > kMarkLength) {
      VLLAMA_ASSERT(turn < draft.asked.size(), "an answer for each question");
      if (const auto& asked = draft.asked[turn++]) {
        const auto first = document.ids.begin() + static_cast<std::ptrdiff_t>(i);
        const auto last = document.ids.begin() + static_cast<std::ptrdiff_t>(end);
        const auto found = std::find(first, last, only_token(tokenizer, asked->word));
        VLLAMA_ASSERT(found != last, "an answer holds the word that decides it");
        const auto token = static_cast<std::size_t>(found - document.ids.begin());
        document.weights[token] = 1;
        document.decisions.push_back({asked->type, draft.num_shapes, token});
      }
    }
    i = end + 1;
  }
  VLLAMA_ASSERT(turn == draft.asked.size(), "an answer for each question");
}

Document lay_out(const text::Tokenizer& tokenizer, const Draft& draft, const std::string& medium,
                 const std::vector<std::int64_t>& description, const text::PromptLayout& form) {
  const text::Conversation conversation{draft.turns, {{0, 0}}};
  const auto sequence = text::build_conversation(
      tokenizer, conversation, std::vector{medium},
      {.layout = &form, .limit = {.max_tokens = 512, .truncation = text::Truncation::cut}});
  Document document;
  document.ids = sequence.ids;
  for (const std::int64_t label : sequence.labels)
    document.weights.push_back(label == text::kIgnoredLabel ? 0 : kOtherWordsWeight);
  write_description(document, description, tokenizer.image_token());
  find_decisions(document, draft, tokenizer);
  return document;
}

// A description and behind it, as in the first stage of training, the caption.
Document make_caption(const text::Tokenizer& tokenizer, RandomStream& random) {
  const Described described =
      describe(random, random.below(3) == 0 ? Style::picture : Style::keywords);
  const auto description = tokenizer.encode(described.text);
  const std::string said =
      described.style == Style::picture ? described.text : caption(described.scene, random);
  const auto sequence =
      text::build_caption(tokenizer, said,
                          {.num_media_tokens = static_cast<std::int64_t>(description.size()),
                           .limit = {.max_tokens = 512}});
  Document document;
  document.ids = sequence.ids;
  for (const std::int64_t label : sequence.labels)
    document.weights.push_back(label == text::kIgnoredLabel ? 0 : kOtherWordsWeight);
  write_description(document, description, tokenizer.image_token());
  return document;
}

Document make_dialogue(const text::Tokenizer& tokenizer, Style style, RandomStream& random) {
  const Draft draft = draw_dialogue(random, style);
  const MediaTokens tokens = encode_media(tokenizer, draft.description, draft.sound_description);
  const std::string media =
      style == Style::both ? clip_text(tokens) : media_text(random, style, tokens.num_seen);
  return lay_out(tokenizer, draft, media, tokens.ids, usual_layout());
}

Document make_drill(const text::Tokenizer& tokenizer, const TextMixture& mixture,
                    RandomStream& random) {
  const Draft draft = draw_drill(mixture, random);
  const auto description = tokenizer.encode(draft.description);
  std::string bare;
  for (std::size_t i = 0; i < description.size(); ++i) bare += text::kImagePlaceholder;
  return lay_out(tokenizer, draft, bare, description, kDrillLayout);
}

}  // namespace

const std::vector<std::string_view>& types_of(Style style) {
  using Types = std::vector<std::string_view>;
  static const Types kAll = [] {
    Types types(std::begin(kVisualTypes), std::end(kVisualTypes));
    types.insert(types.end(), std::begin(kAudibleTypes), std::end(kAudibleTypes));
    return types;
  }();
  static const Types kOfPictures{"colour", "kind",  "size",  "count",  "field", "present",
                                 "bound",  "makes", "sound", "source", "heard"};
  static const Types kOfSounds{"count",  "order", "present",     "makes",       "sound",
                               "source", "heard", "sound_order", "source_order"};
  static const Types kOfBoth{"heard_colour", "source", "sound", "colour", "kind", "bound"};
  switch (style) {
    case Style::picture:
      return kOfPictures;
    case Style::heard:
      return kOfSounds;
    case Style::both:
      return kOfBoth;
    default:
      return kAll;
  }
}

Described describe(RandomStream& random, Style style) {
  Described described{style, "", "", draw_scene(random, scenes_of(style)), types_of(style)};
  Scene& scene = described.scene;
  switch (style) {
    case Style::caption:
      described.text = caption(scene, random);
      break;
    case Style::keywords:
      described.text = keywords(scene, random);
      break;
    case Style::picture: {
      const double time =
          scene.form == Form::order ? one_of(random, scene.shapes).appears + 0.1 : random.uniform();
      described.text = picture_caption(scene, time, random);
      scene = scene.moment(time);
      break;
    }
    case Style::heard:
      described.text = heard(scene);
      if (scene.form == Form::move) scene = scene.moment(0.5);
      break;
    case Style::both:
      described.text = random.below(2) == 0 ? caption(scene, random) : keywords(scene, random);
      described.sound_text = describe_one_sound(scene, random);
      break;
  }
  return described;
}

Document make_document(const text::Tokenizer& tokenizer, const TextMixture& mixture,
                       std::uint64_t key) {
  constexpr double kCaptions = 0.12;
  RandomStream random(key);
  const double draw = random.uniform();
  const bool is_drill = draw < mixture.drills;
  const bool is_blurred = random.uniform() < mixture.blurred;
  const bool is_both = !is_drill && draw < mixture.drills + mixture.both;
  Document document = is_drill  ? make_drill(tokenizer, mixture, random)
                      : is_both ? make_dialogue(tokenizer, Style::both, random)
                      : random.uniform() < kCaptions
                          ? make_caption(tokenizer, random)
                          : make_dialogue(tokenizer, any_style(random), random);
  document.is_blurred = is_blurred;
  return document;
}

std::vector<std::string> sample_texts(std::uint64_t key, std::size_t count) {
  // Marks alone, so that no piece joins a mark with a word.
  std::vector<std::string> texts;
  RandomStream random(key);
  const TextMixture mixture{1, {"colour"}, 0, 0};
  for (std::size_t i = 0; i < count; ++i) {
    const Style style = any_style(random);
    for (const Draft& draft : {draw_dialogue(random, style), draw_drill(mixture, random)}) {
      texts.push_back(draft.description);
      for (const text::Turn& turn : draft.turns) {
        texts.push_back(turn.question);
        texts.push_back(turn.answer);
        texts.insert(texts.end(), {"###Human: ", "###Assistant: ", "Assistant: "});
      }
      texts.push_back(media_text(random, draft.style, 0));
    }
  }
  return texts;
}

Exam draw_exam(RandomStream& random, Style style, std::string_view type) {
  while (true) {
    Described described = describe(random, style);
    if (auto asked = ask(described.scene, type, random))
      return {std::move(described), std::move(*asked)};
  }
}

std::vector<std::int64_t> exam_prompt(const text::Tokenizer& tokenizer, const Exam& exam) {
  const MediaTokens tokens =
      encode_media(tokenizer, exam.described.text, exam.described.sound_text);
  const text::Conversation conversation{{{exam.asked.question, ""}}, {{0, 0}}};
  auto form = usual_layout();
  form.before_answer = "###Assistant:";
  form.after_answer = form.end = "";
  const auto sequence = text::build_conversation(tokenizer, conversation,
                                                 std::vector{clip_text(tokens)}, {.layout = &form});
  Document document;
  document.ids = sequence.ids;
  write_description(document, tokens.ids, tokenizer.image_token());
  return document.ids;
}

}  // namespace vllama::toy
