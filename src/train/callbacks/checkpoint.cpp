#include "gradus/train/callbacks/checkpoint.hpp"

#include <string_view>

#include "gradus/factory.hpp"
#include "gradus/io.hpp"
#include "optim/schedules/state.hpp"
#include "storage/format.hpp"
#include "train/callbacks/monitor.hpp"
#include "train/state.hpp"

namespace gradus::train {
namespace {

constexpr const char* name = "checkpoint";

class Checkpoint final : public Callback {
 public:
  Checkpoint(const std::string& path, const CheckpointOptions& options)
      : path_(path), save_best_only_(options.save_best_only), monitor_(name, options.monitor, options.mode) {
    if (path.empty()) fail("{}: the path is empty", name);
  }

  void on_train_begin(Run&) override { monitor_.forget(); }

  void on_epoch_end(Run& run) override {
    const double value = monitor_.read(run);
    const bool is_better = monitor_.improve(value);
    if (save_best_only_ && !is_better) return;
    save(run.model.state_dict(), path_of(run.epoch),
         {.metadata = {{"epoch", std::to_string(run.epoch)}, {monitor_.column(), fmt::format("{}", value)}}});
  }

  StateDict state_dict() const override { return {{"best", tensor(monitor_.best(), {.dtype = float64})}}; }

  void load_state_dict(const StateDict& state) override {
    optim::StateReader reader(name, state);
    const double best = reader.number("best");
    reader.finish();
    monitor_.set_best(best);
  }

 private:
  std::string path_of(std::int64_t epoch) const {
    constexpr std::string_view placeholder = "{epoch}";
    std::string path = path_;
    if (const std::size_t at = path.find(placeholder); at != std::string::npos) {
      path.replace(at, placeholder.size(), std::to_string(epoch));
    }
    return path;
  }

  std::string path_;
  bool save_best_only_;
  Monitor monitor_;
};

}  // namespace

std::shared_ptr<Callback> checkpoint(const std::string& path, const CheckpointOptions& options) {
  return std::make_shared<Checkpoint>(path, options);
}

}  // namespace gradus::train
