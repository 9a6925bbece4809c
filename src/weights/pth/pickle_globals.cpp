// The allow-list of pickle_globals.h.
#include "weights/pth/pickle_globals.h"

#include <algorithm>
#include <array>

namespace vllama::weights {
namespace {

struct GlobalRow {
  std::string_view module, name;
  GlobalKind kind;
};

constexpr std::array<GlobalRow, 7> kRows = {{
    {"collections", "OrderedDict", GlobalKind::ordered_dict},
    {"torch._utils", "_rebuild_tensor", GlobalKind::rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", GlobalKind::rebuild_tensor_v2},
    {"torch._utils", "_rebuild_parameter", GlobalKind::rebuild_parameter},
    {"torch.nn.parameter", "Parameter", GlobalKind::parameter},
    {"torch", "Size", GlobalKind::size},
    {"torch", "device", GlobalKind::device},
}};

// Every name under which `torch` has a data type.
constexpr std::array<std::string_view, 26> kDataTypes = {
    "float16",   "half",      "bfloat16", "float32",     "float",        "float64", "double",
    "complex32", "complex64", "cfloat",   "chalf",       "complex128",   "cdouble", "uint8",
    "int8",      "int16",     "short",    "int32",       "int",          "int64",   "long",
    "bool",      "quint8",    "qint8",    "float8_e5m2", "float8_e4m3fn"};

}  // namespace

std::optional<Global> allowed_global(std::string_view module, std::string_view name) {
  for (const GlobalRow& row : kRows)
    if (row.module == module && row.name == name) return Global{row.kind};
  if (module != "torch") return std::nullopt;
  for (const ElementTypeFacts& facts : element_types())
    if (facts.storage_class == name) return Global{GlobalKind::storage, facts.type};
  if (std::find(kDataTypes.begin(), kDataTypes.end(), name) != kDataTypes.end())
    return Global{GlobalKind::data_type};
  return std::nullopt;
}

}  // namespace vllama::weights
