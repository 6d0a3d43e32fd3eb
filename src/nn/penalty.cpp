#include "gradus/nn/penalty.hpp"

#include "gradus/ops.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

// The sum over all parameters of a scalar made of each.
template <class Part>
Tensor total(const char* op, const std::vector<Tensor>& parameters, const Part& part) {
  if (parameters.empty()) fail("{}: there is no parameter", op);
  Tensor result;
  for (const Tensor& p : parameters) {
    if (p.dtype() != parameters[0].dtype()) {
      fail("{}: dtypes of parameters differ: {} and {}", op, parameters[0].dtype(), p.dtype());
    }
    result = result.defined() ? result + part(p) : part(p);
  }
  return result;
}

Tensor sum_of_sizes(const Tensor& p) { return sum(abs(p)); }
Tensor sum_of_squares(const Tensor& p) { return sum(square(p)); }

}  // namespace

Tensor l1_penalty(const std::vector<Tensor>& parameters) { return total("l1_penalty", parameters, sum_of_sizes); }

Tensor l2_penalty(const std::vector<Tensor>& parameters) { return total("l2_penalty", parameters, sum_of_squares); }

Tensor elastic_net_penalty(const std::vector<Tensor>& parameters, const ElasticNetOptions& o) {
  if (!(o.l1 >= 0 && o.l2 >= 0)) {
    fail("elastic_net_penalty: l1 and l2 must be at least 0, got {} and {}", o.l1, o.l2);
  }
  return total("elastic_net_penalty", parameters,
               [&](const Tensor& p) { return o.l1 * sum_of_sizes(p) + o.l2 * sum_of_squares(p); });
}

}  // namespace gradus
