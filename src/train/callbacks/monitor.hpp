// What early stopping and checkpoints look at: one column of the history, and the best it has been.
#pragma once

#include <limits>
#include <string>

#include "gradus/train/callback.hpp"

namespace gradus::train {

class Monitor {
 public:
  Monitor(const char* name, const std::string& column, Mode mode, double min_delta = 0)
      : name_(name), column_(column), is_less_(less_is_better(column, mode)), min_delta_(min_delta) {}

  void forget() { best_ = worst(); }
  // The column's value in the row of the epoch. Throws if there is none.
  double read(const Run& run) const;
  bool is_there(const Run& run) const;
  bool is_better(double value, double than) const {
    return is_less_ ? value < than - min_delta_ : value > than + min_delta_;
  }
  // Whether it is the best so far; from now on, then, it is the one to beat.
  bool improve(double value) {
    if (!is_better(value, best_)) return false;
    best_ = value;
    return true;
  }

  double best() const { return best_; }
  void set_best(double best) { best_ = best; }
  const std::string& column() const { return column_; }

 private:
  double worst() const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return is_less_ ? infinity : -infinity;
  }

  const char* name_;
  std::string column_;
  bool is_less_;
  double min_delta_;
  double best_ = worst();
};

}  // namespace gradus::train
