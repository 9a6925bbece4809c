// The gallery of the report's page: filters, search, order, and the questions of one page at a
// time.
#pragma once

namespace vllama::eval {

// Reads its data from the element "data" and puts texts into the page as text only. What is shown
// follows the address after #: show, type, order, search, page.
extern const char* const kPageScript;

}  // namespace vllama::eval
