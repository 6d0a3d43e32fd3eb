#include "gradus/train/loggers.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>

#include "gradus/factory.hpp"
#include "gradus/nn.hpp"
#include "gradus/optim/sgd.hpp"
#include "gradus/train.hpp"
#include "messages.hpp"
#include "temporary.hpp"
#include "train/loggers/tfevents.hpp"

using namespace gradus;
using tests::message_of;
using tests::read_file;
using tests::TemporaryDirectory;
using train::crc32c;
using Json = nlohmann::ordered_json;

namespace {

// Calls a callback as fit() would, without a training that takes time.
class FakeRun {
 public:
  explicit FakeRun(train::Callback& callback) : callback_(callback) {}

  void begin() { callback_.on_train_begin(run); }
  // Three steps, of losses 1 / step.
  void epoch(std::int64_t number) {
    run.epoch = number;
    for (run.batch = 0; run.batch < 3; ++run.batch) {
      run.step = 3 * (number - 1) + run.batch + 1;
      run.loss = 1.0 / static_cast<double>(run.step);
      callback_.on_step_end(run);
    }
    run.row = {{"epoch", static_cast<double>(number)}, {"loss", run.loss}, {"valid_loss", NAN}};
    callback_.on_epoch_end(run);
  }
  void end() { callback_.on_train_end(run); }

 private:
  train::Callback& callback_;
  nn::Linear model_{1, 1};
  optim::SGD optimizer_{model_.parameters(), {.lr = 0.5}};
  train::History history_;

 public:
  train::Run run{.model = model_, .optimizer = optimizer_, .history = history_};
};

// What is left of the file of a run that was killed in its third epoch, and was resumed from its state after the
// second.
template <class Make>
std::string resumed(const Make& make, const std::function<std::string()>& content) {
  std::map<std::string, Tensor> state;
  {
    const auto logger = make();
    FakeRun run(*logger);
    run.begin();
    run.epoch(1);
    run.epoch(2);
    state = logger->state_dict();
    run.epoch(3);
  }
  const auto logger = make();
  FakeRun run(*logger);
  run.begin();
  logger->load_state_dict(state);
  run.epoch(3);
  run.end();
  return content();
}

struct Record {
  std::int64_t step = 0;
  std::string version;
  std::vector<std::pair<std::string, float>> scalars;
};

// A reader of event files that shares nothing with the writer but the CRC.
class EventReader {
 public:
  explicit EventReader(std::string bytes) : bytes_(std::move(bytes)) {}

  bool at_end() const { return position_ == bytes_.size(); }

  Record next() {
    const std::string length = take(8);
    check_crc(length);
    std::uint64_t size = 0;
    std::memcpy(&size, length.data(), 8);
    const std::string data = take(size);
    check_crc(data);
    Record record;
    EventReader fields(data);
    while (!fields.at_end()) {
      const std::uint64_t key = fields.varint();
      if (key == (1 << 3 | 1))
        fields.take(8);  // the time
      else if (key == (2 << 3 | 0))
        record.step = static_cast<std::int64_t>(fields.varint());
      else if (key == (3 << 3 | 2))
        record.version = fields.take(fields.varint());
      else if (key == (5 << 3 | 2))
        record.scalars = EventReader(fields.take(fields.varint())).summary();
      else
        FAIL("an unknown field of an event: ", key);
    }
    return record;
  }

 private:
  std::vector<std::pair<std::string, float>> summary() {
    std::vector<std::pair<std::string, float>> scalars;
    while (!at_end()) {
      REQUIRE(varint() == (1 << 3 | 2));
      EventReader value(take(varint()));
      REQUIRE(value.varint() == (1 << 3 | 2));
      const std::string tag = value.take(value.varint());
      REQUIRE(value.varint() == (2 << 3 | 5));
      const std::string bytes = value.take(4);
      float number = 0;
      std::memcpy(&number, bytes.data(), 4);
      scalars.emplace_back(tag, number);
    }
    return scalars;
  }

  void check_crc(const std::string& data) {
    const std::string bytes = take(4);
    std::uint32_t masked = 0;
    std::memcpy(&masked, bytes.data(), 4);
    CHECK(std::rotl(masked - 0xa282ead8U, 15) == crc32c(data));
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
  }
  std::string take(std::uint64_t count) {
    REQUIRE(count <= bytes_.size() - position_);
    position_ += count;
    return bytes_.substr(position_ - count, count);
  }

