// Mini-batches: `for (const auto& [x, y] : loader)` goes through a dataset once.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>

#include "gradus/data/dataset.hpp"

namespace gradus::data {

struct LoaderOptions {
  std::int64_t batch_size = 1;
  bool shuffle = false;
  bool drop_last = false;                  // leave out the last batch if it is smaller than the others
  std::optional<std::uint64_t> seed = {};  // of the shuffling; default: drawn from the global generator
};

// Each batch is a copy and the caller's own. Every begin() starts the next epoch; its order depends only on the seed
// and on the number of the epoch.
class DataLoader {
 public:
  class Iterator;

  // Throws unless batch_size > 0.
  explicit DataLoader(Dataset dataset, const LoaderOptions& options = {});

  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  // Batches per epoch.
  std::int64_t size() const;
  const Dataset& dataset() const { return dataset_; }
  std::uint64_t seed() const { return seed_; }

  // The number of the epoch that the next begin() starts, from 0. Setting it resumes an interrupted run.
  std::int64_t next_epoch() const { return next_epoch_; }
  void set_next_epoch(std::int64_t epoch);

 private:
  Tensor order(std::int64_t epoch) const;

  Dataset dataset_;
  LoaderOptions options_;
  std::uint64_t seed_ = 0;
  std::int64_t next_epoch_ = 0;
};

class DataLoader::Iterator {
 public:
  using value_type = Dataset;
  using difference_type = std::int64_t;

  Dataset operator*() const;
  Iterator& operator++() {
    start_ += batch_size_;
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return start_ >= end_; }

 private:
  friend class DataLoader;
  Iterator(const DataLoader& loader, Tensor order);

  // Handles, not a pointer to the loader: an iterator stays valid when its loader moves or dies.
  Dataset dataset_;
  Tensor order_;  // undefined: not shuffled
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::int64_t batch_size_ = 1;
};

}  // namespace gradus::data
