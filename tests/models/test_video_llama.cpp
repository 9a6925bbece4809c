// The complete model on the goldens' weights, in the published file layouts: from texts and images
// to the loss and every gradient.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "models/load_video_llama.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"
#include "text/prompt.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "weights/write.h"

using namespace vllama;
using test::kOutputTolerance;

namespace {

models::ModelConfig golden_audio_model(const std::filesystem::path& weights) {
  models::ModelConfig config = test::golden_model(weights);
  config.branches = models::BranchSet::audio;
  config.audio = test::tiny_audio();
  config.audio.embedding_scale = encoders::EmbeddingScale::published;
  config.weights = {.image_bind = weights / "imagebind/imagebind_huge.pth",
                    .language_model = weights / "llama",
                    .audio_checkpoint = weights / "init_al.pth"};
  return config;
}

struct Recorded {
  Recorded(const std::filesystem::path& goldens, const std::string& name)
      : Recorded(goldens, name, test::golden_model(goldens / "ckpt")) {}
  Recorded(const std::filesystem::path& goldens, const std::string& name,
           const models::ModelConfig& config)
      : tokenizer(goldens / "ckpt/llama/tokenizer.model"),
        model(models::load_video_llama(config, at::kCPU, 1)),
        golden(goldens / "components" / (name + ".safetensors")),
        texts(nlohmann::json::parse(read_file(goldens / "components/whole_texts.json"))) {
    for (const nn::Parameter& parameter : model->trainable_parameters())
      parameter.tensor->requires_grad_(true);
  }
  text::SentencePieceTokenizer tokenizer;
  std::unique_ptr<models::VideoLlama> model;
  test::GoldenTensors golden;
  nlohmann::json texts;
};

// Only its number of tokens matters: the embeddings are made from the recorded frames.
samples::MediaInput vision_medium() {
  return {.values = at::zeros({1, 2, 2, 3}, at::kByte), .num_tokens = 5};
}
samples::MediaInput audio_medium() {
  return {.values = at::zeros({1, 2, 2, 3}, at::kByte), .num_tokens = 3};
}

samples::Batch pack(const Recorded& recorded, const std::vector<text::TokenSequence>& sequences,
                    const samples::MediaInput& medium = vision_medium()) {
  std::vector<samples::Example> examples;
  for (const text::TokenSequence& sequence : sequences)
    examples.push_back({.id = std::to_string(examples.size()),
                        .media = {medium},
                        .token_ids = sequence.ids,
                        .labels = sequence.labels});
  return samples::pack(examples, recorded.tokenizer.image_token());
}

// The real rows of a right-padded recording, end to end.
at::Tensor unpadded(const at::Tensor& padded, const std::vector<std::int64_t>& lengths) {
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    rows.push_back(padded[static_cast<std::int64_t>(i)].narrow(0, 0, lengths[i]));
  return at::cat(rows);
}

// Compares labels, inputs of the language model, logits, loss and gradients with the recording.
void check(Recorded& recorded, const samples::Batch& batch,
           const models::VideoLlama::MediaEmbeddings& media) {
  const models::VideoLlama& model = *recorded.model;
  const test::GoldenTensors& golden = recorded.golden;
  REQUIRE(test::same_bits(batch.labels_T, unpadded(golden["labels"], batch.sequence_lengths)));
  const at::Tensor inputs_TH = model.spliced_inputs(batch, media).detach();
  CHECK(test::relative_difference(inputs_TH, unpadded(golden["inputs_embeds"],
                                                      batch.sequence_lengths)) < kOutputTolerance);

  const language::Llama& llama = recorded.model->language_model();
  const at::Tensor logits_TV =
      at::linear(llama.final_norm(llama.hidden(inputs_TH, nn::Segments(batch.sequence_lengths))),
                 llama.head());
  CHECK(test::relative_difference(logits_TV.logsumexp({1}),
                                  unpadded(golden["logits_logsumexp"], batch.sequence_lengths)) <
        kOutputTolerance);
  std::int64_t start = 0;
  for (std::int64_t i = 0; i < batch.size(); ++i) {
    const auto position = golden["first_target_position"][i].item<std::int64_t>();
    CHECK(test::relative_difference(logits_TV[start + position].narrow(0, 0, 2048),
                                    golden["first_target_logits"][i]) < kOutputTolerance);
    start += batch.sequence_lengths[static_cast<std::size_t>(i)];
  }

  const auto targets = static_cast<double>(batch.num_targets);
  const at::Tensor sum = model.loss_given_media(batch, media, nn::Gradients::accumulate);
  CHECK(std::abs(sum.item<double>() / targets - golden["loss"].item<double>()) <
        test::kLossTolerance);
  const nn::ParameterList trainable = recorded.model->trainable_parameters();
  for (const nn::Parameter& parameter : trainable) parameter.tensor->mutable_grad().div_(targets);
  CHECK(golden.check_gradients(trainable, "grad.") == 58);
}

models::VideoLlama::MediaEmbeddings media_of(const Recorded& recorded,
                                             const at::Tensor& images_BCTHW) {
  const models::Branch& vision = recorded.model->branches().front();
  const at::Tensor features = vision.encode_prepared(0, images_BCTHW.transpose(1, 2).flatten(0, 1));
  return {
      vision.embed(features, models::Branch::Media(images_BCTHW.size(0), images_BCTHW.size(2)))};
}

std::vector<text::TokenSequence> captions(const Recorded& recorded, std::size_t count,
                                          const text::CaptionLayout& layout,
                                          const text::CaptionPrompt* prompt = nullptr) {
  std::vector<text::TokenSequence> sequences;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string caption = recorded.texts["captions"][i];
    sequences.push_back(prompt == nullptr
                            ? text::build_caption(recorded.tokenizer, caption, layout)
                            : text::build_caption(recorded.tokenizer, caption, layout, *prompt));
  }
  return sequences;
}