  std::string bytes_;
  std::size_t position_ = 0;
};

std::string only_file(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) paths.push_back(entry.path());
  REQUIRE(paths.size() == 1);
  return paths[0];
}

}  // namespace

TEST_CASE("JSON lines tell of epochs, of steps if asked to, and why a run stopped") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("log.jsonl", "of an earlier run\n");
  const auto logger = train::jsonl_logger(path, {.every = 2});
  FakeRun run(*logger);
  run.begin();
  run.epoch(1);
  CHECK(read_file(path) ==
        "{\"step\":2,\"epoch\":1,\"batch\":1,\"loss\":0.5,\"lr\":0.5}\n"
        "{\"step\":3,\"epoch\":1,\"loss\":0.3333333333333333,\"valid_loss\":null}\n");
  run.epoch(2);
  run.run.stop("early \"stopping\"");
  run.end();
  std::istringstream lines(read_file(path));
  std::vector<Json> records;
  for (std::string line; std::getline(lines, line);) records.push_back(Json::parse(line));
  REQUIRE(records.size() == 6);
  CHECK(records[5]["stop_reason"] == "early \"stopping\"");
  CHECK(records[4]["step"] == 6);
}

TEST_CASE("logs of a run that was killed and resumed are those of an unbroken run") {
  const TemporaryDirectory directory;
  const auto lines = [&](const std::string& name) { return train::jsonl_logger(directory.path(name), {.every = 1}); };
  const auto unbroken = lines("unbroken");
  FakeRun run(*unbroken);
  run.begin();
  for (const std::int64_t epoch : {1, 2, 3}) run.epoch(epoch);
  run.end();
  CHECK(resumed([&] { return lines("resumed"); }, [&] { return read_file(directory.path("resumed")); }) ==
        read_file(directory.path("unbroken")));

  const std::string log_dir = directory.path("runs/one");
  EventReader events(
      resumed([&] { return train::tensorboard(log_dir); }, [&] { return read_file(only_file(log_dir)); }));
  for (std::int64_t epoch = 0; epoch <= 3; ++epoch) CHECK(events.next().step == epoch);
  CHECK(events.at_end());
}

TEST_CASE("a log that lost its end goes on behind its last whole record") {
  const TemporaryDirectory directory;
  const std::string lines = directory.path("log.jsonl"), log_dir = directory.path("runs");
  for (const std::int64_t lost : {1, 20}) {
    CAPTURE(lost);
    std::filesystem::remove_all(log_dir);
    const auto go_on = [&](const auto& make, const auto& path_of) {
      const auto first = make();
      FakeRun run(*first);
      run.begin();
      run.epoch(1);
      const auto whole = std::filesystem::file_size(path_of());
      run.epoch(2);
      const auto state = first->state_dict();
      const std::string path = path_of(), before = read_file(path).substr(0, whole);
      std::filesystem::resize_file(path, std::filesystem::file_size(path) - static_cast<std::uintmax_t>(lost));
      const auto second = make();
      FakeRun resumed(*second);
      resumed.begin();
      second->load_state_dict(state);
      resumed.epoch(3);
      const std::string after = read_file(path);
      CHECK(after.starts_with(before));
      return after;
    };
    const std::string text = go_on([&] { return train::jsonl_logger(lines); }, [&] { return lines; });
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
    CHECK(Json::parse(text.substr(text.find('\n')))["epoch"] == 3);
    EventReader events(go_on([&] { return train::tensorboard(log_dir); }, [&] { return only_file(log_dir); }));
    for (const std::int64_t epoch : {0, 1, 3}) CHECK(events.next().step == epoch);
    CHECK(events.at_end());
  }
  CHECK(train::whole_tf_records(std::string(64, '\0')) == 0);  // as some file systems leave after a crash
  CHECK(train::whole_tf_records(std::string(64, '\xff')) == 0);
}

TEST_CASE("JSON lines may go into a pipe") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("pipe");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  const auto logger = train::jsonl_logger(path);
  FakeRun run(*logger);
  run.begin();
  run.epoch(1);
  run.epoch(2);
  run.end();
  std::array<char, 1000> bytes{};
  const auto count = read(reader, bytes.data(), bytes.size());
  close(reader);
  CHECK(std::count(bytes.begin(), bytes.begin() + count, '\n') == 2);
}

