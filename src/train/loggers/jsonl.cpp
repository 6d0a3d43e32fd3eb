// JSON lines.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "gradus/train/loggers.hpp"
#include "storage/format.hpp"
#include "train/json_number.hpp"
#include "train/loggers/log_file.hpp"
#include "train/read_entry.hpp"

namespace gradus::train {
namespace {

std::size_t whole_lines(std::string_view bytes) {
  return bytes.rfind('\n') + 1;  // none: npos + 1 is 0
}

class JsonLines : public Callback {
 public:
  JsonLines(const std::string& path, const LoggerOptions& options) : path_(path), options_(options) {
    if (options.every < 0) fail("jsonl_logger: every must not be negative: {}", options.every);
  }

  void on_train_begin(Run&) override {
    file_.open(path_);
    is_cut_ = false;
    kept_ = 0;
  }
  void on_step_end(Run& run) override {
    if (options_.every == 0 || run.step % options_.every != 0) return;
    write({{"step", run.step},
           {"epoch", run.epoch},
           {"batch", run.batch},
           {"loss", json_number(run.loss)},
           {"lr", json_number(run.optimizer.lr())}});
  }
  void on_epoch_end(Run& run) override {
    Json line = {{"step", run.step}, {"epoch", run.epoch}};
    for (const auto& [name, value] : run.row) {
      if (name != "epoch") line[name] = json_number(value);
    }
    write(line);
    file_.sync();
  }
  void on_train_end(Run& run) override {
    if (run.stop_reason) write({{"step", run.step}, {"epoch", run.epoch}, {"stop_reason", *run.stop_reason}});
    file_.sync();
    file_.close();
  }

  std::map<std::string, Tensor> state_dict() const override {
    file_.sync();  // a state that tells of lines must not outlive them
    return {{"length", tensor(std::vector<std::int64_t>{kept_})}};
  }
  void load_state_dict(const std::map<std::string, Tensor>& state) override {
    kept_ = std::max(read_entry<std::int64_t>("jsonl_logger", state, "length", 1)[0], std::int64_t{0});
  }

 private:
  using Json = nlohmann::ordered_json;

  // The first line cuts the file: only then it is known whether the run is resumed.
  void write(const Json& line) {
    if (!is_cut_) file_.cut(kept_);
    is_cut_ = true;
    file_.append(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    kept_ = file_.length();
  }

  std::string path_;
  LoggerOptions options_;
  LogFile file_{"jsonl_logger", whole_lines};
  bool is_cut_ = false;
  std::int64_t kept_ = 0;  // bytes
};

}  // namespace

std::shared_ptr<Callback> jsonl_logger(const std::string& path, const LoggerOptions& options) {
  return std::make_shared<JsonLines>(path, options);
}

}  // namespace gradus::train
