// What a batch of tests begins with. A header of libtorch has a CHECK of its own, which must not
// come after that of Catch, and operators for all containers, which must not be asked to print what
// holds a type that they cannot print.
#pragma once

#include <c10/util/Logging.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace Catch {

template <class Container>
struct PrintedByCatch {
  static std::string convert(const Container& values) { return rangeToString(values); }
};

template <class... Types>
struct StringMaker<std::vector<Types...>> : PrintedByCatch<std::vector<Types...>> {};
template <class... Types>
struct StringMaker<std::map<Types...>> : PrintedByCatch<std::map<Types...>> {};
template <class... Types>
struct StringMaker<std::set<Types...>> : PrintedByCatch<std::set<Types...>> {};

template <class First, class Second>
struct StringMaker<std::pair<First, Second>> {
  static std::string convert(const std::pair<First, Second>& pair) {
    return "{ " + Detail::stringify(pair.first) + ", " + Detail::stringify(pair.second) + " }";
  }
};

}  // namespace Catch
