// Training: the loop, who watches it while it goes on, and its history afterwards.
#pragma once

#include "gradus/train/callback.hpp"
#include "gradus/train/callbacks/checkpoint.hpp"
#include "gradus/train/callbacks/early_stopping.hpp"
#include "gradus/train/callbacks/functions.hpp"
#include "gradus/train/diagnose.hpp"
#include "gradus/train/fit.hpp"
#include "gradus/train/gradient_monitor.hpp"
#include "gradus/train/history.hpp"
#include "gradus/train/landscape.hpp"
#include "gradus/train/landscape_page.hpp"
#include "gradus/train/loggers.hpp"
#include "gradus/train/metric.hpp"
#include "gradus/train/metrics.hpp"
#include "gradus/train/progress.hpp"
