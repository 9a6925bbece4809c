// vllama convert: rewrites a data set of any known format in our own, as a file or as tar shards.
#include "datasets/convert/convert.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/error.h"
#include "datasets/convert/write_shards.h"
#include "datasets/formats/open_dataset.h"
#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

struct ConvertArguments {
  datasets::DatasetConfig source;
  std::string output, shards;
  std::int64_t shard_size_bytes = std::int64_t{1} << 30;
};

void print(std::string_view title, const tables::EntryTally& entries) {
  if (entries.total() == 0) return;
  std::cout << entries.total() << " " << title << "\n";
  for (const auto& [reason, count] : entries.count_of_reason())
    std::cout << "  " << count << " " << reason << "\n";
  std::cout << "  first: " << entries.listed().front().place << " "
            << entries.listed().front().detail << "\n";
}

void convert(const ConvertArguments& arguments) {
  const auto dataset = datasets::open_dataset(arguments.source);
  if (!arguments.output.empty()) {
    tables::EntryTally missing;
    std::cout << datasets::convert(*dataset, arguments.source.media_root, arguments.output,
                                   &missing)
              << " converted to " << arguments.output << "\n";
    print("of them name media that are not there, and would be skipped; look at --media-root",
          missing);
  } else {
    const auto written =
        datasets::write_shards(*dataset, arguments.shards, arguments.shard_size_bytes);
    std::cout << fmt::format("{} converted to {} shards of together {:.1f} MB in {}\n",
                             written.num_records, written.num_shards,
                             static_cast<double>(written.num_bytes) / 1e6, arguments.shards);
    print("media missing, left out", written.left_out);
  }
  print("invalid, left out", dataset->invalid());
  print("odd, kept", dataset->doubtful());
}

}  // namespace

void add_convert(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "convert", "Rewrite a data set in vllama's own format, as a file or as tar shards.");
  command->footer(
      "Example:\n  vllama convert --format llava_instruct --annotations "
      "llava_instruct_150k.json --media-root coco/train2014 --image-prefix "
      "COCO_train2014_ --output llava.jsonl\n"
      "  vllama convert --format webvid --annotations webvid/annotations \\\n"
      "    --media-root webvid/videos --shards webvid_shards\n\n"
      "The formats are described in docs/data_format.md.");
  const auto arguments = std::make_shared<ConvertArguments>();
  datasets::DatasetConfig& source = arguments->source;
  command->add_option("--format", source.format, "of the annotations, as data.sets.N.format")
      ->required();
  command->add_option("--annotations", source.annotations, "annotation file or folder")->required();
  command->add_option("--media-root", source.media_root,
                      "folder that the media paths begin in, or the shards that hold the media; "
                      "use the same with an OUT.jsonl");
  CLI::Option_group* target = command->add_option_group("target");
  target->add_option("--output", arguments->output,
                     "OUT.jsonl: annotations alone; the media stay where they are");
  CLI::Option* shards = target->add_option("--shards", arguments->shards,
                                           "new folder: tar shards with annotations and media");
  target->require_option(1);
  command
      ->add_option("--shard-size-bytes", arguments->shard_size_bytes,
                   "a shard ends in front of the record that would make it larger")
      ->check(CLI::PositiveNumber)
      ->needs(shards)
      ->capture_default_str();
  command->add_option("--image-prefix", source.image_prefix,
                      "in front of image file names, for llava_instruct");
  command->callback([arguments] {
    arguments->source.name = arguments->source.format;
    convert(*arguments);
  });
}

}  // namespace vllama::tools
