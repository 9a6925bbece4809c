#include "eval/scores/chair.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/text_encoding.h"
#include "eval/scores/words.h"

namespace vllama::eval {
namespace {

enum Sum { kWrongMentions, kMentions, kWrongCaptions, kCaptions, kNumSums };

// Lower-case words; every character but letters, digits and bytes beyond ASCII separates them.
std::vector<std::string> words_of(const std::string& text) {
  std::string spaced = lower_ascii(text);
  for (char& character : spaced) {
    const auto byte = static_cast<unsigned char>(character);
    const bool is_kept =
        (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
    if (!is_kept) character = ' ';
  }
  return split_words(spaced);
}

// The word itself, and what it may be the plural of.
std::vector<std::string> singular_forms(const std::string& word) {
  std::vector<std::string> forms{word};
  if (word.size() > 2 && word.ends_with("s")) forms.push_back(word.substr(0, word.size() - 1));
  if (word.size() > 3 && word.ends_with("es")) forms.push_back(word.substr(0, word.size() - 2));
  if (word.size() > 4 && word.ends_with("ies"))
    forms.push_back(word.substr(0, word.size() - 3) + "y");
  return forms;
}

std::set<std::string> objects_of(const Prediction& prediction,
                                 const std::map<std::string, std::vector<std::string>>& objects,
                                 const ObjectNames& names) {
  const auto found = objects.find(prediction.id);
  if (found == objects.end())
    throw UserError(fmt::format("the annotation lists no objects for '{}'", prediction.id));
  std::set<std::string> result;
  for (const std::string& name : found->second) {
    const std::string object = names.object(name);
    if (object.empty())
      throw UserError(fmt::format("the object '{}' of '{}' is not in the list of object names",
                                  name, prediction.id));
    result.insert(object);
  }
  return result;
}

}  // namespace

ObjectNames ObjectNames::read(const std::filesystem::path& path) {
  ObjectNames result;
  std::istringstream file(read_text_file(path));
  std::size_t line_number = 0;
  for (std::string line; std::getline(file, line);) {
    ++line_number;
    if (stripped(line).empty()) continue;
    std::string object;
    std::istringstream names(line);
    for (std::string name; std::getline(names, name, ',');) {
      const std::vector<std::string> words = words_of(name);
      const std::string key = joined(words);
      const std::string where = fmt::format("'{}':{}", path.string(), line_number);
      if (key.empty()) throw UserError(where + ": an object has an empty name");
      if (object.empty()) object = key;
      const auto [known, is_new] = result.object_of_name_.emplace(key, object);
      if (!is_new && known->second != object)
        throw UserError(
            fmt::format("{}: '{}' already names the object '{}'", where, key, known->second));
      result.most_words_ = std::max(result.most_words_, words.size());
    }
  }
  if (result.object_of_name_.empty())
    throw UserError(fmt::format("'{}' lists no objects", path.string()));
  return result;
}

std::string ObjectNames::object(const std::string& name) const {
  const auto found = object_of_name_.find(joined(words_of(name)));
  return found == object_of_name_.end() ? "" : found->second;
}

std::vector<std::string> ObjectNames::mentioned(const std::string& caption) const {
  const std::vector<std::string> words = words_of(caption);
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin < words.size();) {
    std::size_t length = std::min(most_words_, words.size() - begin);
    for (; length > 0; --length) {
      std::string before;  // all words of the name but the last, which alone may be a plural
      for (std::size_t i = 0; i + 1 < length; ++i) before += words[begin + i] + " ";
      const auto forms = singular_forms(words[begin + length - 1]);
      const auto form = std::ranges::find_if(
          forms, [&](const std::string& last) { return object_of_name_.contains(before + last); });
      if (form == forms.end()) continue;
      found.push_back(object_of_name_.at(before + *form));
      break;
    }
    begin += std::max<std::size_t>(length, 1);
  }
  return found;
}

std::vector<Measurement> chair(const std::vector<Prediction>& predictions,
                               const std::map<std::string, std::vector<std::string>>& objects,
                               const ObjectNames& names) {
  Measurement whole = empty_measurement("chair", predictions);
  whole.num_statistics = kNumSums;
  whole.scale = Scale{};
  whole.facts["better"] = "lower";
  for (const Prediction& prediction : predictions) {
    const std::set<std::string> there = objects_of(prediction, objects, names);
    double num_mentions = 0, num_wrong = 0;
    if (!prediction.is_missing()) {
      for (const std::string& object : names.mentioned(prediction.prediction)) {
        ++num_mentions;
        if (!there.contains(object)) ++num_wrong;
      }
    }
    const bool is_wrong = num_wrong > 0 || prediction.is_missing();
    whole.statistics.insert(whole.statistics.end(),
                            {num_wrong, num_mentions, is_wrong ? 1.0 : 0.0, 1.0});
    whole.per_sample.push_back(is_wrong);
  }
  Measurement instance = whole, sentence = whole;
  instance.name = "chair_instance";
  instance.per_sample.clear();
  instance.value = [](std::span<const double> sums) {
    return sums[kMentions] == 0 ? 0 : sums[kWrongMentions] / sums[kMentions];
  };
  instance.num_counted = [](std::span<const double> sums) { return sums[kMentions]; };
  sentence.name = "chair_sentence";
  sentence.value = [](std::span<const double> sums) {
    return sums[kWrongCaptions] / sums[kCaptions];
  };
  return {instance, sentence};
}

}  // namespace vllama::eval
