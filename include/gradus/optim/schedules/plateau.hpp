// The schedule that listens: it follows a metric, not time.
#pragma once

#include <cstdint>

#include "gradus/optim/schedules/per_group.hpp"
#include "gradus/optim/schedules/schedule.hpp"

namespace gradus::optim {

enum class PlateauMode : std::uint8_t { min, max };  // a better metric is less, or more
enum class ThresholdMode : std::uint8_t { rel, abs };

struct ReduceLROnPlateauOptions {
  PlateauMode mode = PlateauMode::min;
  double factor = 0.1;
  std::int64_t patience = 10;
  double threshold = 1e-4;
  ThresholdMode threshold_mode = ThresholdMode::rel;
  std::int64_t cooldown = 0;
  PerGroup<double> min_lr = 0.0;
  double eps = 1e-8;
};

// Multiplies each rate by `factor`, down to min_lr, once the metric has not been better than the best by the threshold
// for more than `patience` steps; then lets `cooldown` steps pass. A change of at most eps is not made. A metric of NaN
// is not better.
class ReduceLROnPlateau final : public LRScheduler {
 public:
  explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {});

  void step(double metric);

  double best() const { return best_; }
  PlateauMode mode() const { return options_.mode; }

  // "last_epoch", "best", "num_bad_epochs", "cooldown_counter" and "_last_lr".
  std::map<std::string, Tensor> state_dict() const override;
  void load_state_dict(const std::map<std::string, Tensor>& state) override;

 private:
  [[noreturn]] void step() override;  // throws: there is no metric
  bool is_better(double metric) const;
  std::vector<double> reduced() const;

  ReduceLROnPlateauOptions options_;
  double best_;
  std::int64_t bad_steps_ = 0;
  std::int64_t cooldown_left_ = 0;
};

}  // namespace gradus::optim
