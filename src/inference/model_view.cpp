#include "inference/model_view.h"

#include <filesystem>

#include "core/files.h"
#include "core/sha256.h"
#include "inference/open_model.h"

namespace vllama::inference {

std::string checkpoint_hash(const std::string& checkpoint) {
  namespace fs = std::filesystem;
  fs::path file = checkpoint;
  for (const char* name : {"manifest.json", "bundle.yaml"})
    if (fs::exists(fs::path(checkpoint) / name)) file = fs::path(checkpoint) / name;
  return sha256(MappedFile::open(file)->text());
}

ModelView view_of(const OpenedModel& opened) {
  return {.model = *opened.model,
          .tokenizer = *opened.tokenizer,
          .chat = opened.chat,
          .media = opened.media,
          .name = opened.origin.path,
          .checkpoint = opened.origin.checkpoint,
          .checkpoint_hash = checkpoint_hash(opened.origin.checkpoint)};
}

}  // namespace vllama::inference
