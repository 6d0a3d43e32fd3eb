#include "gradus/data/loader.hpp"

#include <algorithm>

#include "gradus/error.hpp"
#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus::data {
namespace {

// Each epoch draws from its own stretch of the generator's counter; the first stretch is left to others with that seed.
constexpr int epoch_stride_bits = 40;

Dataset without_history(const Dataset& dataset) {
  return {dataset.x.detach().contiguous(), dataset.y.detach().contiguous()};
}

}  // namespace

DataLoader::DataLoader(Dataset dataset, const LoaderOptions& options)
    : dataset_(without_history(dataset)), options_(options) {
  if (options.batch_size <= 0) {
    throw Error(formatted("DataLoader: batch_size must be positive: {}", options.batch_size));
  }
  if (options.seed)
    seed_ = *options.seed;
  else if (options.shuffle)
    seed_ = default_generator().next();
}

std::int64_t DataLoader::size() const {
  const std::int64_t whole = dataset_.size() / options_.batch_size;
  return whole + (!options_.drop_last && dataset_.size() % options_.batch_size != 0 ? 1 : 0);
}

void DataLoader::set_next_epoch(std::int64_t epoch) {
  if (epoch < 0) throw Error(formatted("DataLoader: the number of an epoch can't be negative: {}", epoch));
  next_epoch_ = epoch;
}

Tensor DataLoader::order(std::int64_t epoch) const {
  if (!options_.shuffle) return {};
  Generator generator(seed_);
  generator.set_position(static_cast<std::uint64_t>(epoch + 1) << epoch_stride_bits);
  return randperm(dataset_.size(), {.generator = &generator});
}

DataLoader::Iterator DataLoader::begin() { return {*this, order(next_epoch_++)}; }

DataLoader::Iterator::Iterator(const DataLoader& loader, Tensor order)
    : dataset_(loader.dataset_), order_(std::move(order)), batch_size_(loader.options_.batch_size) {
  end_ = std::min(dataset_.size(), loader.size() * batch_size_);
}

Dataset DataLoader::Iterator::operator*() const {
  const std::int64_t count = std::min(batch_size_, end_ - start_);
  if (!order_.defined()) {
    return {dataset_.x.narrow(0, start_, count).clone(), dataset_.y.narrow(0, start_, count).clone()};
  }
  const Tensor rows = order_.narrow(0, start_, count);
  return {index_select(dataset_.x, 0, rows), index_select(dataset_.y, 0, rows)};
}

}  // namespace gradus::data
