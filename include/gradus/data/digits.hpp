// Real data that needs no file.
#pragma once

#include "gradus/data/dataset.hpp"

namespace gradus::data {

// 1797 handwritten digits of 8x8 pixels: x float32 (1797, 64) in [0, 1], row by row; y int64 (1797,), 0 to 9.
//
// The test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, UCI Machine Learning
// Repository (1998), https://doi.org/10.24432/C50P49, CC BY 4.0; pixel counts 0 to 16 are divided by 16.
Dataset digits();

}  // namespace gradus::data
