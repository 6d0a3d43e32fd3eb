// Parts of the engine that gradient checking calls op by op.
#pragma once

#include "autograd/node.hpp"

namespace gradus {

// A VJP's result, summed down to the shape of the input that the edge leads to. Throws if it does not fit.
Tensor fitted(const Node& node, const Edge& edge, Tensor gradient);

}  // namespace gradus
