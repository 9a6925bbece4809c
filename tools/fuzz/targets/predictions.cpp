// predictions.jsonl, the file of a model's answers.
#include "eval/scores/prediction.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "predictions.jsonl");
  const auto& path = file.write(Input(data, size).rest());
  answers([&] {
    for (const eval::Prediction& prediction : eval::read_predictions(path))
      eval::parse_prediction(eval::prediction_line(prediction), "again");
  });
  return 0;
}
