// Optimizers: how parameters move. Schedules: how their rates do.
#pragma once

#include "gradus/optim/adadelta.hpp"
#include "gradus/optim/adagrad.hpp"
#include "gradus/optim/adam.hpp"
#include "gradus/optim/adamax.hpp"
#include "gradus/optim/asgd.hpp"
#include "gradus/optim/bias_correction.hpp"
#include "gradus/optim/closure.hpp"
#include "gradus/optim/lion.hpp"
#include "gradus/optim/nadam.hpp"
#include "gradus/optim/optimizer.hpp"
#include "gradus/optim/radam.hpp"
#include "gradus/optim/rmsprop.hpp"
#include "gradus/optim/rprop.hpp"
#include "gradus/optim/schedules.hpp"
#include "gradus/optim/sgd.hpp"
#include "gradus/optim/state.hpp"
