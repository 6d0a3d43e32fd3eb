// Schedules: learning rates as functions of time. Construct one on an optimizer, call step() after the optimizer's.
#pragma once

#include "gradus/optim/schedules/annealing.hpp"
#include "gradus/optim/schedules/composition.hpp"
#include "gradus/optim/schedules/cycles.hpp"
#include "gradus/optim/schedules/decay.hpp"
#include "gradus/optim/schedules/per_group.hpp"
#include "gradus/optim/schedules/plateau.hpp"
#include "gradus/optim/schedules/schedule.hpp"
#include "gradus/optim/schedules/swa.hpp"
#include "gradus/optim/schedules/warmup.hpp"
