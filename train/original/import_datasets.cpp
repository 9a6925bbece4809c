#include "train/original/import_datasets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace vllama::train {
namespace {

using config::Tree;

// A data set that the original knows by its key.
struct Kind {
  std::string_view key, format;
  bool has_videos, has_conversations;
};

constexpr std::array kKinds = {
    Kind{"webvid", "webvid", true, false},
    Kind{"cc_sbu_align", "cc_sbu_align", false, false},
    Kind{"llava_instruct", "llava_instruct", false, true},
    Kind{"webvid_instruct", "videochat_instruct", true, true},
    Kind{"webvid_instruct_zh", "videochat_instruct", true, true},
};

Tree text_value(std::string text) {
  Tree tree;
  tree.kind = Tree::Kind::scalar;
  tree.scalar = std::move(text);
  return tree;
}

// One data set on its way.
class Set {
 public:
  Set(const Kind& kind, const ReferenceModel& model, ReferenceKeys& keys)
      : kind_(kind), model_(model), keys_(keys), path_(fmt::format("datasets.{}.", kind.key)) {}

  Tree import() {
    set("name", std::string(kind_.key));
    set("format", std::string(kind_.format));
    add_files();
    carry("sample_ratio", "weight");
    add_pixels();
    add_texts();
    keys_.leave_out(path_ + "type", "no effect in the original");
    keys_.leave_out(path_ + "data_type", "no effect: the format says what the media are");
    return std::move(set_);
  }

 private:
  void set(const std::string& key, const std::string& value) {
    set_.child(key) = text_value(value);
  }
  void carry(const std::string& from, const std::string& to) {
    if (const Tree* value = keys_.carry(path_ + from)) set_.child(to) = *value;
  }
  std::string required(const std::string& key) {
    const std::string value = keys_.text(path_ + key, "");
    if (value.empty()) keys_.problem(path_ + key, "is missing");
    return value;
  }

  void add_files() {
    if (kind_.key == "cc_sbu_align") {
      std::string folder = required("build_info.storage");
      while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
      set("annotations", folder + "/filter_cap.json");
      set("media_root", folder + "/image");
    } else {
      set("annotations", required("build_info.anno_dir"));
      set("media_root", required("build_info.videos_dir"));
    }
    if (kind_.key == "llava_instruct") set("image_prefix", "COCO_train2014_");
  }

  void add_pixels() {
    const std::string train = path_ + "vis_processor.train.";
    const std::string prefix = kind_.has_videos ? "alpro_video_" : "blip2_image_";
    const std::string processor = keys_.text(train + "name", prefix + "train");
    const bool augments = processor == prefix + "train";
    if (!augments && processor != prefix + "eval")
      keys_.problem(train + "name",
                    fmt::format("must be '{0}train' or '{0}eval', not '{1}'", prefix, processor));
    if (kind_.has_videos) {
      carry("vis_processor.train.n_frms", "num_frames");
      set("sampling", kind_.key == "webvid" && augments ? "headtail" : "uniform");
    }
    set("transform", augments ? "train" : "eval");
    if (augments) {
      carry("vis_processor.train.min_scale", "min_crop_scale");
      carry("vis_processor.train.max_scale", "max_crop_scale");
    }
    keys_.must_be(train + "image_size", {model_.image_size}, "pictures have the model's size");
    for (const char* key : {"mean", "std"})
      keys_.leave_out(train + key,
                      "not supported: pictures are normalised as the frozen encoder "
                      "was trained");
    keys_.leave_out(train, "no effect on such a data set");
    keys_.leave_out(path_ + "vis_processor.eval.", "no effect in the original: nothing evaluates");
  }

