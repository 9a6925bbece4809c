// The warning about audio checkpoints that were trained with other embedding scales.
#include <catch2/catch.hpp>

#include "core/files.h"
#include "models/embedding_scale.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using Catch::Matchers::Contains;
using encoders::EmbeddingScale;
using models::other_scale_warning;

TEST_CASE("an audio checkpoint is warned of when its scale is another") {
  const test::TemporaryFolder folder;
  const auto step = folder.path() / "trainable.safetensors";
  write_file_atomically(step, "");
  write_file_atomically(folder.path() / "config.yaml", "model: {audio: {embedding_scale: equal}}");
  CHECK_THAT(other_scale_warning(step, EmbeddingScale::published),
             Contains("trained with embeddings of the scale 'equal'") &&
                 Contains("model.audio.embedding_scale is 'published'"));
  CHECK(other_scale_warning(step, EmbeddingScale::equal).empty());
  CHECK(other_scale_warning(folder.path(), EmbeddingScale::equal).empty());
  CHECK_THAT(other_scale_warning(folder.path(), EmbeddingScale::published), Contains("'equal'"));
  // The original's checkpoints: trained with the published scales.
  const test::TemporaryFolder other;
  CHECK_THAT(other_scale_warning(other.path() / "finetune.pth", EmbeddingScale::equal),
             Contains("set it to published"));
  CHECK(other_scale_warning(other.path() / "finetune.pth", EmbeddingScale::published).empty());
  CHECK(other_scale_warning(other.path() / "unknown.safetensors", EmbeddingScale::equal).empty());
}
