// A saved step whose manifest is right about files that are not: tensors, the run's state, its
// configuration. An input is which files the manifest is wrong about, and the files, with a zero
// byte in between; the tensors come last.
#include "checkpoint/manifest.h"
#include "checkpoint/step_directory.h"
#include "tools/fuzz/input.h"
#include "train/run/run_state.h"
#include "weights/describe.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path folder = [] {
    std::filesystem::create_directories(process_folder() / "step_000012");
    return process_folder() / "step_000012";
  }();
  static InputFile state(folder / "state.json"), config(folder / "config.yaml"),
      tensors(folder / "trainable.safetensors"), manifest_file(folder / "manifest.json");
  Input input(data, size);
  const std::size_t wrong = input.choice(16);
  state.write(input.part());
  config.write(input.part());
  tensors.write(input.rest());
  checkpoint::Manifest manifest{wrong == 1 ? 13 : 12, {}};
  for (const char* name : {"state.json", "config.yaml", "trainable.safetensors"})
    manifest.files[name] = checkpoint::facts_of(*MappedFile::open(folder / name));
  if (wrong == 2) manifest.files["state.json"].crc32 ^= 1;
  if (wrong == 3) manifest.files["trainable.safetensors"].num_bytes += 1;
  if (wrong == 4) manifest.files["missing.json"] = {};
  manifest_file.write(checkpoint::manifest_text(manifest));
  answers([&] { train::read_progress(checkpoint::load_step(folder).contents); });
  answers([&] { checkpoint::load_step_files(folder, {"state.json"}); });
  if (const auto text = checkpoint::read_step_text(folder, "state.json"))
    train::read_state_metrics(*text);
  if (input.is_eighth())
    answers([&] { weights::describe(folder, weights::DescriptionFormat::text); });
  return 0;
}