std::vector<text::TokenSequence> conversations(const Recorded& recorded,
                                               const text::PromptLayout& form,
                                               std::int64_t num_media_tokens = 5) {
  std::vector<text::TokenSequence> sequences;
  for (const auto& sample : recorded.texts["qa"]) {
    text::Conversation conversation;
    for (const auto& turn : sample[0]) conversation.turns.push_back({turn["q"], turn["a"]});
    conversation.media = {{0, 0}};
    const std::string medium =
        form.media_text(MediaKind::video, num_media_tokens, sample[1].get<std::string>());
    sequences.push_back(text::build_conversation(recorded.tokenizer, conversation, {&medium, 1},
                                                 {.layout = &form}));
  }
  return sequences;
}

}  // namespace

TEST_CASE("whole model: captions of clips") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  Recorded recorded(goldens, "whole_vl_caption");
  const auto batch = pack(recorded, captions(recorded, 2, {.num_media_tokens = 5}));
  check(recorded, batch, media_of(recorded, recorded.golden["image"]));
}

TEST_CASE("whole model: captions of images, one-frame videos") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  Recorded recorded(goldens, "whole_vl_caption_image");
  const auto batch = pack(recorded, captions(recorded, 3, {.num_media_tokens = 5}));
  check(recorded, batch, media_of(recorded, recorded.golden["image"].unsqueeze(2)));
}

TEST_CASE("whole model: captions behind a prompt") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  Recorded recorded(goldens, "whole_vl_caption_prompt");
  const test::GoldenTensors images(goldens / "components/whole_vl_caption_image.safetensors");
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "prompts.txt", recorded.texts["prompt"].get<std::string>());
  const auto prompts = text::read_caption_prompts(
      folder.path() / "prompts.txt", recorded.texts["prompt_template"].get<std::string>());
  const text::CaptionLayout layout{.num_media_tokens = 5,
                                   .end_sign = recorded.texts["end_sym"],
                                   .limit = {.max_tokens = recorded.texts["max_txt_len"]}};
  const auto batch = pack(recorded, captions(recorded, 3, layout, &prompts.at(0)));
  check(recorded, batch, media_of(recorded, images["image"].unsqueeze(2)));
}

