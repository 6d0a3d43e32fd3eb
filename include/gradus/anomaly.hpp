// Finds the first op that makes a NaN or an infinity.
#pragma once

namespace gradus {

struct AnomalyOptions {
  bool infinite = true;  // infinities count as well; off for programs that mask with -inf
};

// While on, on this thread, the first recorded op whose value is NaN or infinite throws an Error from within, and in a
// backward pass so does the first derivative that is. The Error names the op, its place among the ops recorded since,
// the element, whether its inputs were still finite and where in the program it was recorded: file and line if the
// program was compiled with -g, else the function. It costs a look at every value, and a stack trace for every op.
void set_detect_anomaly(bool mode, const AnomalyOptions& options = {});
bool is_anomaly_enabled();

// Switches it on, or off, for a scope.
class DetectAnomaly {
 public:
  explicit DetectAnomaly(bool mode = true, const AnomalyOptions& options = {});
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  bool previous_mode_;
  AnomalyOptions previous_options_;
};

}  // namespace gradus
