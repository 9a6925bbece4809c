#include "eval/scores/object_probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"

namespace vllama::eval {
namespace {

using Number = std::size_t;  // of an object, in the order of names

// What the whole annotation says about objects.
struct ObjectStatistics {
  std::vector<std::string> names;              // sorted
  std::vector<std::vector<Number>> of_medium;  // sorted
  std::vector<std::int64_t> num_media;         // that show an object
  // For each object, with which others it is shown, and in how many media.
  std::vector<std::unordered_map<Number, std::int64_t>> together;
};

ObjectStatistics statistics_of(const std::vector<MediumObjects>& media) {
  std::map<std::string, Number> numbers;
  for (const MediumObjects& medium : media) {
    if (medium.objects.size() > kMaxObjects)
      throw UserError(
          fmt::format("medium '{}' lists more than {} objects", medium.id, kMaxObjects));
    for (const std::string& object : medium.objects) {
      if (object.empty())
        throw UserError(fmt::format("medium '{}' has an object with an empty name", medium.id));
      numbers.emplace(object, 0);
    }
  }
  ObjectStatistics statistics;
  for (auto& [name, number] : numbers) {
    number = statistics.names.size();
    statistics.names.push_back(name);
  }
  statistics.num_media.resize(numbers.size());
  statistics.together.resize(numbers.size());
  for (const MediumObjects& medium : media) {
    std::set<Number> present;
    for (const std::string& object : medium.objects) present.insert(numbers.at(object));
    for (const Number object : present) {
      ++statistics.num_media[object];
      for (const Number other : present)
        if (other != object) ++statistics.together[object][other];
    }
    statistics.of_medium.emplace_back(present.begin(), present.end());
  }
  return statistics;
}

// The first `count` of `objects` by falling weight, then by name.
std::vector<Number> heaviest(std::vector<Number> objects, const std::vector<std::int64_t>& weights,
                             std::size_t count) {
  std::ranges::sort(objects, [&](Number first, Number second) {
    return std::pair(-weights[first], first) < std::pair(-weights[second], second);
  });
  objects.resize(count);
  return objects;
}

std::vector<std::int64_t> weights_together(const ObjectStatistics& statistics,
                                           const std::vector<Number>& present) {
  std::vector<std::int64_t> weights(statistics.names.size(), 0);
  for (const Number object : present)
    for (const auto& [other, count] : statistics.together[object]) weights[other] += count;
  return weights;
}

std::vector<Number> drawn(RandomStream& stream, const std::vector<Number>& objects,
                          std::size_t count) {
  std::vector<Number> result;
  for (const std::int64_t place : sorted_sample(stream, static_cast<std::int64_t>(objects.size()),
                                                static_cast<std::int64_t>(count)))
    result.push_back(objects[static_cast<std::size_t>(place)]);
  return result;
}

std::string with_article(const std::string& object) {
  constexpr std::string_view kVowels = "aeiouAEIOU";
  return (kVowels.find(object.front()) == std::string_view::npos ? "a " : "an ") + object;
}

Prediction probe(const MediumObjects& medium, const std::string& kind, std::size_t number,
                 const std::string& object, bool is_there, const std::string& question) {
  Prediction result{.id = fmt::format("{}/{}/{}", medium.id, kind, number)};
  result.video = medium.video;
  result.question = question;
  result.question.replace(question.find("{}"), 2, with_article(object));
  result.type = kind;
  result.references = {is_there ? "yes" : "no"};
  return result;
}

void require_sound(const std::vector<MediumObjects>& media, const ProbeOptions& options) {
  if (options.question.find("{}") == std::string::npos)
    throw UserError(fmt::format("the question '{}' has no {{}} for the object", options.question));
  if (options.num_per_medium < 1)
    throw UserError("the number of probes per medium must be at least 1");
  std::unordered_set<std::string> ids;
  for (const MediumObjects& medium : media)
    if (!ids.insert(medium.id).second)
      throw UserError(fmt::format("the annotation has the medium '{}' twice", medium.id));
}

}  // namespace

std::vector<Prediction> object_probes(const std::vector<MediumObjects>& media,
                                      const ProbeOptions& options) {
  require_sound(media, options);
  const ObjectStatistics statistics = statistics_of(media);
  std::vector<Prediction> probes;
  for (std::size_t m = 0; m < media.size(); ++m) {
    const std::vector<Number>& present = statistics.of_medium[m];
    std::vector<Number> absent;
    for (Number object = 0; object < statistics.names.size(); ++object)
      if (!std::ranges::binary_search(present, object)) absent.push_back(object);
    const std::size_t count =
        std::min({static_cast<std::size_t>(options.num_per_medium), present.size(), absent.size()});
    RandomStream stream(
        random_key({options.seed, static_cast<std::uint64_t>(RandomPurpose::object_probes),
                    fnv1a(media[m].id)}));
    const std::vector<Number> shown = drawn(stream, present, count);
    const std::vector<std::pair<std::string, std::vector<Number>>> not_shown = {
        {"random", drawn(stream, absent, count)},
        {"popular", heaviest(absent, statistics.num_media, count)},
        {"adversarial", heaviest(absent, weights_together(statistics, present), count)}};
    for (const auto& [kind, objects] : not_shown) {
      for (std::size_t i = 0; i < count; ++i) {
        probes.push_back(
            probe(media[m], kind, 2 * i, statistics.names[shown[i]], true, options.question));
        probes.push_back(probe(media[m], kind, 2 * i + 1, statistics.names[objects[i]], false,
                               options.question));
      }
    }
  }
  return probes;
}

}  // namespace vllama::eval