TEST_CASE("whole model: conversations about clips, both templates") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const test::GoldenTensors clips(goldens / "components/whole_vl_caption.safetensors");
  const auto [name, family] = GENERATE(std::make_pair("whole_vl_multi_vicuna", "vicuna"),
                                       std::make_pair("whole_vl_multi_llama_v2", "llama_v2"));
  Recorded recorded(goldens, name);
  const auto batch =
      pack(recorded, conversations(recorded, text::prompt_template(family).training));
  check(recorded, batch, media_of(recorded, clips["image"]));
}

TEST_CASE("whole model: the audio branch seeing clips, captions and conversations") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const std::string name = GENERATE("whole_al_caption", "whole_al_multi_vicuna");
  Recorded recorded(goldens, name, golden_audio_model(goldens / "ckpt"));
  const auto sequences = name == "whole_al_caption"
                             ? captions(recorded, 2, {.num_media_tokens = 3})
                             : conversations(recorded, text::prompt_template("vicuna").training, 3);
  const auto batch = pack(recorded, sequences, audio_medium());
  const test::GoldenTensors clips(goldens / "components/whole_al_caption.safetensors");
  const at::Tensor frames_BTHWC = clips["image_u8"];
  const samples::MediaGroup group{
      .values = frames_BTHWC.flatten(0, 1),
      .extents = std::vector<samples::MediaExtent>(frames_BTHWC.size(0), frames_BTHWC.size(1)),
      .dropout_keys = {},
      .positions_M = {}};
  check(recorded, batch, {recorded.model->media_embeddings(0, group)});
}

TEST_CASE("whole model: both branches from two checkpoints, a video with its sound") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  models::ModelConfig config = test::golden_model(goldens / "ckpt");
  const auto only_vision = models::load_video_llama(config, at::kCPU, 1);
  const models::ModelConfig audio_config = golden_audio_model(goldens / "ckpt");
  const auto only_audio = models::load_video_llama(audio_config, at::kCPU, 1);
  config.branches = models::BranchSet::vision_and_audio;
  config.audio = audio_config.audio;
  config.weights.image_bind = audio_config.weights.image_bind;
  config.weights.audio_checkpoint = audio_config.weights.audio_checkpoint;
  const auto both = models::load_video_llama(config, at::kCPU, 1);
  CHECK(both->trainable_parameters().size() == 2 * 58);

  samples::Example example;
  example.id = "clip with sound";
  const std::int64_t side = config.vision.encoder.as<encoders::EvaVitConfig>().image_size;
  example.media = {
      {.values = test::random_tensor({4, side, side, 3}, 1).mul(40).to(at::kByte), .num_tokens = 5},
      {.kind = MediaKind::sound,
       .encoder = 2,
       .values = test::random_tensor({8, 1, 128, 204}, 2),
       .num_tokens = 3}};
  example.token_ids = {1, 400};
  example.token_ids.insert(example.token_ids.end(), 5, 32000);
  example.token_ids.push_back(500);
  example.token_ids.insert(example.token_ids.end(), 3, 32000);
  example.token_ids.insert(example.token_ids.end(), {600, 700});
  example.labels.assign(example.token_ids.size(), text::kIgnoredLabel);
  example.labels.back() = 700;
  const auto batch = samples::pack(std::span(&example, 1), 32000);
  const auto media = both->media_embeddings(batch);
  CHECK(test::same_bits(media[0], only_vision->media_embeddings(0, batch.media[0])));
  CHECK(test::same_bits(media[2], only_audio->media_embeddings(1, batch.media[2])));
  const at::Tensor inputs_TH = both->spliced_inputs(batch, media);
  CHECK(test::same_bits(inputs_TH.narrow(0, 2, 5), media[0]));
  CHECK(test::same_bits(inputs_TH.narrow(0, 8, 3), media[2]));
  CHECK(std::isfinite(both->loss(batch, 0, nn::Gradients::accumulate).item<double>()));
}

