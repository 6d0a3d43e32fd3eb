// Everything that Gradus offers, but for the bridge to xtensor (gradus/xtensor.hpp).
#pragma once

#include "gradus/autograd.hpp"
#include "gradus/custom_op.hpp"
#include "gradus/data.hpp"
#include "gradus/dtype.hpp"
#include "gradus/error.hpp"
#include "gradus/factory.hpp"
#include "gradus/gradcheck.hpp"
#include "gradus/memory.hpp"
#include "gradus/nn.hpp"
#include "gradus/ops.hpp"
#include "gradus/optim.hpp"
#include "gradus/random.hpp"
#include "gradus/shape.hpp"
#include "gradus/tensor.hpp"
#include "gradus/threads.hpp"
#include "gradus/train.hpp"
