// Event files for TensorBoard.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <vector>

#include "gradus/train/loggers.hpp"
#include "storage/format.hpp"
#include "train/loggers/log_file.hpp"
#include "train/loggers/tfevents.hpp"
#include "train/read_entry.hpp"

namespace gradus::train {
namespace {

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// TensorBoard reads the files of a directory in the order of their names.
std::string new_file_name() {
  static std::atomic<unsigned> counter = 0;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return formatted("events.out.tfevents.{:010}.{}.{}.{}", static_cast<std::int64_t>(wall_time()), host.data(), getpid(),
                   counter++);
}

class TensorBoard : public Callback {
 public:
  TensorBoard(const std::string& log_dir, const LoggerOptions& options) : log_dir_(log_dir), options_(options) {
    if (options.every < 0) fail("tensorboard: every must not be negative: {}", options.every);
  }

  void on_train_begin(Run&) override {
    file_.close();
    name_ = new_file_name();
    kept_ = 0;
    std::error_code error;
    std::filesystem::create_directories(log_dir_, error);  // if it can't, the next line says so
    if (access((log_dir_ + "/.").c_str(), W_OK | X_OK) != 0)
      fail("tensorboard: {}: cannot be written: {}", log_dir_, std::generic_category().message(errno));
  }
  void on_step_end(Run& run) override {
    if (options_.every == 0 || run.step % options_.every != 0) return;
    const NamedValue scalars[] = {{"batch/loss", run.loss}, {"batch/lr", run.optimizer.lr()}};
    write(run.step, scalars);
  }
  void on_epoch_end(Run& run) override {
    std::vector<NamedValue> scalars = run.row;
    std::erase_if(scalars, [](const NamedValue& scalar) { return scalar.first == "epoch"; });
    write(run.epoch, scalars);
    file_.sync();
  }
  void on_train_end(Run&) override {
    file_.sync();
    file_.close();
  }

  std::map<std::string, Tensor> state_dict() const override {
    file_.sync();
    return {{"name", tensor(std::vector<std::int64_t>(name_.begin(), name_.end()))},
            {"length", tensor(std::vector<std::int64_t>{kept_})}};
  }
  void load_state_dict(const std::map<std::string, Tensor>& state) override {
    std::string name;
    for (const std::int64_t c : read_entry<std::int64_t>("tensorboard", state, "name")) name += static_cast<char>(c);
    if (!name.starts_with("events.out.tfevents.") ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string::npos)
      fail("tensorboard: not the name of an event file: {}", name);
    name_ = name;
    kept_ = std::max(read_entry<std::int64_t>("tensorboard", state, "length", 1)[0], std::int64_t{0});
  }

 private:
  // By the first record: only then it is known whether the run is resumed.
  void open() {
    file_.open((std::filesystem::path(log_dir_) / name_).string());
    file_.cut(kept_);
    if (file_.length() == 0) file_.append(tf_record(version_event(wall_time())));
  }

  void write(std::int64_t step, std::span<const NamedValue> scalars) {
    if (!file_.is_open()) open();
    file_.append(tf_record(scalar_event(wall_time(), step, scalars)));
    kept_ = file_.length();
  }

  std::string log_dir_;
  LoggerOptions options_;
  LogFile file_{"tensorboard", whole_tf_records};
  std::string name_;
  std::int64_t kept_ = 0;  // bytes
};

}  // namespace

std::shared_ptr<Callback> tensorboard(const std::string& log_dir, const LoggerOptions& options) {
  return std::make_shared<TensorBoard>(log_dir, options);
}

}  // namespace gradus::train
