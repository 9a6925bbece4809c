#include "distributed/monitor.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/stopwatch.h"

namespace vllama::distributed {
namespace {

using Clock = std::chrono::steady_clock;
using json = nlohmann::json;

constexpr auto kBeat = std::chrono::seconds(1);
constexpr const char* kVerdict = "verdict";

std::string status_key(std::int64_t rank) {
  return fmt::format("status/{}", rank);
}

std::string status_text(const RankView& own, std::int64_t beat) {
  return json{{"beat", beat},
              {"place", own.place},
              {"activity", own.activity},
              {"waiting", own.is_waiting},
              {"seconds", own.activity_seconds},
              {"state", static_cast<int>(own.state)},
              {"detail", own.detail}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

struct Monitor::State {
  // A status as it was read last, and when it last changed.
  struct Watched {
    RankView view;
    std::int64_t beat = -1;
    Clock::time_point changed = Clock::now(), state_start = changed;

    void read(const std::string& text) {
      const json status = json::parse(text);
      if (const std::int64_t now = status.at("beat"); now != beat) {
        beat = now;
        changed = Clock::now();
      }
      view.place = status.at("place");
      view.activity = status.at("activity");
      view.is_waiting = status.at("waiting");
      view.activity_seconds = status.at("seconds");
      const auto state = static_cast<RankView::State>(status.at("state").get<int>());
      if (state != view.state) state_start = Clock::now();
      view.state = state;
      view.lost_seconds = state == RankView::State::lost ? seconds_since(state_start) : 0;
      view.detail = status.at("detail");
      view.silent_seconds = seconds_since(changed);
    }
  };

  State(Store connection, const Launch& from, const Patience& how_long)
      : store(std::move(connection)), launch(from), patience(how_long) {}

  // Used by the thread alone.
  Store store;
  const Launch launch;
  const Patience patience;
  std::vector<Watched> watched;
  std::int64_t beat = 0;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  RankView own;
  Clock::time_point activity_start = Clock::now();
  Clock::time_point last_contact = Clock::now();  // with the store
  std::string keeper = "the store of the run";    // who keeps it
  std::optional<std::string> verdict;
  std::function<void(const std::string&)> tell;
  bool is_urgent = false;  // a status that the others should see at once
  bool should_stop = false, has_stopped = false;

  RankView own_view() const {
    const std::lock_guard lock(mutex);
    RankView view = own;
    view.activity_seconds = seconds_since(activity_start);
    return view;
  }

  void set(RankView::State value, const std::string& detail = {}) {
    const std::lock_guard lock(mutex);
    own.state = value;
    own.detail = detail;
    is_urgent = true;
    changed.notify_all();
  }

  void decide(const std::string& text) {
    std::function<void(const std::string&)> listener;
    {
      const std::lock_guard lock(mutex);
      // Whoever has left sees the store close.
      if (verdict || own.state == RankView::State::left) return;
      verdict = text;
      listener = tell;
      changed.notify_all();
    }
    if (listener) listener(text);
  }

  std::string keeper_now() const {
    if (launch.launcher_keeps_store)
      return fmt::format("the launcher's store at {}:{}", launch.master_address,
                         launch.master_port);
    const RankView& first = watched.front().view;
    return fmt::format("{}, which keeps the store of the run and was last heard of in '{}',",
                       first.place, first.activity);
  }

  void beat_once() {
    const RankView view = own_view();
    store.set(status_key(launch.rank), status_text(view, ++beat));
    std::vector<std::string> keys;
    for (const Watched& rank : watched) keys.push_back(status_key(rank.view.rank));
    const auto texts = store.get(keys);
    std::vector<RankView> views;
    for (std::size_t i = 0; i < watched.size(); ++i) {
      watched[i].read(texts[i]);
      views.push_back(watched[i].view);
    }
    if (launch.rank != 0) {
      if (const auto found = store.find(kVerdict)) decide(*found);
      views.push_back(view);  // whether this rank is lost itself
    }
    if (view.state != RankView::State::left) judge(views);
    const std::lock_guard lock(mutex);
    keeper = keeper_now();
    last_contact = Clock::now();
  }

  // Another rank than 0 sees too little to judge anything but rank 0.
  void judge(const std::vector<RankView>& views) {
    const RankView& first = views.front();
    const bool first_is_silent =
        first.state == RankView::State::working && first.silent_seconds > patience.suspect_seconds;
    if (launch.rank != 0 && first.state != RankView::State::failed && !first_is_silent) return;
    const auto found = diagnose(views, patience);
    if (!found) return;
    if (launch.rank == 0) store.set(kVerdict, *found);
    decide(*found);
  }

  void run() {
    try {
      std::unique_lock lock(mutex);
      while (!should_stop) {
        is_urgent = false;
        lock.unlock();
        beat_once();
        lock.lock();
        changed.wait_for(lock, kBeat, [&] { return should_stop || is_urgent; });
      }
      lock.unlock();
      store.set(status_key(launch.rank), status_text(own_view(), ++beat));
    } catch (const StoreLost& error) {
      decide(
          fmt::format("{} does not answer any more ({}): it was killed or stopped, or its machine "
                      "or network is "
                      "gone",
                      keeper_now(), error.what()));
    } catch (const json::exception& error) {
      decide(fmt::format("the store of the run holds damaged texts: {}", error.what()));
    }
    const std::lock_guard lock(mutex);
    has_stopped = true;
    changed.notify_all();
  }
};

void Monitor::publish_first_status(Store& store, std::int64_t rank, const std::string& place) {
  RankView view;
  view.rank = rank;
  view.place = place;
  view.activity = "joining the run";
  view.is_waiting = true;
  store.set(status_key(rank), status_text(view, 0));
}

Monitor::Monitor(Store store, const Launch& launch, const std::string& place,
                 const Patience& patience)
    : state_(std::make_shared<State>(std::move(store), launch, patience)) {
  state_->own.rank = launch.rank;
  state_->own.place = place;
  state_->own.activity = "starting";
  const std::int64_t num_watched = launch.rank == 0 ? launch.num_ranks : 1;
  state_->watched.resize(static_cast<std::size_t>(num_watched));
  for (std::int64_t rank = 0; rank < num_watched; ++rank)
    state_->watched[static_cast<std::size_t>(rank)].view.rank = rank;
  thread_ = std::thread([state = state_] { state->run(); });
}

Monitor::~Monitor() {
  constexpr auto kLongestWait = std::chrono::seconds(2);
  std::unique_lock lock(state_->mutex);
  state_->should_stop = true;
  state_->changed.notify_all();
  const bool stopped =
      state_->changed.wait_for(lock, kLongestWait, [&] { return state_->has_stopped; });
  lock.unlock();
  if (stopped)
    thread_.join();
  else
    thread_.detach();
}

void Monitor::enter(const std::string& activity, bool is_waiting) {
  const std::lock_guard lock(state_->mutex);
  state_->own.activity = activity;
  state_->own.is_waiting = is_waiting;
  state_->activity_start = Clock::now();
}

void Monitor::report_lost() {
  state_->set(RankView::State::lost);
}

void Monitor::report_failure(const std::string& detail) {
  state_->set(RankView::State::failed, detail);
}

void Monitor::leave() {
  state_->set(RankView::State::left);
}

void Monitor::when_decided(std::function<void(const std::string& verdict)> tell) {
  std::unique_lock lock(state_->mutex);
  if (!state_->verdict) {
    state_->tell = std::move(tell);
    return;
  }
  const std::string known = *state_->verdict;
  lock.unlock();
  tell(known);
}

std::optional<std::string> Monitor::verdict() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->verdict) return state_->verdict;
  const bool is_lost = state_->own.state == RankView::State::lost;
  const double limit = is_lost ? state_->patience.suspect_seconds : state_->patience.silent_seconds;
  if (const double silent = seconds_since(state_->last_contact); silent > limit)
    return fmt::format(
        "{} has not answered for {:.0f} s: it was killed or stopped, or its machine or network is "
        "gone",
        state_->keeper, silent);
  return std::nullopt;
}

std::optional<std::string> Monitor::wait_for_verdict(double seconds) const {
  constexpr auto kBetweenLooks = std::chrono::milliseconds(100);  // at a store that is silent
  const auto start = Clock::now();
  auto found = verdict();
  while (!found && seconds_since(start) < seconds) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, kBetweenLooks);
    lock.unlock();
    found = verdict();
  }
  return found;
}

}  // namespace vllama::distributed