TEST_CASE("a training that breaks off and is resumed logs each line once") {
  const TemporaryDirectory directory;
  const data::Dataset set(linspace(-1, 1, 12).reshape({12, 1}), linspace(0, 1, 12).reshape({12, 1}));
  // All steps, or until the step of that number, where something goes wrong.
  const auto log_of = [&](const std::string& name, const std::vector<std::int64_t>& broken_at) {
    std::vector<std::int64_t> ends = broken_at;
    ends.push_back(0);
    for (const std::int64_t end : ends) {
      manual_seed(3);
      nn::Linear model(1, 1);
      optim::SGD optimizer(model.parameters(), {.lr = 0.1});
      const auto breaking = train::lambda_callback({.on_batch_end = [end](train::Run& run) {
        if (run.step == end) throw std::runtime_error("broken");
      }});
      try {
        train::fit(model, nn::MSELoss(), optimizer, set,
                   {.epochs = 3,
                    .batch_size = 3,
                    .callbacks = {train::jsonl_logger(directory.path(name + ".jsonl"), {.every = 1}), breaking},
                    .seed = 1,
                    .resume = directory.path(name + ".run"),
                    .save_every = 3,
                    .progress = false});
      } catch (const std::runtime_error&) {
      }
    }
    std::vector<Json> lines;
    std::istringstream text(read_file(directory.path(name + ".jsonl")));
    for (std::string line; std::getline(text, line);) {
      lines.push_back(Json::parse(line));
      lines.back().erase("seconds");
    }
    return lines;
  };
  const std::vector<Json> unbroken = log_of("unbroken", {});
  CHECK(unbroken.size() == 15);
  CHECK(log_of("broken", {2, 5, 8, 11}) == unbroken);
}

TEST_CASE("CRC-32C is that of RFC 3720") {
  std::string ascending, descending;
  for (char i = 0; i < 32; ++i) ascending += i, descending += static_cast<char>(31 - i);
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c(ascending) == 0x46dd794e);
  CHECK(crc32c(descending) == 0x113fdb5c);
}

TEST_CASE("an event file holds the columns of each epoch in TensorFlow's framing") {
  const TemporaryDirectory directory;
  const auto logger = train::tensorboard(directory.path("runs"), {.every = 3});
  FakeRun run(*logger);
  run.begin();
  run.epoch(1);
  run.epoch(200);
  const std::string path = only_file(directory.path("runs")), bytes = read_file(path);
  CHECK(path.find("events.out.tfevents.") != std::string::npos);
  // As every file of TensorFlow's begins: 24, the masked CRC of that, and the time.
  CHECK(bytes.starts_with(std::string("\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\x09", 13)));
  EventReader events(bytes);
  CHECK(events.next().version == "brain.Event:2");
  using Scalars = std::vector<std::pair<std::string, float>>;
  CHECK(events.next().scalars == Scalars{{"batch/loss", 1.0F / 3}, {"batch/lr", 0.5F}});
  const Record first = events.next();
  CHECK(first.step == 1);
  REQUIRE(first.scalars.size() == 2);
  CHECK(first.scalars[0] == std::pair<std::string, float>("loss", 1.0F / 3));
  CHECK(first.scalars[1].first == "valid_loss");
  CHECK(std::isnan(first.scalars[1].second));
  CHECK(events.next().step == 600);
  CHECK(events.next().step == 200);
  CHECK(events.at_end());
}

TEST_CASE("a log that cannot be written, and options that make no sense, are refused") {
  const TemporaryDirectory directory;
  const auto logger = train::jsonl_logger(directory.path("absent/log"));
  FakeRun run(*logger);
  CHECK(message_of([&] { run.begin(); }) ==
        "jsonl_logger: " + directory.path("absent/log") + ": cannot be written: No such file or directory");
  CHECK(message_of([] { train::jsonl_logger("", {.every = -1}); }) == "jsonl_logger: every must not be negative: -1");
  CHECK(message_of([] { train::tensorboard("", {.every = -1}); }) == "tensorboard: every must not be negative: -1");
  CHECK(message_of([&] { logger->load_state_dict({}); }) == "jsonl_logger: its state has no entry length");
  const auto in_file = train::tensorboard(directory.write("file", ""));
  CHECK(message_of([&] { FakeRun(*in_file).begin(); }) ==
        "tensorboard: " + directory.path("file") + ": cannot be written: Not a directory");
  const auto events = train::tensorboard(directory.path("runs"));
  auto state = events->state_dict();
  state["name"] = tensor(std::vector<std::int64_t>{'.', '.', '/', 'x'});
  CHECK(message_of([&] { events->load_state_dict(state); }) == "tensorboard: not the name of an event file: ../x");
}
