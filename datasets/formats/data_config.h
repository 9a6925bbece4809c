// The settings of a run's data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/fields.h"
#include "datasets/formats/dataset_formats.h"
#include "samples/media_config.h"
#include "text/prompt_template.h"

namespace vllama::datasets {

struct DatasetConfig : samples::MediaConfig {
  std::string name;
  std::string format;
  std::string annotations;
  std::string media_root;
  double weight = 1;
  std::int64_t num_samples = 0;
  std::string image_prefix;
  std::optional<bool> clean_captions = {};  // see cleans_captions()
  std::int64_t max_caption_words = 50;

  // Published captions are cleaned up as the original does it unless the settings say otherwise.
  bool cleans_captions() const {
    const DatasetFormat* known = find_dataset_format(format);
    return clean_captions.value_or(known == nullptr || !known->is_own);
  }

  template <class Visitor>
  void visit(Visitor&& field) {
    field("name", name, "how logs and metrics call the data set", config::Required{});
    field("format", format, "layout of the annotations", config::Required{},
          config::OneOf{dataset_format_names()});
    field(
        "annotations", annotations,
        "annotation file, or folder of CSV files; for webdataset tar shards as in media_root, or a "
        "folder of them",
        config::Path{}, config::Required{});
    field("media_root", media_root,
          "folder that the media paths begin in, or tar shards that hold the media: "
          "media-{000..099}.tar, media-*.tar; none for webdataset",
          config::Path{});
    field("weight", weight, "share of the run's samples, relative to the other data sets",
          config::Range{0.0, 1e9});
    field("num_samples", num_samples,
          "how many of the run's samples come from it, in place of weight; all data sets or none "
          "have it (0: not given)",
          config::Range<std::int64_t>{0, 1'000'000'000'000});
    field("num_frames", num_frames, "frames taken from each video",
          config::Range<std::int64_t>{1, 4096});
    field("sampling", sampling,
          "uniform: evenly spaced by number; uniform_time: evenly spaced in time, which differs "
          "where the frame rate varies; headtail: random, half from each half");
    field(
        "inputs", inputs,
        "what the model is given of the media; auto: frames, for an audio model frames through "
        "ImageBind, the sound of sound files, and for a model with both branches frames and sound");
    field("time_message", time_message,
          "conversations about videos tell the model when the frames were taken");
    field("image_prefix", image_prefix,
          "in front of image file names, as COCO_train2014_ for llava_instruct");
    field("transform", transform, "train: a random crop per sample; eval: the whole picture");
    field("min_crop_scale", min_crop_scale, "smallest share of the area that a crop covers",
          config::Range{0.01, 1.0});
    field("max_crop_scale", max_crop_scale, "largest share of the area that a crop covers",
          config::Range{0.01, 1.0});
    clean_captions = cleans_captions();  // the format was visited above; a dump names the value
    field("clean_captions", clean_captions,
          "captions in lower case, without . ! \" ( ) * # : ; ~, at most max_caption_words; not "
          "given: true, for vllama and webdataset false");
    field("max_caption_words", max_caption_words, "words kept of a cleaned caption",
          config::AtLeast<std::int64_t>{1});
  }
};

// How captions become tokens.
struct CaptionConfig {
  std::string prompt_file;
  std::string prompt_template = "{}";
  std::string end_sign = "\n";
  std::int64_t max_tokens = 32;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("prompt_file", prompt_file,
          "text file of prompts with <ImageHere>, one per line, drawn per sample; empty for none",
          config::Path{});
    field("prompt_template", prompt_template, "text around a prompt, which stands at {}");
    field("end_sign", end_sign, "ends every caption");
    field("max_tokens", max_tokens, "longest caption, end sign included; longer ones lose words",
          config::AtLeast<std::int64_t>{1});
  }
};

// Of prompts: what the language model's folder says it was trained with.
inline constexpr char kAutomaticTemplate[] = "auto";

inline std::vector<std::string> conversation_template_names() {
  std::vector<std::string> names = text::prompt_template_names();
  names.emplace_back(kAutomaticTemplate);
  return names;
}

// How conversations become tokens.
struct ConversationConfig {
  std::string family = "vicuna";
  std::string system = {};
  std::int64_t max_tokens = 512;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("template", family,
          "texts around questions and answers; auto: those that the language model's folder says "
          "it was trained with",
          config::OneOf{conversation_template_names()});
    field("system", system,
          "system text of all conversations, for templates that take one; empty: that of the "
          "template, if it has one");
    field("max_tokens", max_tokens,
          "longest conversation, media included; longer ones lose turns, then the end of an answer",
          config::AtLeast<std::int64_t>{1});
  }
};

struct LoaderConfig {
  std::int64_t num_workers = 4;
  std::int64_t queue_depth = 4;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("num_workers", num_workers, "threads that decode; 0 decodes in the training thread",
          config::Range<std::int64_t>{0, 1024});
    field("queue_depth", queue_depth, "micro-batches that may be ready or under way",
          config::Range<std::int64_t>{1, 1024});
  }
};

// From which data sets the samples of a step come.
enum class MixingRule { per_step, within_step };
constexpr auto names_of(MixingRule) {
  return config::EnumNames<MixingRule, 2>{
      {{MixingRule::per_step, "per_step"}, {MixingRule::within_step, "within_step"}}};
}

struct DataConfig {
  std::vector<DatasetConfig> sets;
  CaptionConfig captions;
  ConversationConfig conversations;
  media::VideoOptions video;
  samples::AudioClipConfig sound;
  samples::CompatPreset compat = samples::CompatPreset::none;
  LoaderConfig loader;
  std::string index_folder;
  MixingRule mixing = MixingRule::per_step;
  bool shuffle = true;
  bool interleave = false;
  double max_broken_share = 0.1;

  samples::MediaSettings media_settings() const { return {video, sound, compat, interleave}; }

  template <class Visitor>
  void visit(Visitor&& field) {
    field("sets", sets, "the data sets", config::Required{});
    field("captions", captions, "captions as tokens");
    field("conversations", conversations, "conversations as tokens");
    field("video", video, "decoding of videos");
    field("sound", sound, "sound as clips");
    field("compat", compat,
          "reference: texts, pixels and sound as the Python original makes them, defects included");
    field("interleave", interleave, samples::kInterleaveHelp);
    field("loader", loader, "worker threads");
    field("index_folder", index_folder,
          "folder of this node's disk that keeps the indexes of annotations and shards, made once "
          "and shared by all its processes; empty: one per user below the temporary folder",
          config::Path{});
    field("mixing", mixing,
          "per_step: all samples of a step come from one data set, the same on all ranks; "
          "within_step: they come from all data sets, on each rank as many of each");
    field("shuffle", shuffle, "false takes the samples in file order");
    field("max_broken_share", max_broken_share,
          "the run stops when more than this share of the samples is broken",
          config::Range{0.0, 1.0});
  }
};

}  // namespace vllama::datasets
