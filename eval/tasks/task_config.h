// The settings of one task of an evaluation: whose questions, and how they are put.
#pragma once

#include <cstdint>
#include <string>

#include "config/fields.h"
#include "datasets/formats/data_config.h"
#include "eval/tasks/task_formats.h"

namespace vllama::eval {

// A control: of which medium a question is asked.
enum class TaskMedia { own, other, none };
constexpr auto names_of(TaskMedia) {
  return config::EnumNames<TaskMedia, 3>{
      {{TaskMedia::own, "own"}, {TaskMedia::other, "other"}, {TaskMedia::none, "none"}}};
}

// A control: in which order the model is given what it sees or hears.
enum class FrameOrder { in_order, shuffled, reversed };
constexpr auto names_of(FrameOrder) {
  return config::EnumNames<FrameOrder, 3>{{{FrameOrder::in_order, "in_order"},
                                           {FrameOrder::shuffled, "shuffled"},
                                           {FrameOrder::reversed, "reversed"}}};
}

// Which of several options is the answer.
enum class ChooseBy { likelihood, first_named };
constexpr auto names_of(ChooseBy) {
  return config::EnumNames<ChooseBy, 2>{
      {{ChooseBy::likelihood, "likelihood"}, {ChooseBy::first_named, "first_named"}}};
}

// Over the tokens of an option.
enum class OptionScore { mean, sum };
constexpr auto names_of(OptionScore) {
  return config::EnumNames<OptionScore, 2>{
      {{OptionScore::mean, "mean"}, {OptionScore::sum, "sum"}}};
}

struct TaskConfig {
  std::string name;
  std::string format;
  std::string annotations;
  std::string answers;
  std::string media_names;
  std::string split;
  std::string caption_format;
  std::string objects;
  std::string object_names;
  std::string media_root;
  samples::Inputs inputs = samples::Inputs::automatic;
  std::int64_t num_frames = 0;
  TaskMedia media = TaskMedia::own;
  FrameOrder frame_order = FrameOrder::in_order;
  std::uint64_t control_seed = 0;
  std::string prompt;
  std::int64_t max_questions = 0;
  std::int64_t num_candidates = 0;
  ChooseBy choose_by = ChooseBy::likelihood;
  OptionScore option_score = OptionScore::mean;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("name", name, "how reports call the task, and its folder", config::Required{});
    field("format", format, "layout of the annotations", config::Required{},
          config::OneOf{task_format_names()});
    field("annotations", annotations, "annotation file; for mvbench the folder of its JSON files",
          config::Path{}, config::Required{});
    field("answers", answers, "file of the answers, for activitynet_qa and zero_shot_qa",
          config::Path{});
    field("media_names", media_names,
          "youtube_mapping.txt, for msvd_qa and msvd_captions: names of the videos by number",
          config::Path{});
    field("split", split, "which videos of msrvtt_captions: train, validate or test; empty: all");
    field("caption_format", caption_format,
          "for captions: webvid, cc595k, cc_sbu_align, audiocaps, clotho, vllama or webdataset");
    field(
        "objects", objects,
        "for tasks of captions: a row per medium with its objects, as for object_probes; captions "
        "are then searched for objects that are not there (CHAIR)",
        config::Path{});
    field("object_names", object_names,
          "with objects: a line per object with its names, separated by commas", config::Path{});
    field("media_root", media_root, "folder that the media are in, or tar shards", config::Path{});
    field("inputs", inputs,
          "what the model is given of a video; auto: what it has branches for, and the sound of "
          "sound files");
    field("num_frames", num_frames, "frames taken from a video; 0: as prompt.num_frames says",
          config::Range<std::int64_t>{0, 4096});
    field("media", media,
          "a control. own: questions are asked about their medium; other: about that of another "
          "question; none: the language model is asked without a medium");
    field("frame_order", frame_order,
          "a control: in which order the model is given the frames of a video and the clips of a "
          "sound; shuffled by control_seed and the question's id");
    field("control_seed", control_seed,
          "names the draws of media: other and frame_order: shuffled");
    field("prompt", prompt,
          "what the model is asked, with {} where the question stands; empty: the question itself, "
          "or a request for a caption");
    field("max_questions", max_questions, "ask the first so many; 0: all",
          config::AtLeast<std::int64_t>{0});
    field("num_candidates", num_candidates,
          "for tasks of captions: rather than write one, tell the own caption of a medium from "
          "those of others, so many in all; 0: write one",
          config::Range<std::int64_t>{0, 1000});
    field("choose_by", choose_by,
          "for questions with options. likelihood: the likeliest option is the answer; "
          "first_named: the model writes, and the option that it names first is");
    field("option_score", option_score,
          "how likelihoods of options are compared: by the mean or the sum of log p over their "
          "tokens");
  }
};

}  // namespace vllama::eval
