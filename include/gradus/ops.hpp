// The ops. Each is a pure function of tensors; each records one derivative per input when gradients are on.
//
// Names, arguments and semantics are PyTorch's. Shapes broadcast as in NumPy; every dim may be negative. Dtypes are
// never mixed silently between float32 and float64: that throws. int64 and boolean join a floating operand.
#pragma once

#include "gradus/ops/arithmetic.hpp"
#include "gradus/ops/attention.hpp"
#include "gradus/ops/compare.hpp"
#include "gradus/ops/convolution.hpp"
#include "gradus/ops/dropout.hpp"
#include "gradus/ops/indexing.hpp"
#include "gradus/ops/interpolate.hpp"
#include "gradus/ops/losses.hpp"
#include "gradus/ops/margin_losses.hpp"
#include "gradus/ops/normalisation.hpp"
#include "gradus/ops/pointwise.hpp"
#include "gradus/ops/pooling.hpp"
#include "gradus/ops/products.hpp"
#include "gradus/ops/rearrange.hpp"
#include "gradus/ops/recurrent.hpp"
#include "gradus/ops/reduce.hpp"
#include "gradus/ops/regression_losses.hpp"
#include "gradus/ops/sorting.hpp"
#include "gradus/ops/views.hpp"