  void add_texts() {
    const std::string texts = path_ + "text_processor.";
    if (kind_.key == "webvid") {
      const std::string processor = keys_.text(texts + "train.name", "");
      if (!processor.empty() && processor != "blip_caption")
        keys_.problem(texts + "train.name",
                      fmt::format("must be 'blip_caption', not '{}'", processor));
      set("clean_captions", processor.empty() ? "false" : "true");
      carry("text_processor.train.max_words", "max_caption_words");
      keys_.leave_out(texts + "train.prompt",
                      "not supported: a prompt in front of captions is data.captions.prompt_file");
    } else if (!kind_.has_conversations) {
      set("clean_captions", "false");
    }
    keys_.leave_out(texts + "eval.", "no effect in the original: nothing evaluates");
    keys_.leave_out(texts, "no effect in the original: these texts are used as they are");
    if (kind_.key == "webvid_instruct" || kind_.key == "webvid_instruct_zh") {
      const std::string type = keys_.text(path_ + "data_type", "video");
      set("time_message", type.find("cn") == std::string::npos ? "true" : "false");
    }
    if (kind_.has_conversations) check_conversations();
  }

  void check_conversations() {
    keys_.must_be(path_ + "num_video_query_token", {model_.num_media_tokens},
                  "the model gives as many embeddings");
    if (!keys_.has(path_ + "tokenizer_name")) return;
    const std::string tokenizer = keys_.text(path_ + "tokenizer_name", "");
    const auto trimmed = [](std::string text) {
      while (text.ends_with('/')) text.pop_back();
      return text;
    };
    if (trimmed(tokenizer) == trimmed(model_.language_model))
      keys_.add_note(path_ + "tokenizer_name",
                     "must be the language model's, as it is: its tokenizer.model is used");
    else
      keys_.problem(path_ + "tokenizer_name",
                    fmt::format("must be the language model's folder '{}', not '{}'",
                                model_.language_model, tokenizer));
  }

  const Kind& kind_;
  const ReferenceModel& model_;
  ReferenceKeys& keys_;
  std::string path_;
  Tree set_;
};

// Either all data sets have a ratio or none.
void check_ratios(const Tree& datasets, ReferenceKeys& keys) {
  const auto has_ratio = [&](const auto& entry) {
    return keys.has(fmt::format("datasets.{}.sample_ratio", entry.first));
  };
  if (std::ranges::none_of(datasets.entries, has_ratio)) return;
  for (const auto& entry : datasets.entries)
    if (!has_ratio(entry))
      keys.problem(fmt::format("datasets.{}.sample_ratio", entry.first),
                   "is missing, while other data sets have one");
}

void add_template(const std::string& key, ReferenceKeys& keys, std::string& conversation_template) {
  const std::string form = keys.text(key, "");
  if (form != "vicuna" && form != "llama_v2")
    keys.problem(key, fmt::format("must be 'vicuna' or 'llama_v2', not '{}'", form));
  else if (!conversation_template.empty() && form != conversation_template)
    keys.problem(key, fmt::format("must be '{}' as for the other data sets, not '{}'",
                                  conversation_template, form));
  conversation_template = form;
}

}  // namespace

Tree import_datasets(const Tree& datasets, const ReferenceModel& model, ReferenceKeys& keys,
                     std::string& conversation_template) {
  Tree sets;
  sets.kind = Tree::Kind::list;
  for (const auto& [key, value] : datasets.entries) {
    const auto kind = std::ranges::find(kKinds, key, &Kind::key);
    const std::string path = "datasets." + key;
    if (kind == kKinds.end()) {
      keys.problem(path,
                   "not supported; supported are webvid, cc_sbu_align, llava_instruct, "
                   "webvid_instruct and webvid_instruct_zh: take it out");
      keys.leave_out(path + ".", "not supported");
      continue;
    }
    sets.items.push_back(Set(*kind, model, keys).import());
    if (kind->has_conversations) add_template(path + ".model_type", keys, conversation_template);
  }
  if (datasets.entries.empty()) keys.problem("datasets", "is missing");
  check_ratios(datasets, keys);
  return sets;
}

}  // namespace vllama::train
