// A real browser for the report's page, where one is installed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vllama::test {

// The program of a Chromium on the path, or nothing: the reason is printed, and the test fails
// instead if VLLAMA_REQUIRE_BROWSER=1.
std::optional<std::string> chromium();

// The page as it is once its script has run, as HTML. `fragment` follows # in the address.
std::string rendered(const std::string& browser, const std::filesystem::path& page,
                     const std::string& fragment);

}  // namespace vllama::test
