#include "train/callbacks/monitor.hpp"

#include <algorithm>

#include "gradus/error.hpp"
#include "storage/format.hpp"

namespace gradus::train {

bool Monitor::is_there(const Run& run) const {
  return std::ranges::find(run.row, column_, &NamedValue::first) != run.row.end();
}

double Monitor::read(const Run& run) const {
  std::string names;
  for (const auto& [name, value] : run.row) {
    if (name == column_) return value;
    names += (names.empty() ? "" : ", ") + name;
  }
  throw Error(formatted("{}: there is no column named \"{}\" to monitor among {}", name_, column_, names));
}

}  // namespace gradus::train
