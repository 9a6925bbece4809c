// One rank that plays a scenario for the tests: rank_actor SCENARIO.
#include <ATen/ops/full.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "distributed/agreement.h"

using namespace vllama;
using distributed::Communicator;

namespace {

void sum(Communicator& ranks) {
  at::Tensor values = at::full({3}, static_cast<double>(ranks.rank() + 1));
  ranks.sum(values, "a sum");
  std::cout << "sum " << values[2].item<double>() << "\n";
  at::Tensor of_first = at::full({2}, static_cast<double>(10 + ranks.rank()));
  ranks.broadcast(of_first, "a broadcast");
  std::cout << "first " << of_first[1].item<double>() << "\n";
}

// "0 1 2 " of a tensor.
std::string text_of(const at::Tensor& values) {
  std::string text;
  for (std::int64_t i = 0; i < values.numel(); ++i)
    text += std::to_string(values[i].item<std::int64_t>()) + " ";
  return text;
}

void parts(Communicator& ranks) {
  const std::int64_t rank = ranks.rank(), num_ranks = ranks.num_ranks();
  at::Tensor of_last = at::full({2}, static_cast<double>(10 + rank));
  ranks.broadcast(of_last, "a broadcast", num_ranks - 1);
  std::cout << "last " << text_of(of_last) << "\n";

  // Rank r has r elements.
  std::vector<std::int64_t> ends;
  for (std::int64_t r = 0, end = 0; r < num_ranks; ++r) ends.push_back(end += r);
  at::Tensor whole = at::full({ends.back()}, -1.0);
  whole.slice(0, ends[static_cast<std::size_t>(rank)] - rank, ends[static_cast<std::size_t>(rank)])
      .fill_(rank);
  ranks.all_gather(whole, ends, "a gathering");
  std::cout << "parts " << text_of(whole) << "\n";

  ranks.connect_local_ranks(at::kCPU);
  for (int round = 0; round < 3; ++round) {
    at::Tensor local = at::full({2 * ranks.num_local_ranks()}, -1.0);
    local.narrow(0, 2 * ranks.local_rank(), 2).fill_(10 * rank + round);
    ranks.start_local_gather(local, "a gathering on this machine");
    ranks.enter("something else meanwhile");
    ranks.finish();
    std::cout << "local " << text_of(local) << "\n";
  }
  ranks.finish();
}

void exchange(Communicator& ranks) {
  for (int round = 0; round < 3; ++round) {
    const auto texts = ranks.gather("from " + std::to_string(ranks.rank()), "a gathering");
    for (const std::string& text : texts) std::cout << "heard " << text << "\n";
    std::cout << ranks.broadcast(ranks.is_first() ? "word" : "", "a broadcast") << "\n";
  }
  std::cout << ranks.decided_by_first([] { return std::string("yes"); }, "a decision") << "\n";
}

void refuse(Communicator& ranks) {
  ranks.decided_by_first([]() -> std::string { throw UserError("the first says no"); },
                         "a decision");
}

void disagree(Communicator& ranks) {
  distributed::require_agreement(ranks, {{"seed", std::to_string(ranks.rank())}, {"equal", "x"}});
}

// Rank 1 does something else than to join the sum.
void leave_others_alone(Communicator& ranks, const std::string& how) {
  if (how == "die_locally") ranks.connect_local_ranks(at::kCPU);
  // Not before all are connected.
  ranks.gather("", "comparison of the connections");
  ranks.broadcast(std::string(), "comparison of the connections");
  ranks.enter("step 5: forward and backward");
  if (ranks.rank() == 1) {
    if (how.starts_with("die")) ::kill(::getpid(), SIGKILL);
    if (how == "stop") ::kill(::getpid(), SIGSTOP);
    if (how == "hang") ::sleep(30);
    if (how == "fail") throw RunFailure("rank 1 has no space left");
  }
  if (how == "die_locally") {
    at::Tensor whole = at::full({2 * ranks.num_local_ranks()}, 1.0);
    ranks.start_local_gather(whole, "a gathering on this machine");
    ranks.finish();
  }
  sum(ranks);
}

int play(Communicator& ranks, const std::string& scenario) {
  try {
    if (scenario == "sum")
      sum(ranks);
    else if (scenario == "parts")
      parts(ranks);
    else if (scenario == "exchange")
      exchange(ranks);
    else if (scenario == "refuse")
      refuse(ranks);
    else if (scenario == "disagree")
      disagree(ranks);
    else
      leave_others_alone(ranks, scenario);
    ranks.leave();
    return 0;
  } catch (const std::exception& failure) {
    std::cout << failure.what() << "\n" << ranks.flight_record() << std::endl;
    ranks.fail(failure.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string scenario = argc > 1 ? argv[1] : "sum";
  distributed::DistributedConfig config;
  config.join_timeout_seconds = 10;
  config.timeout_seconds = 6;
  config.silence_seconds = 4;
  try {
    Communicator ranks(distributed::read_launch(), config, at::kCPU);
    return play(ranks, scenario);
  } catch (const std::exception& failure) {
    std::cout << failure.what() << "\n";
    return 2;
  }
}
