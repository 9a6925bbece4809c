// Finds the records of a JSON file of any size, in one pass.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tables/annotation_text.h"

namespace vllama::tables {

// Where an element stands in a text, in bytes.
struct JsonExtent {
  std::uint64_t begin, length;
};

// The elements of the array that the file is, or of several such arrays behind one another; or the
// lines of a file that has an object in every line; or the objects of a file that has nothing else.
// An element of an array that is not closed ends with its line, if each has a line of its own.
// With a `key` the file is an object, or several, whose member `key` is the array. Throws UserError
// naming file and byte if it is nothing of this, or not JSON as a whole; the elements themselves
// are not looked into.
std::vector<JsonExtent> find_elements(const AnnotationText& file, std::string_view key);

struct JsonMember {
  JsonExtent key, value;  // the key with its quotation marks
};

// The members of the object that the file is, which are not looked into either. Throws UserError
// naming file and byte if it is none.
std::vector<JsonMember> find_members(const AnnotationText& file);

}  // namespace vllama::tables
