// Stems of English words.
#pragma once

#include <string>
#include <string_view>

namespace vllama::eval {

// The English stemmer of the Snowball project, also called Porter 2 (M. Porter, 2001), in its form
// before the changes of 2.0. `word` in lower-case ASCII letters and apostrophes; other bytes count
// as consonants.
std::string porter2_stem(std::string_view word);

}  // namespace vllama::eval
