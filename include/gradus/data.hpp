// Datasets, files and mini-batches.
#pragma once

#include "gradus/data/csv.hpp"
#include "gradus/data/dataset.hpp"
#include "gradus/data/digits.hpp"
#include "gradus/data/idx.hpp"
#include "gradus/data/loader.hpp"
#include "gradus/data/mnist.hpp"
#include "gradus/data/scaler.hpp"
#include "gradus/data/stored.hpp"
#include "gradus/data/text.hpp"
