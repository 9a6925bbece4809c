// Makes this process live on a file system that cannot exchange two names, as some network ones.
#pragma once

namespace vllama::test {

// From here on renameat2() with flags fails with "Invalid argument". False if that cannot be
// arranged; only for child processes, because it cannot be undone.
bool forbid_exchange();

// Tries it in a process of its own.
bool can_forbid_exchange();

}  // namespace vllama::test
