#include "eval/scores/porter2.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>

namespace vllama::eval {
namespace {

struct Rule {
  std::string_view suffix, replacement;
};

// Whole words with a stem of their own.
const std::map<std::string_view, std::string_view> kIrregular = {
    {"skis", "ski"},    {"skies", "sky"},  {"dying", "die"},    {"lying", "lie"},
    {"tying", "tie"},   {"idly", "idl"},   {"gently", "gentl"}, {"ugly", "ugli"},
    {"early", "earli"}, {"only", "onli"},  {"singly", "singl"}, {"sky", "sky"},
    {"news", "news"},   {"howe", "howe"},  {"atlas", "atlas"},  {"cosmos", "cosmos"},
    {"bias", "bias"},   {"andes", "andes"}};
// Words that are done once the plural's s is gone.
constexpr std::array<std::string_view, 8> kUnchanged = {"inning",  "outing",  "canning", "herring",
                                                        "earring", "proceed", "exceed",  "succeed"};

// Within each table a suffix stands before those that end it.
constexpr Rule kDerivations[] = {
    {"ational", "ate"}, {"fulness", "ful"}, {"iveness", "ive"}, {"ization", "ize"},
    {"ousness", "ous"}, {"biliti", "ble"},  {"lessli", "less"}, {"tional", "tion"},
    {"alism", "al"},    {"aliti", "al"},    {"ation", "ate"},   {"entli", "ent"},
    {"fulli", "ful"},   {"iviti", "ive"},   {"ousli", "ous"},   {"abli", "able"},
    {"alli", "al"},     {"anci", "ance"},   {"ator", "ate"},    {"enci", "ence"},
    {"izer", "ize"},    {"bli", "ble"},     {"ogi", "og"},      {"li", ""}};
constexpr Rule kLaterDerivations[] = {{"ational", "ate"}, {"tional", "tion"}, {"alize", "al"},
                                      {"ative", ""},      {"icate", "ic"},    {"iciti", "ic"},
                                      {"ical", "ic"},     {"ness", ""},       {"ful", ""}};
constexpr Rule kEndings[] = {{"ement", ""}, {"able", ""}, {"ance", ""}, {"ence", ""}, {"ible", ""},
                             {"ment", ""},  {"ant", ""},  {"ate", ""},  {"ent", ""},  {"ion", ""},
                             {"ism", ""},   {"iti", ""},  {"ive", ""},  {"ize", ""},  {"ous", ""},
                             {"al", ""},    {"er", ""},   {"ic", ""}};

constexpr std::string_view kVowels = "aeiouy";

bool is_vowel(char letter) {
  return kVowels.find(letter) != std::string_view::npos;
}

// The place after the first consonant that follows a vowel, from `begin` on.
std::size_t region_after(std::string_view word, std::size_t begin) {
  for (std::size_t i = begin + 1; i < word.size(); ++i)
    if (!is_vowel(word[i]) && is_vowel(word[i - 1])) return i + 1;
  return word.size();
}

// One word on its way through the steps. A y that sounds as a consonant is written Y.
class Stemming {
 public:
  explicit Stemming(std::string_view word) : word_(word.substr(word.starts_with('\'') ? 1 : 0)) {
    for (std::size_t i = 0; i < word_.size(); ++i)
      if (word_[i] == 'y' && (i == 0 || is_vowel(word_[i - 1]))) word_[i] = 'Y';
    first_region_ = region_after(word_, 0);
    for (const std::string_view prefix : {"gener", "commun", "arsen"})
      if (word_.starts_with(prefix)) first_region_ = prefix.size();
    second_region_ = region_after(word_, first_region_);
  }

  std::string stem() {
    remove_apostrophe();
    remove_plural();
    if (std::ranges::find(kUnchanged, word_) == kUnchanged.end()) {
      remove_participle();
      replace_final_y();
      replace_derivation();
      replace_later_derivation();
      remove_ending();
      remove_final_letter();
    }
    std::ranges::replace(word_, 'Y', 'y');
    return word_;
  }

 private:
  bool ends(std::string_view suffix) const { return word_.ends_with(suffix); }
  bool ends_within(std::string_view suffix, std::size_t region) const {
    return ends(suffix) && word_.size() - suffix.size() >= region;
  }
  void drop(std::size_t num_letters) { word_.erase(word_.size() - num_letters); }
  char letter_before(std::string_view suffix) const {
    return word_.size() > suffix.size() ? word_[word_.size() - suffix.size() - 1] : ' ';
  }
  bool has_vowel_before(std::size_t end) const {
    return std::any_of(word_.begin(), word_.begin() + static_cast<std::ptrdiff_t>(end), is_vowel);
  }

