#include "toy_world/files/write_world.h"

#include <fmt/format.h>

#include <set>

#include "core/error.h"
#include "media/write_video.h"
#include "toy_world/files/annotations.h"
#include "toy_world/files/media_bytes.h"
#include "toy_world/files/question_rows.h"
#include "toy_world/scene/phrases.h"

namespace vllama::toy {
namespace fs = std::filesystem;
namespace {

class World {
 public:
  World(const fs::path& folder, const WorldConfig& config) : folder_(folder), config_(config) {}

  std::vector<FileJob> media() const;
  std::vector<FileJob> annotations() const;

 private:
  void add_clips(Split split, std::int64_t count, std::vector<FileJob>& jobs) const;
  void add_long_clips(int seconds, std::vector<FileJob>& jobs) const;
  void add_images(std::vector<FileJob>& jobs) const;
  void add_sounds(Split split, std::int64_t count, std::vector<FileJob>& jobs) const;
  void add_recipes(std::vector<FileJob>& jobs) const;
  void add_test(Split split, const std::string& name, std::vector<FileJob>& jobs) const;
  void add_sound_test(std::vector<FileJob>& jobs) const;
  void add_joint_test(std::vector<FileJob>& jobs) const;
  void add_long_tests(std::vector<FileJob>& jobs) const;

  FileJob annotation(const std::string& name, std::function<std::string()> text) const {
    return {folder_ / "annotations" / name, std::move(text)};
  }

