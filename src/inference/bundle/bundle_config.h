// bundle.yaml: what a bundle holds, with every path relative to its folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/fields.h"
#include "inference/chat_settings.h"
#include "models/model_config.h"
#include "samples/media_config.h"

namespace vllama::inference {

inline constexpr const char* kBundleFile = "bundle.yaml";

// A weight file of the bundle, as it was when the bundle was made.
struct BundledFile {
  std::string file;
  std::string original;
  std::int64_t num_bytes = 0;
  std::string sample;
  std::string sha256;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("file", file, "path in the bundle", config::Required{});
    field("original", original, "where it was when the bundle was made");
    field("num_bytes", num_bytes, "its size", config::Required{}, config::AtLeast<std::int64_t>{0});
    field("sample", sample, "hash of its size and of pieces of it", config::Required{});
    field("sha256", sha256, "SHA-256 of all of it", config::Required{});
  }
};

// Where the trained part comes from.
struct BundleSource {
  std::string checkpoint;
  std::int64_t step = 0;
  std::string program;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("checkpoint", checkpoint, "saved step or configuration");
    field("step", step, "optimizer steps behind it; 0: not known");
    field("program", program, "version that made the bundle");
  }
};

struct BundleConfig {
  std::int64_t format = 1;
  models::ModelConfig model;
  std::string trained = "trained.safetensors";
  ChatSettings chat;
  samples::MediaSettings media;
  std::vector<BundledFile> files;
  BundleSource source;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("format", format, "version of this layout", config::Required{},
          config::Range<std::int64_t>{1, 1});
    field("model", model, "model");
    field("trained", trained, "everything that is not in the base weights", config::Required{});
    field("chat", chat, "how the model is talked to");
    field("media", media, "what the model is given of media");
    field("files", files, "weights and tokenizer", config::Required{});
    field("source", source, "where the trained part comes from");
  }
};

bool is_bundle(const std::filesystem::path& path);

// Reads bundle.yaml; `overrides` ("chat.num_frames=4") go over it. All paths of the result are
// plain paths below the folder, still relative. Throws UserError naming file, line and key.
BundleConfig read_bundle_config(const std::filesystem::path& folder,
                                const std::vector<std::string>& overrides = {});

}  // namespace vllama::inference
