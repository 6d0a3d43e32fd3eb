// Watching a training run: progress while it goes on, its history afterwards.
#pragma once

#include "gradus/train/history.hpp"
#include "gradus/train/progress.hpp"
