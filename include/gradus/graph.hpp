// The tape as a picture.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gradus/tensor.hpp"

namespace gradus {

struct GraphOptions {
  std::int64_t max_nodes = 500;  // ops; of a larger tape only the newest, the others as one node that says how many
};

// The ops that `output` was computed by as a Graphviz digraph, in the direction of the forward pass: ops are ellipses
// with name, shape and dtype, leaves that require a gradient are boxes, edges of ops with several inputs tell which
// one. `names` are those of leaves and of results, for example model.named_parameters(). Tensors that require no
// gradient are not on the tape. Render it with `dot -Tsvg`. Throws if the output has no history or max_nodes is not
// positive.
std::string graph_to_dot(const Tensor& output, const std::vector<std::pair<std::string, Tensor>>& names = {},
                         const GraphOptions& options = {});

}  // namespace gradus
