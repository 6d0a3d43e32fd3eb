// The pictures of a run.
#pragma once

#include "gradus/plot/report.hpp"
#include "train/report/columns.hpp"

namespace gradus::train {

// Each adds its section, if the history has the columns for it and a finite value in them.
void report_curves(plot::Report& report, const History& history, const Columns& columns);
void report_steps(plot::Report& report, const History& history, const Columns& columns);

}  // namespace gradus::train
