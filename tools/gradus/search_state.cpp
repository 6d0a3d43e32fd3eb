#include "gradus/search_state.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <nlohmann/json.hpp>

#include <gradus/error.hpp>

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;

// One write and a flush to the disk: a line is there as a whole, or cut off at the end of the file.
void append(const std::string& path, const std::string& line) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const std::string text = line + '\n';
  const bool written = file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool flushed = written && fsync(file) == 0;
  if (file >= 0) close(file);
  if (!flushed) throw Error("search: " + path + ": cannot be written");
}

double number_of(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

std::string line_of(const Trial& trial) {
  const Json json = {{"trial", trial.number}, {"epochs", trial.epochs}, {"choice", trial.choice},
                     {"score", trial.score},  {"loss", trial.loss},     {"seconds", trial.seconds}};
  return json.dump();
}

Trial trial_of(const std::string& line) {
  const Json json = Json::parse(line);
  return {.number = json.at("trial"),
          .epochs = json.at("epochs"),
          .choice = json.at("choice"),
          .score = number_of(json.at("score")),
          .loss = number_of(json.at("loss")),
          .seconds = json.at("seconds")};
}

}  // namespace

SearchState::SearchState(const std::string& path, const std::string& description)
    : path_(path), description_(description) {
  if (path_.empty()) return;
  if (std::filesystem::exists(path_)) read();
  if (!std::filesystem::exists(path_) || std::filesystem::file_size(path_) == 0) append(path_, description_);
}

void SearchState::read() {
  std::ifstream file(path_, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  // What follows the last line end was cut off when the search was killed; the first line alone may be such a piece.
  const std::size_t end = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  const std::string first = text.substr(0, text.find('\n'));
  if (end == 0 ? !description_.starts_with(text) : first != description_)
    throw Error("search: " + path_ + ": is of another search, or of none: data, options or seed were different");
  if (end < text.size()) std::filesystem::resize_file(path_, end);
  std::stringstream lines(text.substr(0, end));
  std::string line;
  std::getline(lines, line);
  for (int number = 2; std::getline(lines, line); ++number) {
    try {
      const Trial trial = trial_of(line);
      trials_[{trial.number, trial.epochs}] = trial;
    } catch (const nlohmann::json::exception&) {
      throw Error("search: " + path_ + ":" + std::to_string(number) + ": is not a trial");
    }
  }
  taken_up_ = static_cast<std::int64_t>(trials_.size());
}

const Trial* SearchState::find(std::int64_t number, std::int64_t epochs) const {
  const auto found = trials_.find({number, epochs});
  return found == trials_.end() ? nullptr : &found->second;
}

const Trial& SearchState::add(const Trial& trial) {
  if (!path_.empty()) append(path_, line_of(trial));
  return trials_[{trial.number, trial.epochs}] = trial;
}

std::vector<Trial> SearchState::trials() const {
  std::vector<Trial> all;
  for (const auto& [key, trial] : trials_) all.push_back(trial);
  return all;
}

}  // namespace gradus::tool
