// A configuration as JSON, with numbers as numbers.
#pragma once

#include <concepts>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/fields.h"

namespace vllama::train {

class JsonWriter {
 public:
  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char* /*help*/, const Rules&...) {
    object_[name] = write(value);
  }

  template <class T>
  static nlohmann::ordered_json write(T& value) {
    if constexpr (config::Section<T>) {
      JsonWriter writer;
      value.visit(writer);
      return writer.object_;
    } else if constexpr (std::same_as<T, config::Size>) {
      return std::int64_t{value};
    } else if constexpr (config::NamedEnum<T>) {
      return config::name_of(value);
    } else {
      return value;
    }
  }
  template <class T>
  static nlohmann::ordered_json write(std::optional<T>& value) {
    return value ? write(*value) : nlohmann::ordered_json();
  }
  template <class T>
  static nlohmann::ordered_json write(std::vector<T>& values) {
    auto list = nlohmann::ordered_json::array();
    for (T& value : values) list.push_back(write(value));
    return list;
  }

 private:
  nlohmann::ordered_json object_ = nlohmann::ordered_json::object();
};

// All keys, defaults included, in the order of the configuration.
template <config::Section T>
nlohmann::ordered_json config_json(T config) {
  return JsonWriter::write(config);
}

}  // namespace vllama::train
