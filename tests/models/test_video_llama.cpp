// The complete model on the goldens' weights, in the published file layouts: from texts and images
// to the loss and every gradient.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "checkpoint/write.h"
#include "core/error.h"
#include "core/files.h"
#include "models/load_video_llama.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"
#include "text/prompt.h"

using namespace vllama;
using test::kOutputTolerance;

namespace {

struct Recorded {
  Recorded(const std::filesystem::path& goldens, const std::string& name)
      : tokenizer(goldens / "ckpt/llama/tokenizer.model"),
        model(models::load_video_llama(test::golden_model(goldens / "ckpt"), at::kCPU, 1)),
        golden(goldens / "components" / (name + ".safetensors")),
        texts(nlohmann::json::parse(read_file(goldens / "components/whole_texts.json"))) {
    for (const nn::Parameter& parameter : model->trainable_parameters())
      parameter.tensor->requires_grad_(true);
  }
  text::Tokenizer tokenizer;
  std::unique_ptr<models::VideoLlama> model;
  test::GoldenTensors golden;
  nlohmann::json texts;
};

processors::Batch pack(const Recorded& recorded,
                       const std::vector<text::TokenSequence>& sequences) {
  std::vector<processors::Example> examples;
  for (const text::TokenSequence& sequence : sequences)
    examples.push_back({.id = std::to_string(examples.size()),
                        .media = {{.values = at::zeros({1, 2, 2, 3}, at::kByte), .num_tokens = 5}},
                        .token_ids = sequence.ids,
                        .labels = sequence.labels});
  return processors::pack(examples, recorded.tokenizer.image_token());
}

// The real rows of a right-padded recording, end to end.
at::Tensor unpadded(const at::Tensor& padded, const std::vector<std::int64_t>& lengths) {
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    rows.push_back(padded[static_cast<std::int64_t>(i)].narrow(0, 0, lengths[i]));
  return at::cat(rows);
}

// Compares labels, inputs of the language model, logits, loss and gradients with the recording.
void check(Recorded& recorded, const processors::Batch& batch,
           const models::VideoLlama::MediaEmbeddings& media) {
  const models::VideoLlama& model = *recorded.model;
  const test::GoldenTensors& golden = recorded.golden;
  REQUIRE(test::same_bits(batch.labels_T, unpadded(golden["labels"], batch.sequence_lengths)));
  const at::Tensor inputs_TH = model.spliced_inputs(batch, media).detach();
  CHECK(test::relative_difference(inputs_TH, unpadded(golden["inputs_embeds"],
                                                      batch.sequence_lengths)) < kOutputTolerance);

  const models::Llama& llama = recorded.model->language_model();
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
  const models::VisionBranch& vision = *recorded.model->vision();
  const at::Tensor features = vision.encode_frames(images_BCTHW.transpose(1, 2).flatten(0, 1));
  return {vision.embed_clips(
      features, std::vector<std::int64_t>(images_BCTHW.size(0), images_BCTHW.size(2)))};
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
                                               const text::ConversationTemplate& form) {
  std::vector<text::TokenSequence> sequences;
  for (const auto& sample : recorded.texts["qa"]) {
    text::Conversation conversation;
    for (const auto& turn : sample[0]) conversation.turns.push_back({turn["q"], turn["a"]});
    conversation.media = {{0, 0}};
    const std::string medium = text::video_text(5, sample[1].get<std::string>());
    sequences.push_back(
        text::build_conversation(recorded.tokenizer, conversation, {&medium, 1}, {.form = &form}));
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
  const auto [name, form] =
      GENERATE(std::make_pair("whole_vl_multi_vicuna", &text::kVicunaTemplate),
               std::make_pair("whole_vl_multi_llama_v2", &text::kLlama2Template));
  Recorded recorded(goldens, name);
  const auto batch = pack(recorded, conversations(recorded, *form));
  check(recorded, batch, media_of(recorded, clips["image"]));
}

TEST_CASE("whole model: bf16 stays near fp32, recomputed layers give the same gradients") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  Recorded recorded(goldens, "whole_vl_caption");
  const auto batch = pack(recorded, captions(recorded, 2, {.num_media_tokens = 5}));
  const double fp32_loss = recorded.golden["loss"].item<double>();
  for (const bool recompute : {false, true}) {
    models::ModelConfig config = test::golden_model(goldens / "ckpt");
    config.precision = "bf16";
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
  config.precision = "bf16";
  const auto model = models::load_video_llama(config, at::kCPU, 1);
  nn::ParameterList frozen;
  model->vision()->declare_encoder(frozen);
  model->vision()->declare_image_q_former(frozen);
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
  config.vision.video_q_former.num_queries = 6;
  config.vision.video_q_former.num_layers = 3;
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 1),
                    Contains("init_vl.pth") && Contains("video_query_tokens") &&
                        Contains("video_Qformer.bert.encoder.layer.2.attention.self.query.weight"));
  config = test::golden_model(goldens / "ckpt");
  config.vision.encoder.num_blocks = 6;
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 1),
                    Contains("eva_vit_g_56.pth") && Contains("blocks.5.attn.qkv.weight"));
  CHECK_THROWS_WITH(models::check_vocabulary(test::tiny_llama(31999), 32000, "ckpt/llama"),
                    Contains("32000 pieces") && Contains("31999 rows"));
  CHECK_NOTHROW(models::check_vocabulary(test::tiny_llama(32001), 32000, "ckpt/llama"));
}

TEST_CASE("a position table that fits no square image is refused like any other misshapen tensor") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const test::TemporaryFolder folder;
  const auto source = checkpoint::open_weights(goldens / "ckpt/eva_vit_g_56.pth");
  checkpoint::NamedTensors tensors;
  for (const auto& facts : source->tensors()) tensors[facts.name] = source->read(facts.name);
  tensors["pos_embed"] = at::zeros({1, 16, 48}, at::kHalf);
  models::ModelConfig config = test::golden_model(goldens / "ckpt");
  config.weights.vision_encoder = folder.path() / "odd.safetensors";
  checkpoint::write_safetensors(config.weights.vision_encoder, tensors);
  CHECK_THROWS_AS(models::load_video_llama(config, at::kCPU, 1), UserError);
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 1), Catch::Contains("pos_embed"));
}
