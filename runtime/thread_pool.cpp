// Workers sleep between rounds; pieces are handed out one by one, in order.
#include "runtime/thread_pool.hpp"

#include <sched.h>

#include <algorithm>

namespace gradus {

unsigned available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

ThreadPool::ThreadPool(unsigned threads) {
  if (threads == 0) threads = available_cores();
  for (unsigned t = 1; t < threads; ++t) workers_.emplace_back([this, t] { serve(t); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(std::int64_t count, const std::function<void(std::int64_t, unsigned)>& work) {
  if (workers_.empty() || count <= 1) {
    for (std::int64_t piece = 0; piece < count; ++piece) work(piece, 0);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    next_ = 0;
    count_ = count;
    busy_ = static_cast<unsigned>(workers_.size());
    ++round_;
  }
  wake_.notify_all();
  take_pieces(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
}

void ThreadPool::serve(unsigned thread) {
  std::uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || round_ != seen; });
      if (stop_) return;
      seen = round_;
    }
    take_pieces(thread);
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0) done_.notify_one();
  }
}

void ThreadPool::take_pieces(unsigned thread) {
  for (;;) {
    std::int64_t piece = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ == count_) return;
      piece = next_++;
    }
    (*work_)(piece, thread);
  }
}

}  // namespace gradus
