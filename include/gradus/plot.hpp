// Pictures: figures as SVG documents, and reports as HTML pages that need nothing beside them.
#pragma once

#include "gradus/plot/axes.hpp"
#include "gradus/plot/charts.hpp"
#include "gradus/plot/figure.hpp"
#include "gradus/plot/grid.hpp"
#include "gradus/plot/report.hpp"
