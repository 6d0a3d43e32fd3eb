// Ctrl-C as a wish rather than an end.
#pragma once

namespace gradus::train {

// While one lives, the first SIGINT is only noted; a second one kills, as usual. The last of them, of all threads, puts
// the handler back that there was. Where SIGINT was ignored, as in a job in the background, it still is.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static bool requested();
};

}  // namespace gradus::train
