// A small model that sees, its configuration, and a clip: what a chat needs.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "tests/inference/chat/tiny_chat_model.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"

namespace vllama::test {

struct ChatWorld {
  TemporaryFolder folder;
  std::filesystem::path clip = folder.path() / "clip.mp4";

  ChatWorld() {
    train::RunConfig config;
    config.model = write_tiny_chat_weights(folder, "vision");
    config.output_dir = path("run");
    config.device = distributed::DeviceChoice::cpu;
    datasets::DatasetConfig clips;
    clips.name = "clips";
    clips.format = "webvid";
    clips.annotations = clips.media_root = folder.path();
    config.data.sets = {clips};
    write_config(config, path("run.yaml"));
    std::filesystem::copy_file(TinyWorld().path("videos/page/clip0.mp4"), clip);
  }

  std::filesystem::path path(const std::string& name) const { return folder.path() / name; }
  std::string chat() const { return fmt::format("chat '{}' ", path("run.yaml").string()); }
};

}  // namespace vllama::test
