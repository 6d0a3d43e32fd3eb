// Every failure that a caller can cause is an Error: one line with the op, the rule and the received values.
#pragma once

#include <stdexcept>

namespace gradus {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace gradus
