#include "gradus/train/callbacks/checkpoint.hpp"

#include <filesystem>
#include <map>
#include <string>
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

  // A directory that is missing is better known before an epoch is trained than after.
  void on_train_begin(Run& run) override {
    monitor_.forget();
    const std::filesystem::path directory = std::filesystem::path(path_of(run.epoch + 1)).parent_path();
    std::error_code error;
    if (!directory.empty() && !std::filesystem::is_directory(directory, error)) {
      fail("{}: there is no such directory: {}", name, directory.string());
    }
  }

  void on_epoch_end(Run& run) override {
    std::map<std::string, std::string> metadata{{"epoch", std::to_string(run.epoch)}};
    bool is_better = false;
    if (save_best_only_ || monitor_.is_there(run)) {
      const double value = monitor_.read(run);
      is_better = monitor_.improve(value);
      metadata[monitor_.column()] = formatted("{}", value);
    }
    if (save_best_only_ && !is_better) return;
    save(run.model.state_dict(), path_of(run.epoch), {.metadata = metadata});
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
    for (std::size_t at = path.find(placeholder); at != std::string::npos; at = path.find(placeholder, at)) {
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
