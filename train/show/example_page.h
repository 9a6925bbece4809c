// Examples as pages that need no other file and load none; whatever is in the data, nothing of it
// is taken as markup.
#pragma once

#include <span>
#include <string>

#include "train/show/example_view.h"

namespace vllama::train {

// The facts, tokens and pictures of one example, under headings of the given tag: "h2".
std::string example_section(const ExampleView& view, const char* heading_tag);

std::string fact_table(std::span<const Fact> facts);

// A whole page. `body` is markup, `title` is not.
std::string html_page(const std::string& title, const std::string& body);

// A page about one example.
std::string example_html(const ExampleView& view);

}  // namespace vllama::train
