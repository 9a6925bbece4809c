// The CSV scanner on well-formed and broken text.
#include <catch2/catch.hpp>

#include "core/random.h"
#include "tables/csv.h"

namespace vllama::tables {
namespace {

using Table = std::vector<std::vector<std::string>>;

Table read_table(std::string_view text, char separator = ',') {
  Table table;
  CsvScanner scanner(text, separator);
  CsvRow row;
  while (scanner.next(row)) {
    auto& values = table.emplace_back();
    for (const CsvField& field : row.fields) values.push_back(field.value());
  }
  return table;
}

}  // namespace

TEST_CASE("fields may be quoted and hold separators, quotes and line breaks") {
  CHECK(read_table("a,b\n1,2\n") == Table{{"a", "b"}, {"1", "2"}});
  CHECK(read_table("a,\"b, c\"\n") == Table{{"a", "b, c"}});
  CHECK(read_table("\"say \"\"hi\"\"\",x") == Table{{"say \"hi\"", "x"}});
  CHECK(read_table("\"one\ntwo\r\nthree\",x\ny,z") ==
        Table{{"one\ntwo\r\nthree", "x"}, {"y", "z"}});
  CHECK(read_table("a \"b\" c,d\n") == Table{{"a \"b\" c", "d"}});
  CHECK(read_table("\"a\"b,c\n") == Table{{"ab", "c"}});
  CHECK(read_table("\"\",\"\"\n") == Table{{"", ""}});
}

TEST_CASE("lines end in LF, CRLF or with the text; empty lines are no rows") {
  CHECK(read_table("a,b\r\n\r\nc,d\r\n") == Table{{"a", "b"}, {"c", "d"}});
  CHECK(read_table("\n\na,b\n\n\nc,d") == Table{{"a", "b"}, {"c", "d"}});
  CHECK(read_table("a,\n,b") == Table{{"a", ""}, {"", "b"}});
  CHECK(read_table("a\tb,c\td", '\t') == Table{{"a", "b,c", "d"}});
  CHECK(read_table("") == Table{});
  CHECK(read_table("a,") == Table{{"a", ""}});
  CHECK(read_table("a\rb,c\n") == Table{{"a\rb", "c"}});
}

TEST_CASE("rows know their line and bytes") {
  const std::string_view text = "h\n\"a\nb\"\n\nlast";
  CsvScanner scanner(text, ',');
  CsvRow row;
  REQUIRE((scanner.next(row) && row.line == 1));
  REQUIRE((scanner.next(row) && row.line == 2));
  CHECK(text.substr(row.begin, row.end - row.begin) == "\"a\nb\"\n");
  REQUIRE((scanner.next(row) && row.line == 5));
  CHECK(text.substr(row.begin) == "last");
  CHECK_FALSE(scanner.next(row));
}

TEST_CASE("a quote that is never closed costs the row that it begins in") {
  const auto read = [](std::string_view text) {
    std::vector<std::string> rows;
    CsvScanner scanner(text, ',');
    CsvRow row;
    while (scanner.next(row)) {
      std::string& said = rows.emplace_back(std::to_string(row.line));
      said += row.has_open_quote ? " open" : " whole";
      for (const CsvField& field : row.fields) said.append(" ").append(field.value());
      REQUIRE((row.end == text.size() || text[row.end - 1] == '\n'));
    }
    return rows;
  };
  using Rows = std::vector<std::string>;
  CHECK(read("a,\"b\nc,d\n") == Rows{"1 open a b", "2 whole c d"});
  CHECK(read("a,\"b,x\r\n\r\nc,d\r\n") == Rows{"1 open a b,x", "3 whole c d"});
  CHECK(read("a,b\nc,\"") == Rows{"1 whole a b", "2 open c "});
  CHECK(read("a,\"b") == Rows{"1 open a b"});
  // Behind it everything is what it would be by itself: quotes are open nowhere else.
  CHECK(read("a,\"b\nc,\"\"\n\"\"\"\",x \"\" y\n\"\"z,d\n") ==
        Rows{"1 open a b", "2 whole c ", "3 whole \" x \"\" y", "4 whole z d"});
  // The row may have broken lines in front of it.
  CHECK(read("\"1\n2\",\"b\nc,d\n") == Rows{"1 open 1\n2 b", "3 whole c d"});
  // A quote that a later row closes is a field with line breaks, as ever.
  CHECK(read("a,\"b\nc\",d\ne,f\n") == Rows{"1 whole a b\nc d", "3 whole e f"});
}

TEST_CASE("however many quotes there are, few bytes are read twice") {
  // An odd number of lines with one mark each: any two make a row, and the last one stays open.
  // Pairs of marks are what a field runs over to the end of the text.
  constexpr int kLines = 400'000;
  for (const std::string_view line : {"a,\"b\n", "a,\"\"\"b\n", "a,\"\"\n", "\"\"\"\"\n"}) {
    std::string text = "x,\"y\n";
    for (int i = 0; i < kLines; ++i) text += line;
    CsvScanner scanner(text, ',');
    CsvRow row;
    int num_open = 0;
    std::int64_t last = 0;
    while (scanner.next(row)) {
      num_open += row.has_open_quote;
      last = row.line;
    }
    CHECK(num_open <= 1);
    CHECK(last <= kLines + 1);
    CHECK(scanner.line() == kLines + 2);
  }
}

TEST_CASE("any table survives being written and read") {
  RandomStream stream(17);
  const std::string alphabet = "ab,\"\n\r\t \xC3\xA9xyz0123456789";
  for (int repetition = 0; repetition < 300; ++repetition) {
    Table table(1 + stream.below(4));
    std::string text;
    for (auto& row : table) {
      const std::uint64_t num_fields = 2 + stream.below(3);
      for (std::uint64_t i = 0; i < num_fields; ++i) {
        std::string& field = row.emplace_back();
        for (std::uint64_t left = stream.below(25); left > 0; --left)
          field += alphabet[stream.below(alphabet.size())];
        std::string quoted = "\"";
        for (const char byte : field) quoted += byte == '"' ? "\"\"" : std::string(1, byte);
        text += (i > 0 ? "," : "") + quoted + "\"";
      }
      text += stream.below(2) == 0 ? "\n" : "\r\n";
    }
    REQUIRE(read_table(text) == table);
  }
}

TEST_CASE("any bytes can be scanned") {
  RandomStream stream(23);
  for (int repetition = 0; repetition < 5000; ++repetition) {
    std::string text;
    for (std::uint64_t left = stream.below(60); left > 0; --left)
      text += stream.below(3) == 0 ? ",\"\n\r"[stream.below(4)] : static_cast<char>(stream.next());
    std::size_t end = 0;
    CsvScanner scanner(text, ',');
    CsvRow row;
    int num_open = 0;
    while (scanner.next(row)) {
      REQUIRE(row.begin >= end);
      REQUIRE(row.end > row.begin);
      end = row.end;
      for (const CsvField& field : row.fields) field.value();
      num_open += row.has_open_quote;
      // The same when it is asked for by its place.
      CsvScanner again(text, ',', row.begin, row.line);
      CsvRow same;
      REQUIRE(again.next(same));
      REQUIRE((same.end == row.end && again.line() == scanner.line()));
      REQUIRE(same.has_open_quote == row.has_open_quote);
      REQUIRE(same.fields.size() == row.fields.size());
    }
    REQUIRE(end <= text.size());
    REQUIRE(num_open <= 1);
  }
}

TEST_CASE("UTF-8 is told from other bytes") {
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("caf\xC3\xA9 \xE6\x97\xA5 \xF0\x9F\x98\x80"));
  CHECK_FALSE(is_utf8("caf\xE9"));           // Latin-1
  CHECK_FALSE(is_utf8("\xC0\xAF"));          // too long a spelling
  CHECK_FALSE(is_utf8("\xE0\x80\xAF"));      // the same with three bytes
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));      // half of a surrogate pair
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  CHECK_FALSE(is_utf8("\xE6\x97"));          // cut off
  CHECK_FALSE(is_utf8("\x80"));
}

}  // namespace vllama::tables
