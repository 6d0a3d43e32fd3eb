// The trials of a search, in a file of JSON lines that grows as they end: who kills the search loses the trial at hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gradus::tool {

struct Trial {
  std::int64_t number = 0;  // of the configuration
  std::int64_t epochs = 0;  // that it was trained for
  std::vector<std::string> choice = {};
  double score = 0;  // the best of the validation set; NaN if it never was a number
  double loss = 0;
  double seconds = 0;
};

class SearchState {
 public:
  // Takes up what the file holds, a half-written last line excepted. Without a path, nothing is kept. Throws if the
  // file is that of another search: `description` is the first line, and must be the same.
  SearchState(const std::string& path, const std::string& description);

  // The trial, if it has been made before.
  const Trial* find(std::int64_t number, std::int64_t epochs) const;
  const Trial& add(const Trial& trial);
  std::vector<Trial> trials() const;
  std::int64_t taken_up() const { return taken_up_; }

 private:
  void read();

  std::string path_;
  std::string description_;
  std::map<std::pair<std::int64_t, std::int64_t>, Trial> trials_;
  std::int64_t taken_up_ = 0;
};

}  // namespace gradus::tool
