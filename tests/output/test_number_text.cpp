#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "output/number_text.h"

using namespace vllama::output;

TEST_CASE("digits are grouped by three") {
  CHECK(grouped_digits(0) == "0");
  CHECK(grouped_digits(999) == "999");
  CHECK(grouped_digits(1000) == "1,000");
  CHECK(grouped_digits(22101504) == "22,101,504");
  CHECK(grouped_digits(-999) == "-999");
  CHECK(grouped_digits(-123456) == "-123,456");
  CHECK(grouped_digits(std::numeric_limits<std::int64_t>::min()) == "-9,223,372,036,854,775,808");
}

TEST_CASE("short numbers keep three digits and never show a thousand of a unit") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(999.4) == "999");
  CHECK(short_number(999.6) == "1.00k");
  CHECK(short_number(12345) == "12.3k");
  CHECK(short_number(99960) == "100k");
  CHECK(short_number(999600) == "1.00M");
  CHECK(short_number(7.2e6) == "7.20M");
  CHECK(short_number(5e15) == "5000T");
  CHECK(short_number(std::nan("")) == "nan");
}

TEST_CASE("bytes are shown in decimal units") {
  CHECK(byte_text(512) == "512 B");
  CHECK(byte_text(1536) == "1.54 kB");
  CHECK(byte_text(88406016) == "88.4 MB");
}

TEST_CASE("durations grow a field when they need it") {
  CHECK(duration_text(0) == "0:00");
  CHECK(duration_text(59.6) == "1:00");
  CHECK(duration_text(75) == "1:15");
  CHECK(duration_text(3725) == "1:02:05");
  CHECK(duration_text(90061) == "1d 01:01:01");
  CHECK(duration_text(-1) == "?");
  CHECK(duration_text(std::nan("")) == "?");
  CHECK(duration_text(std::numeric_limits<double>::infinity()) == "?");
}

TEST_CASE("real numbers, and what is none") {
  CHECK(real_text(9.5) == "9.5");
  CHECK(real_text(1.0 / 3) == "0.333333");
  CHECK(real_text(-std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(real_text(-std::numeric_limits<double>::infinity()) == "-inf");
}
