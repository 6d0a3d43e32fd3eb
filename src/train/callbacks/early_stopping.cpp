#include "gradus/train/callbacks/early_stopping.hpp"

#include <algorithm>
#include <utility>

#include "gradus/factory.hpp"
#include "optim/schedules/state.hpp"
#include "storage/format.hpp"
#include "train/callbacks/monitor.hpp"
#include "train/state.hpp"

namespace gradus::train {
namespace {

constexpr const char* name = "early_stopping";

class EarlyStopping final : public Callback {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options)
      : options_(options), monitor_(name, options.monitor, options.mode, options.min_delta) {
    if (options.patience < 0) fail("{}: patience must be at least 0: {}", name, options.patience);
    if (!(options.min_delta >= 0)) fail("{}: min_delta must be at least 0: {}", name, options.min_delta);
    if (options.start_from_epoch < 0) {
      fail("{}: start_from_epoch must be at least 0: {}", name, options.start_from_epoch);
    }
  }

  void on_train_begin(Run& run) override {
    model_ = run.model.state_dict();
    monitor_.forget();
    wait_ = best_epoch_ = 0;
    best_weights_.clear();
  }

  void on_epoch_end(Run& run) override {
    const double value = monitor_.read(run);
    if (run.epoch <= options_.start_from_epoch) return;
    ++wait_;
    if (monitor_.improve(value)) {
      best_epoch_ = run.epoch;
      if (options_.restore_best_weights) best_weights_ = copies(run.model.state_dict());
      if (!options_.baseline || monitor_.is_better(value, *options_.baseline)) wait_ = 0;
      return;
    }
    if (wait_ >= options_.patience) run.stop(reason());
  }

  void on_train_end(Run& run) override {
    if (!best_weights_.empty()) run.model.load_state_dict(best_weights_);
  }

  StateDict state_dict() const override {
    StateDict state{{"wait", tensor(wait_)},
                    {"best_epoch", tensor(best_epoch_)},
                    {"best", tensor(monitor_.best(), {.dtype = float64})}};
    add_part(state, "weights.", best_weights_);
    return state;
  }

  void load_state_dict(const StateDict& state) override {
    StateDict rest = state;
    StateDict best_weights = take_part(rest, "weights.");
    optim::StateReader reader(name, rest);
    const std::int64_t wait = reader.count("wait"), best_epoch = reader.count("best_epoch");
    const double best = reader.number("best");
    reader.finish();
    if (options_.restore_best_weights && best_epoch > 0)
      check_weights(best_weights);
    else if (!best_weights.empty())
      fail("{}: there are best weights, but nothing that asks for them", name);
    wait_ = wait;
    best_epoch_ = best_epoch;
    monitor_.set_best(best);
    best_weights_ = std::move(best_weights);
  }

 private:
  std::string reason() const {
    const std::string best =
        best_epoch_ > 0 ? formatted("got no better than {:.6g}", monitor_.best()) : "had no value to keep";
    return formatted("{}: {} {} in {} {}", name, options_.monitor, best, wait_, wait_ == 1 ? "epoch" : "epochs");
  }

  void check_weights(const StateDict& weights) const {
    const auto alike = [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.dtype() == b.second.dtype() && a.second.shape() == b.second.shape();
    };
    if (!std::ranges::equal(weights, model_, alike)) fail("{}: the best weights are not those of the model", name);
  }

  EarlyStoppingOptions options_;
  Monitor monitor_;
  std::int64_t wait_ = 0;
  std::int64_t best_epoch_ = 0;
  StateDict best_weights_;
  StateDict model_;  // what they are to fit
};

}  // namespace

std::shared_ptr<Callback> early_stopping(const EarlyStoppingOptions& options) {
  return std::make_shared<EarlyStopping>(options);
}

}  // namespace gradus::train
