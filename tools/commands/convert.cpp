// vllama convert: rewrites annotations of any known format in our own.
#include "datasets/convert.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "datasets/open_dataset.h"
#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

void print(std::string_view title, const datasets::EntryTally& entries) {
  if (entries.total() == 0) return;
  std::cout << entries.total() << " " << title << "\n";
  for (const auto& [reason, count] : entries.count_of_reason())
    std::cout << "  " << count << " " << reason << "\n";
  std::cout << "  first: " << entries.listed().front().place << " "
            << entries.listed().front().detail << "\n";
}

void convert(const datasets::DatasetConfig& source, const std::string& output) {
  const auto dataset = datasets::open_dataset(source);
  std::cout << datasets::convert(*dataset, source.media_root, output) << " converted to " << output
            << "\n";
  print("invalid, left out", dataset->invalid());
  print("odd, kept", dataset->odd());
}

}  // namespace

void add_convert(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "convert", "Rewrite the annotations of a published data set in vllama's own format.");
  command->footer(
      "Example:\n  vllama convert --format llava_instruct --annotations "
      "llava_instruct_150k.json \\\n    --media-root coco/train2014 --image-prefix "
      "COCO_train2014_ --output llava.jsonl\n\nThe format is described in docs/data_format.md.");
  struct Arguments {
    datasets::DatasetConfig source;
    std::string output;
  };
  const auto arguments = std::make_shared<Arguments>();
  datasets::DatasetConfig& source = arguments->source;
  command->add_option("--format", source.format, "of the annotations, as data.sets.N.format")
      ->required();
  command->add_option("--annotations", source.annotations, "annotation file or folder")->required();
  command
      ->add_option("--media-root", source.media_root,
                   "folder that the media paths begin in; use the same one with the new file")
      ->required();
  command->add_option("--output", arguments->output, "OUT.jsonl")->required();
  command->add_option("--image-prefix", source.image_prefix,
                      "in front of image file names, for llava_instruct");
  command->callback([arguments] {
    arguments->source.name = arguments->source.format;
    convert(arguments->source, arguments->output);
  });
}

}  // namespace vllama::tools
