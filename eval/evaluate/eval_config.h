// Everything an evaluation is told, in one file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/formats/data_config.h"
#include "distributed/device.h"
#include "distributed/distributed_config.h"
#include "eval/tasks/task_config.h"
#include "inference/generate/generation_config.h"

namespace vllama::eval {

// How prompts are laid out: as the model says, or as is said here.
enum class LayoutChoice { of_model, reference, training };
constexpr auto names_of(LayoutChoice) {
  return config::EnumNames<LayoutChoice, 3>{{{LayoutChoice::of_model, ""},
                                             {LayoutChoice::reference, "reference"},
                                             {LayoutChoice::training, "training"}}};
}
// Nothing for that of the model.
inline std::optional<text::LayoutKind> layout_kind(LayoutChoice choice) {
  return config::value_named<text::LayoutKind>(config::name_of(choice));
}

// Where the settings of the model differ from what its checkpoint says.
struct PromptConfig {
  LayoutChoice layout = LayoutChoice::of_model;
  std::string system;
  std::int64_t num_frames = 0;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("template", layout,
          "reference, as the released checkpoints expect prompts, or training; empty: what the "
          "checkpoint was trained with");
    field("system", system, "system text of the reference template");
    field("num_frames", num_frames, "frames taken from a video; 0: as in training",
          config::Range<std::int64_t>{0, 4096});
  }
};

struct EvalConfig {
  std::string output_dir;
  std::string model;
  std::vector<std::string> model_changes;
  distributed::DeviceChoice device = distributed::DeviceChoice::automatic;
  std::int64_t num_threads = 0;
  std::int64_t num_workers = 4;
  std::int64_t batch_size = 8;
  PromptConfig prompt;
  inference::GenerationConfig generation;
  std::vector<TaskConfig> tasks;
  std::vector<datasets::DataConfig> losses;
  std::int64_t num_resamples = 1000;
  std::int64_t num_thumbnails = 300;
  distributed::DistributedConfig distributed;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("output_dir", output_dir, "folder of the results", config::Path{}, config::Required{});
    field("model", model,
          "a bundle, a run's folder (its newest step, or RUN/best), a saved step, or a RUN.yaml "
          "with weights",
          config::Path{}, config::Required{});
    field("model_changes", model_changes,
          "assignments over what the model's configuration says, as "
          "model.vision.frame_positions=interpolated or data.sound.num_clips=4");
    field("device", device, "auto takes a GPU when there is one");
    field("num_threads", num_threads, "threads of CPU mathematics; 0: one per core",
          config::Range<std::int64_t>{0, 1024});
    field("num_workers", num_workers, "threads that decode media",
          config::Range<std::int64_t>{1, 1024});
    field("batch_size", batch_size, "questions that a rank answers at once", positive);
    field("prompt", prompt, "how questions are put");
    field("generation", generation, "how answers are made");
    field("tasks", tasks, "questions to be answered, and by what they are scored");
    field("losses", losses, "data sets whose loss and perplexity are measured");
    field("num_resamples", num_resamples, "resamples of the bootstrap for intervals", positive);
    field("num_thumbnails", num_thumbnails, "media of each task that the report shows pictures of",
          config::AtLeast<std::int64_t>{0});
    field("distributed", distributed, "several ranks");
  }
};

}  // namespace vllama::eval
