// What a Store is made of, for the libraries that meet through it.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include "distributed/store.h"

namespace vllama::distributed {

struct Store::Connection {
  c10::intrusive_ptr<c10d::Store> store;
};

}  // namespace vllama::distributed
