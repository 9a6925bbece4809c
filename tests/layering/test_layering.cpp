// Every #include obeys the table of layers, and each third-party library has one door.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

// Lowest layer first. A folder may include itself and the folders named here.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"core", {}},
    {"config", {"core"}},
    {"output", {"core"}},
    {"tables", {"core"}},
    {"distributed", {"core", "config"}},
    {"media", {"core", "config"}},
    {"text", {"core", "config"}},
    {"nn", {"core", "config"}},
    {"weights", {"core", "config"}},
    {"checkpoint", {"core", "weights"}},
    {"optim", {"core", "config", "distributed", "weights"}},
    {"samples", {"core", "config", "media", "text"}},
    {"encoders", {"core", "config", "nn", "weights", "samples"}},
    {"language", {"core", "config", "nn", "weights"}},
    {"models", {"core", "config", "nn", "weights", "samples", "encoders", "language"}},
    {"inference",
     {"core", "config", "media", "text", "nn", "weights", "samples", "language", "models"}},
    {"datasets", {"core", "config", "tables", "media", "text", "samples"}},
    {"eval",
     {"core", "config", "tables", "distributed", "media", "text", "samples", "models", "inference",
      "datasets"}},
    {"train",
     {"core", "config", "output", "distributed", "media", "text", "nn", "weights", "checkpoint",
      "optim", "samples", "language", "models", "inference", "datasets", "eval"}},
    {"toy_world",
     {"core", "config", "media", "text", "nn", "weights", "optim", "samples", "encoders",
      "language", "models", "inference", "eval"}},
};

// The same of the rooms of a folder among themselves; "" is what lies in the folder itself.
const std::map<std::string, std::map<std::string, std::set<std::string>>> kRooms = {
    {"datasets",
     {{"entries", {}},
      {"index", {"entries"}},
      {"shards", {"entries", "index"}},
      {"readers", {"entries", "index", "shards"}},
      {"formats", {"entries", "index", "shards", "readers"}},
      {"order", {"entries", "formats"}},
      {"examples", {"entries", "formats", "order"}},
      {"loading", {"entries", "formats", "order", "examples"}},
      {"convert", {"entries", "shards", "readers", "formats"}}}},
    {"text", {{"tokenizers", {}}, {"", {"tokenizers"}}}},
    {"weights", {{"values", {}}, {"pth", {"values"}}, {"", {"values", "pth"}}}},
    {"inference", {{"", {}}, {"bundle", {""}}, {"generate", {}}, {"chat", {"", "generate"}}}},
    {"eval",
     {{"scores", {}},
      {"tasks", {"scores"}},
      {"report", {"scores"}},
      {"evaluate", {"scores", "tasks", "report"}}}},
    {"train",
     {{"record", {}},
      {"watch", {"record"}},
      {"run", {"watch"}},
      {"provenance", {"run"}},
      {"saved", {"run", "provenance"}},
      {"plan", {"run", "saved"}},
      {"loop", {"record", "watch", "run", "saved"}},
      {"", {"record", "watch", "run", "provenance", "saved", "plan", "loop"}},
      {"original", {"run", "saved"}},
      {"export", {"run", "provenance", "saved", "original"}},
      {"check", {"", "record", "run", "provenance", "plan", "loop", "show"}},
      {"show", {"", "record", "watch", "run", "provenance", "loop"}}}},
    {"toy_world",
     {{"scene", {}},
      {"files", {"scene"}},
      {"senses", {"scene"}},
      {"language", {"scene", "senses"}}}},
    {"tools",
     {{"command_line", {}},
      {"terminal", {}},
      {"bench", {"command_line"}},
      {"commands", {"command_line", "terminal", "bench"}},
      {"fuzz", {}},
      {"", {"command_line", "commands"}}}},
};

// Which folders may include the headers of a library.
const std::map<std::string, std::set<std::string>> kDoors = {
    {"yaml-cpp/", {"config"}},
    {"libav", {"media"}},
    {"libsw", {"media"}},
    {"jpeglib.h", {"media"}},
    {"unicode/", {"text"}},
    {"zlib.h", {"weights"}},
    {"sentencepiece", {"text"}},
    {"CLI/", {"tools"}},
    {"histedit.h", {"tools"}},
    {"spdlog/", {"core"}},
    {"torch/csrc/distributed", {"distributed"}},
};

bool is_source(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".h" || extension == ".cpp" || extension == ".cu";
}

struct Include {
  std::string where, target;
  bool ours;
};

std::vector<Include> includes_below(const fs::path& folder) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!is_source(entry.path())) continue;
    std::ifstream file(entry.path());
    std::smatch match;
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (std::regex_search(line, match, pattern))
        found.push_back(
            {entry.path().string() + ":" + std::to_string(number), match[2], match[1] == "\""});
    }
  }
  return found;
}

fs::path folder_of(const std::string& layer) {
  return fs::exists("src/" + layer) ? fs::path("src") / layer : fs::path(layer);
}

// The room that a path like "train/run/run_state.h" lies in: "run"; of "train/train.h" "".
std::string room_of(std::string path) {
  if (path.starts_with("src/")) path.erase(0, 4);
  const std::size_t folder = path.find('/'), room = path.find('/', folder + 1);
  return room == std::string::npos ? "" : path.substr(folder + 1, room - folder - 1);
}

}  // namespace

TEST_CASE("folders include only the folders below them") {
  for (const auto& [layer, allowed] : kMayInclude) {
    if (!fs::exists(folder_of(layer))) continue;
    for (const Include& include : includes_below(folder_of(layer))) {
      if (!include.ours) continue;
      const std::string target = include.target.substr(0, include.target.find('/'));
      INFO(include.where << " includes " << include.target);
      CHECK((target == layer || allowed.contains(target)));
    }
  }
}

TEST_CASE("rooms of a folder include only the rooms below them") {
  for (const auto& [folder, rooms] : kRooms) {
    for (const Include& include : includes_below(folder_of(folder))) {
      if (!include.ours || !include.target.starts_with(folder + "/")) continue;
      const std::string room = room_of(include.where), target = room_of(include.target);
      INFO(include.where << " includes " << include.target);
      REQUIRE(rooms.contains(room));
      CHECK((target == room || rooms.at(room).contains(target)));
    }
  }
}

// Else two rooms could include each other with the table's blessing.
TEST_CASE("the tables allow no cycle") {
  auto tables = kRooms;
  tables["all folders"] = kMayInclude;
  for (auto& [name, table] : tables) {
    INFO(name);
    const auto is_free = [&](const auto& row) {
      return std::ranges::none_of(row.second,
                                  [&](const std::string& below) { return table.contains(below); });
    };
    while (!table.empty()) {
      const auto lowest = std::ranges::find_if(table, is_free);
      REQUIRE(lowest != table.end());
      table.erase(lowest);
    }
  }
}

TEST_CASE("each third-party library has one door") {
  for (const char* folder : {"src", "datasets", "eval", "train", "toy_world", "tools"}) {
    for (const Include& include : includes_below(folder)) {
      for (const auto& [library, doors] : kDoors) {
        if (include.ours || !include.target.starts_with(library)) continue;
        INFO(include.where << " includes " << include.target);
        const bool allowed = std::any_of(doors.begin(), doors.end(), [&](const std::string& door) {
          return include.where.starts_with(folder_of(door).string() + "/");
        });
        CHECK(allowed);
      }
    }
  }
}
