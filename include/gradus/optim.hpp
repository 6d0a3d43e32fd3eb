// Optimizers: how parameters move.
#pragma once

#include "gradus/optim/adam.hpp"
#include "gradus/optim/closure.hpp"
#include "gradus/optim/optimizer.hpp"
#include "gradus/optim/sgd.hpp"
#include "gradus/optim/state.hpp"