  // The part of the word before `end` closes with a short syllable.
  bool ends_short(std::size_t end) const {
    if (end == 2) return is_vowel(word_[0]) && !is_vowel(word_[1]);
    if (end < 3) return false;
    const char last = word_[end - 1];
    return !is_vowel(last) && last != 'w' && last != 'x' && last != 'Y' &&
           is_vowel(word_[end - 2]) && !is_vowel(word_[end - 3]);
  }

  // The rule of the longest suffix that the word has, or none.
  const Rule* rule_for(std::span<const Rule> rules) const {
    const auto found =
        std::ranges::find_if(rules, [&](const Rule& rule) { return ends(rule.suffix); });
    return found == rules.end() ? nullptr : &*found;
  }
  void apply(const Rule& rule) {
    drop(rule.suffix.size());
    word_ += rule.replacement;
  }

  void remove_apostrophe() {
    for (const std::string_view suffix : {"'s'", "'s", "'"}) {
      if (!ends(suffix)) continue;
      drop(suffix.size());
      return;
    }
  }

  void remove_plural() {
    if (ends("sses")) {
      drop(2);
    } else if (ends("ied") || ends("ies")) {
      drop(word_.size() > 4 ? 2 : 1);
    } else if (ends("s") && !ends("us") && !ends("ss")) {
      if (word_.size() >= 2 && has_vowel_before(word_.size() - 2)) drop(1);
    }
  }

  void remove_participle() {
    for (const std::string_view suffix : {"eedly", "eed"}) {
      if (!ends(suffix)) continue;
      if (ends_within(suffix, first_region_)) apply({suffix, "ee"});
      return;
    }
    for (const std::string_view suffix : {"ingly", "edly", "ing", "ed"}) {
      if (!ends(suffix)) continue;
      if (has_vowel_before(word_.size() - suffix.size())) {
        drop(suffix.size());
        repair_after_participle();
      }
      return;
    }
  }

  void repair_after_participle() {
    if (ends("at") || ends("bl") || ends("iz")) {
      word_ += 'e';
      return;
    }
    for (const std::string_view twice : {"bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"}) {
      if (!ends(twice)) continue;
      drop(1);
      return;
    }
    if (first_region_ >= word_.size() && ends_short(word_.size())) word_ += 'e';
  }

  void replace_final_y() {
    if (word_.size() > 2 && (ends("y") || ends("Y")) && !is_vowel(word_[word_.size() - 2]))
      word_.back() = 'i';
  }

  void replace_derivation() {
    const Rule* const rule = rule_for(kDerivations);
    if (rule == nullptr || !ends_within(rule->suffix, first_region_)) return;
    const char before = letter_before(rule->suffix);
    if (rule->suffix == "ogi" && before != 'l') return;
    constexpr std::string_view kBeforeLi = "cdeghkmnrt";
    if (rule->suffix == "li" && kBeforeLi.find(before) == std::string_view::npos) return;
    apply(*rule);
  }

  void replace_later_derivation() {
    const Rule* const rule = rule_for(kLaterDerivations);
    if (rule == nullptr || !ends_within(rule->suffix, first_region_)) return;
    if (rule->suffix == "ative" && !ends_within(rule->suffix, second_region_)) return;
    apply(*rule);
  }

  void remove_ending() {
    const Rule* const rule = rule_for(kEndings);
    if (rule == nullptr || !ends_within(rule->suffix, second_region_)) return;
    const char before = letter_before(rule->suffix);
    if (rule->suffix == "ion" && before != 's' && before != 't') return;
    apply(*rule);
  }

  void remove_final_letter() {
    if (ends_within("e", second_region_)) {
      drop(1);
    } else if (ends_within("e", first_region_)) {
      if (!ends_short(word_.size() - 1)) drop(1);
    } else if (ends_within("l", second_region_) && letter_before("l") == 'l') {
      drop(1);
    }
  }

  std::string word_;
  std::size_t first_region_, second_region_;  // R1 and R2: where they begin
};

}  // namespace

std::string porter2_stem(std::string_view word) {
  if (word.size() <= 2) return std::string(word);
  if (const auto found = kIrregular.find(word); found != kIrregular.end())
    return std::string(found->second);
  return Stemming(word).stem();
}

}  // namespace vllama::eval