TEST_CASE("whole model: bf16 stays near fp32, recomputed layers give the same gradients") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  Recorded recorded(goldens, "whole_vl_caption");
  const auto batch = pack(recorded, captions(recorded, 2, {.num_media_tokens = 5}));
  const double fp32_loss = recorded.golden["loss"].item<double>();
  for (const bool recompute : {false, true}) {
    models::ModelConfig config = test::golden_model(goldens / "ckpt");
    config.precision = models::Precision::bf16;
    config.recompute_layers = recompute;
    Recorded half(goldens, "whole_vl_caption");
    half.model = models::load_video_llama(config, at::kCPU, 1);
    for (const nn::Parameter& parameter : half.model->trainable_parameters())
      parameter.tensor->requires_grad_(true);
    const auto media = media_of(half, recorded.golden["image"].to(at::kBFloat16));
    const at::Tensor sum = half.model->loss_given_media(batch, media, nn::Gradients::accumulate);
    // bf16 keeps 8 bits: 2^-8 a rounding, of which the loss averages many.
    CHECK(std::abs(sum.item<double>() / static_cast<double>(batch.num_targets) - fp32_loss) <
          0x1p-6 * fp32_loss);
    for (const nn::Parameter& parameter : half.model->trainable_parameters())
      CHECK(parameter.tensor->grad().scalar_type() == at::kFloat);
  }
}

TEST_CASE("the frozen part holds no autograd state, in the precision asked for") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  models::ModelConfig config = test::golden_model(goldens / "ckpt");
  config.precision = models::Precision::bf16;
  const auto model = models::load_video_llama(config, at::kCPU, 1);
  nn::ParameterList frozen;
  model->branches().front().declare_encoders(frozen);
  model->branches().front().declare_resampler(frozen);
  model->language_model().declare(frozen);
  for (const nn::Parameter& parameter : frozen) {
    CHECK_FALSE(parameter.tensor->requires_grad());
    CHECK(parameter.tensor->scalar_type() == at::kBFloat16);
  }
}

TEST_CASE("weight files that do not fit are refused with every name") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  using Catch::Contains;
  models::ModelConfig config = test::golden_model(goldens / "ckpt");
  config.vision.q_former.num_queries = 6;
  config.vision.q_former.num_layers = 3;
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 1),
                    Contains("init_vl.pth") && Contains("video_query_tokens") &&
                        Contains("video_Qformer.bert.encoder.layer.2.attention.self.query.weight"));
  config = test::golden_model(goldens / "ckpt");
  config.vision.encoder.as<encoders::EvaVitConfig>().num_blocks = 6;
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 1),
                    Contains("eva_vit_g_56.pth") && Contains("blocks.5.attn.qkv.weight"));
  CHECK_THROWS_WITH(models::check_vocabulary(test::tiny_llama(31999), 32000, 256, "ckpt/llama"),
                    Contains("32000 pieces") && Contains("31999 rows"));
  CHECK_NOTHROW(models::check_vocabulary(test::tiny_llama(32001), 32000, 256, "ckpt/llama"));
}

TEST_CASE("a position table that fits no square image is refused like any other misshapen tensor") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const test::TemporaryFolder folder;
  const auto source = weights::open_weights(goldens / "ckpt/eva_vit_g_56.pth");
  weights::NamedTensors tensors;
  for (const auto& facts : source->tensors()) tensors[facts.name] = source->read(facts.name);
  tensors["pos_embed"] = at::zeros({1, 16, 48}, at::kHalf);
  models::ModelConfig config = test::golden_model(goldens / "ckpt");
  config.weights.vision_encoder = folder.path() / "odd.safetensors";
  weights::write_safetensors(config.weights.vision_encoder, tensors);
  CHECK_THROWS_AS(models::load_video_llama(config, at::kCPU, 1), UserError);
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 1), Catch::Contains("pos_embed"));
}