  fs::path folder_;
  WorldConfig config_;
};

std::vector<FileJob> World::media() const {
  std::vector<FileJob> jobs;
  add_clips(Split::train_videos, config_.num_videos, jobs);
  add_images(jobs);
  add_clips(Split::test_seen, config_.num_test, jobs);
  add_clips(Split::test_unseen, config_.num_test, jobs);
  add_sounds(Split::train_sounds, config_.num_sounds, jobs);
  add_sounds(Split::test_sounds, config_.num_test, jobs);
  add_clips(Split::movers, config_.num_movers, jobs);
  add_clips(Split::one_sounds, config_.num_test, jobs);
  for (const int seconds : kLongSeconds) add_long_clips(seconds, jobs);
  return jobs;
}

void World::add_clips(Split split, std::int64_t count, std::vector<FileJob>& jobs) const {
  for (std::int64_t i = 0; i < count; ++i)
    jobs.push_back({folder_ / "videos" / folder_of(split) / (clip_name(split, i) + ".mp4"),
                    [seed = config_.seed, split, i] {
                      return clip_bytes(scene_of(seed, split, i), static_cast<int>(kClipSeconds));
                    }});
}

void World::add_long_clips(int seconds, std::vector<FileJob>& jobs) const {
  for (std::int64_t i = 0; i < config_.num_long; ++i)
    jobs.push_back(
        {folder_ / "videos" / long_folder(seconds) / (long_clip_name(seconds, i) + ".mp4"),
         [seed = config_.seed, seconds, i] {
           return clip_bytes(scene_of(seed, Split::long_clips, i), seconds);
         }});
}

void World::add_images(std::vector<FileJob>& jobs) const {
  for (std::int64_t i = 0; i < config_.num_images; ++i)
    jobs.push_back({folder_ / "images" / folder_of(Split::train_images) / (image_name(i) + ".jpg"),
                    [seed = config_.seed, i] {
                      const Still still = still_of(seed, i);
                      return image_bytes(still.scene, still.time);
                    }});
}

void World::add_sounds(Split split, std::int64_t count, std::vector<FileJob>& jobs) const {
  // Readers of AudioCaps look for <name>_<start>.
  for (std::int64_t i = 0; i < count; ++i)
    jobs.push_back(
        {folder_ / "sounds" / folder_of(split) / (clip_name(split, i) + "_0.wav"),
         [seed = config_.seed, split, i] { return sound_bytes(scene_of(seed, split, i)); }});
}

std::vector<FileJob> World::annotations() const {
  std::vector<FileJob> jobs;
  add_recipes(jobs);
  add_test(Split::test_seen, "seen", jobs);
  add_test(Split::test_unseen, "unseen", jobs);
  add_sound_test(jobs);
  add_joint_test(jobs);
  if (config_.num_long > 0) add_long_tests(jobs);
  return jobs;
}

void World::add_recipes(std::vector<FileJob>& jobs) const {
  const WorldConfig& c = config_;
  jobs.push_back(annotation("webvid.csv",
                            [c] { return webvid_csv(c.seed, Split::train_videos, c.num_videos); }));
  jobs.push_back(annotation("chat.json", [c] { return cc595k_chat_json(c.seed, c.num_images); }));
  jobs.push_back(
      annotation("filter_cap.json", [c] { return filter_cap_json(c.seed, c.num_images); }));
  for (const Denials denials : {Denials::kept, Denials::made_yes}) {
    const std::string name = denials == Denials::kept ? "instruct" : "only_yes";
    jobs.push_back(annotation("llava_" + name + ".json", [c, denials] {
      return llava_instruct_json(c.seed, c.num_images, denials);
    }));
    jobs.push_back(annotation("videochat_" + name + ".json", [c, denials] {
      return videochat_json(c.seed, c.num_videos, denials);
    }));
  }
  jobs.push_back(annotation("videochat_time.json", [c] {
    return videochat_time_json(c.seed, Split::train_videos, c.num_videos);
  }));
  if (c.num_movers > 0) {
    jobs.push_back(annotation(
        "movers.json", [c] { return videochat_time_json(c.seed, Split::movers, c.num_movers); }));
    jobs.push_back(
        annotation("movers.csv", [c] { return webvid_csv(c.seed, Split::movers, c.num_movers); }));
  }
  if (c.num_sounds > 0) {
    jobs.push_back(annotation(
        "audiocaps.csv", [c] { return audiocaps_csv(c.seed, Split::train_sounds, c.num_sounds); }));
    jobs.push_back(annotation("sound_dialogues.jsonl", [c] {
      return sound_dialogues_jsonl(c.seed, Split::train_sounds, c.num_sounds);
    }));
  }
}

void World::add_test(Split split, const std::string& name, std::vector<FileJob>& jobs) const {
  const AskedMedia clips{config_.seed, split, config_.num_test,
                         [split](std::int64_t i) { return clip_name(split, i) + ".mp4"; },
                         split != Split::test_unseen};
  jobs.push_back(annotation(fmt::format("captions_{}.csv", name),
                            [clips] { return webvid_csv(clips.seed, clips.split, clips.count); }));
  jobs.push_back(annotation(fmt::format("questions_{}.jsonl", name), [clips] {
    return question_rows(clips, kVisualTypes, Use::questions);
  }));
  jobs.push_back(annotation(fmt::format("hearing_{}.jsonl", name),
                            [clips] { return question_rows(clips, kAudibleTypes, Use::hearing); }));
  jobs.push_back(
      annotation(fmt::format("probes_{}.jsonl", name), [clips] { return probe_rows(clips); }));
  jobs.push_back(annotation(fmt::format("activitynet_{}_q.json", name),
                            [clips] { return activitynet_files(clips).questions; }));
  jobs.push_back(annotation(fmt::format("activitynet_{}_a.json", name),
                            [clips] { return activitynet_files(clips).answers; }));
}

void World::add_sound_test(std::vector<FileJob>& jobs) const {
  static constexpr Split kSplit = Split::test_sounds;
  const AskedMedia sounds{config_.seed, kSplit, config_.num_test,
                          [](std::int64_t i) { return clip_name(kSplit, i) + "_0.wav"; }};
  jobs.push_back(annotation("audiocaps_test.csv", [sounds] {
    return audiocaps_csv(sounds.seed, sounds.split, sounds.count);
  }));
  jobs.push_back(annotation("hearing_sounds.jsonl", [sounds] {
    return question_rows(sounds, kAudibleTypes, Use::hearing, Medium::sound);
  }));
}

void World::add_joint_test(std::vector<FileJob>& jobs) const {
  static constexpr std::string_view kTypes[] = {"heard_colour", "source", "colour"};
  static constexpr Split kSplit = Split::one_sounds;
  const AskedMedia clips{config_.seed, kSplit, config_.num_test,
                         [](std::int64_t i) { return clip_name(kSplit, i) + ".mp4"; }};
  jobs.push_back(annotation("questions_one_sounds.jsonl",
                            [clips] { return question_rows(clips, kTypes, Use::joint); }));
}

void World::add_long_tests(std::vector<FileJob>& jobs) const {
  static constexpr std::string_view kTypes[] = {"direction", "order"};
  for (const int seconds : kLongSeconds) {
    const AskedMedia clips{
        config_.seed, Split::long_clips, config_.num_long,
        [seconds](std::int64_t i) { return long_clip_name(seconds, i) + ".mp4"; }};
    jobs.push_back(annotation(fmt::format("questions_{}.jsonl", long_folder(seconds)),
                              [clips] { return question_rows(clips, kTypes, Use::questions); }));
  }
}

void make_folders(const std::vector<FileJob>& jobs) {
  std::set<fs::path> folders;
  for (const FileJob& job : jobs) folders.insert(job.path.parent_path());
  for (const fs::path& folder : folders) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
      throw UserError(
          fmt::format("the folder '{}' cannot be created: {}", folder.string(), error.message()));
  }
}

}  // namespace

WrittenFiles write_world(const fs::path& folder, const WorldConfig& config, int num_workers,
                         const ReportProgress& report) {
  check_sizes(config);
  media::require_video_encoders(true);
  claim_folder(folder, config);
  const World world(folder, config);
  const auto media = world.media(), annotations = world.annotations();
  make_folders(media);
  make_folders(annotations);
  // Annotations come last: where they are, the media they speak of are, too.
  const auto new_media = unfinished(media), new_annotations = unfinished(annotations);
  run_jobs(new_media, num_workers, report);
  run_jobs(new_annotations, num_workers, [](std::int64_t, std::int64_t) {});
  const std::size_t num_written = new_media.size() + new_annotations.size();
  return {num_written, media.size() + annotations.size() - num_written};
}

}  // namespace vllama::toy
