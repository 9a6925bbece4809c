#include "eval/tasks/other_media.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"

namespace vllama::eval {
namespace {

struct NamedMedium {
  std::string name;  // in the annotation
  samples::MediaFile file;
};

using MediaByFile = std::map<std::string, NamedMedium>;

// In place of each file the next one of the ring.
MediaByFile replacements(const MediaByFile& media, std::uint64_t seed) {
  if (media.size() < 2)
    throw UserError(
        "media: other needs at least two different files of each kind (video, image, sound) that "
        "questions are about");
  std::vector<std::tuple<std::uint64_t, std::string, std::string>> ring;  // key, name, file
  for (const auto& [file, medium] : media)
    ring.emplace_back(random_key({seed, static_cast<std::uint64_t>(RandomPurpose::other_medium),
                                  fnv1a(medium.name)}),
                      medium.name, file);
  std::ranges::sort(ring);
  MediaByFile next;
  for (std::size_t i = 0; i < ring.size(); ++i)
    next.emplace(std::get<2>(ring[i]), media.at(std::get<2>(ring[(i + 1) % ring.size()])));
  return next;
}

}  // namespace

void show_other_media(std::vector<Question>& questions, std::uint64_t seed) {
  std::map<MediaKind, MediaByFile> media;
  for (const Question& question : questions)
    if (question.medium)
      media[question.medium->kind].emplace(question.medium->source.name(),
                                           NamedMedium{question.expected.video, *question.medium});
  for (auto& [kind, of_kind] : media) of_kind = replacements(of_kind, seed);
  for (Question& question : questions) {
    if (!question.medium) continue;
    const NamedMedium& other = media.at(question.medium->kind).at(question.medium->source.name());
    question.medium = other.file;
    question.expected.shown = other.name;
  }
}

void show_nothing(std::vector<Question>& questions) {
  for (Question& question : questions) {
    question.medium.reset();
    question.expected.shown = kNothingShown;
  }
}

}  // namespace vllama::eval
