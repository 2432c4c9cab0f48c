// Threads that take numbered pieces of work.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace gradus {

/// A pool that lives as long as its owner; the calling thread works too, so a pool of 1 starts no thread.
class ThreadPool {
 public:
  /// `threads` at least 1; 0 means one for each core that this process may use.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned size() const { return static_cast<unsigned>(workers_.size()) + 1; }
  /// Calls `work(piece, thread)` for pieces 0 … count-1, in any order, `thread` below size(); returns when all are
  /// done.
  void run(std::int64_t count, const std::function<void(std::int64_t, unsigned)>& work);

 private:
  void serve(unsigned thread);
  void take_pieces(unsigned thread);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::int64_t, unsigned)>* work_ = nullptr;
  std::int64_t next_ = 0, count_ = 0;
  std::uint64_t round_ = 0;
  unsigned busy_ = 0;
  bool stop_ = false;
};

/// The number of cores that this process may use.
unsigned available_cores();

}  // namespace gradus
