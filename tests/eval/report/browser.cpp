#include "tests/eval/report/browser.h"

#include <stdio.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>

#include "tests/support/fixtures.h"

namespace vllama::test {
namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  REQUIRE(pipe != nullptr);
  std::string output;
  std::array<char, 65536> piece;
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe.get()))
    output.append(piece.data(), size);
  return output;
}

}  // namespace

std::optional<std::string> chromium() {
  const char* const path = std::getenv("PATH");
  for (const std::string name : {"chromium", "chromium-browser", "google-chrome"}) {
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');)
      if (std::filesystem::exists(folder + "/" + name)) return name;
  }
  const char* const required = std::getenv("VLLAMA_REQUIRE_BROWSER");
  if (required != nullptr && std::string(required) == "1")
    FAIL("no Chromium (VLLAMA_REQUIRE_BROWSER=1)");
  std::cout << "SKIPPED " << Catch::getResultCapture().getCurrentTestName() << ": no Chromium\n";
  return std::nullopt;
}

std::string rendered(const std::string& browser, const std::filesystem::path& page,
                     const std::string& fragment) {
  // No proxy, no names: whatever the page asked the network for would fail.
  const TemporaryFolder profile;
  return output_of("timeout 120 " + browser +
                   " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage"
                   " --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir='" +
                   profile.path().string() + "' --dump-dom 'file://" +
                   std::filesystem::absolute(page).string() + "#" + fragment + "' 2>/dev/null");
}

}  // namespace vllama::test
