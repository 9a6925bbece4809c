#include "eval/scores/normalised_answer.h"

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>
#include <vector>

#include "eval/scores/words.h"

namespace vllama::eval {
namespace {

constexpr std::string_view kAnswerPunctuation = ";/[]\"{}()=+\\_-><@`,?!";

constexpr std::string_view kContractions =
    "'twas ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd "
    "he's "
    "how'd how'll how's isn't it'd it'll ma'am might've mightn't must've mustn't needn't not've "
    "o'clock oughtn't shan't should've shouldn't somebody'll somebody's someone'd someone'll "
    "someone's something'd something'll that's there'd there're there's they'd they'll they're "
    "they've wasn't we've weren't what'll what're what's what've when's where'd where's where've "
    "who'd who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll "
    "you're "
    "you've "
    "'ow's'at couldn't've hadn't've he'd've it'd've mightn't've she'd've shouldn't've "
    "somebody'd've "
    "someone'd've something'd've there'd've they'd've we'd've who'd've wouldn't've y'all'd've "
    "y'all'll you'd've";

const std::map<std::string, std::string, std::less<>> kNumberOfWord = {
    {"none", "0"}, {"zero", "0"}, {"one", "1"},   {"two", "2"},   {"three", "3"}, {"four", "4"},
    {"five", "5"}, {"six", "6"},  {"seven", "7"}, {"eight", "8"}, {"nine", "9"},  {"ten", "10"}};

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// A form of `contractions` for each way of leaving out exactly one of its apostrophes.
std::unordered_map<std::string, std::string> contraction_table() {
  std::unordered_map<std::string, std::string> table{{"somebody'd", "somebodyd"}};
  for (const std::string& word : split_words(kContractions)) {
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (word[i] != '\'') continue;
      std::string without = word;
      table.emplace(without.erase(i, 1), word);
    }
  }
  return table;
}

bool has_comma_between_digits(std::string_view text) {
  for (std::size_t i = 1; i + 1 < text.size(); ++i)
    if (text[i] == ',' && is_digit(text[i - 1]) && is_digit(text[i + 1])) return true;
  return false;
}

// Deletes a mark if the text has it next to a space, or a comma inside of a number anywhere;
// otherwise a space takes its place.
std::string without_punctuation(std::string_view original) {
  const bool deletes_all = has_comma_between_digits(original);
  std::string result(original);
  for (const char mark : kAnswerPunctuation) {
    const bool deletes = deletes_all ||
                         original.find(std::string{mark, ' '}) != std::string_view::npos ||
                         original.find(std::string{' ', mark}) != std::string_view::npos;
    if (deletes)
      std::erase(result, mark);
    else
      std::ranges::replace(result, mark, ' ');
  }
  return result;
}

std::string without_full_stops(std::string_view text, std::size_t most_deleted) {
  std::string result;
  std::size_t num_deleted = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_decimal_point = i + 1 < text.size() && is_digit(text[i + 1]);
    if (text[i] == '.' && !is_decimal_point && num_deleted < most_deleted)
      ++num_deleted;
    else
      result += text[i];
  }
  return result;
}

}  // namespace

std::string normalised_answer(std::string_view text, const NormalisationOptions& options) {
  static const std::unordered_map<std::string, std::string> kContractionOf = contraction_table();
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  std::ranges::replace(line, '\t', ' ');
  line = without_full_stops(without_punctuation(stripped(line)),
                            options.compat_32_dots ? 32 : std::numeric_limits<std::size_t>::max());
  std::vector<std::string> words;
  for (std::string word : split_words(lower_ascii(line))) {
    if (const auto number = kNumberOfWord.find(word); number != kNumberOfWord.end())
      word = number->second;
    if (word == "a" || word == "an" || word == "the") continue;
    const auto contraction = kContractionOf.find(word);
    words.push_back(contraction == kContractionOf.end() ? word : contraction->second);
  }
  return joined(words);
}

}  // namespace vllama::eval
