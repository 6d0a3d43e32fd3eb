#include "gradus/network_landscape.hpp"

#include <fmt/format.h>

#include <vector>

#include <gradus/data/digits.hpp>
#include <gradus/nn.hpp>
#include <gradus/ops.hpp>
#include <gradus/optim.hpp>
#include <gradus/plot/report.hpp>
#include <gradus/random.hpp>
#include <gradus/train/fit.hpp>
#include <gradus/train/landscape.hpp>
#include <gradus/train/metrics.hpp>

namespace gradus::tool {
namespace {

plot::Figure slice_figure(const plot::Grid& grid) {
  plot::Figure figure({.title = "The loss around the trained weights", .panel_width = 620, .panel_height = 520});
  figure.axes({.x_label = "first random direction", .y_label = "second random direction", .equal = true})
      .contour(grid, {.levels = 16, .filled = true, .log = true})
      .scatter({0}, {0}, {.label = "the trained weights", .color = "C1", .marker = '*', .size = 12});
  return figure;
}

plot::Figure line_figure(const train::LossLine& line) {
  plot::Figure figure({.title = "Along the first direction", .panel_width = 620, .panel_height = 340});
  figure.axes({.x_label = "share of each filter's length", .y_label = "loss"}).line(line.x, line.loss);
  return figure;
}

plot::Figure plane_figure(const plot::Grid& grid, const train::PrincipalPlane& plane) {
  plot::Figure figure(
      {.title = "The path of training in its principal plane", .panel_width = 620, .panel_height = 520});
  const auto label = [&](const char* which, std::size_t i) {
    return fmt::format("{} component: {:.1f} % of the variance", which, 100 * plane.shares[i]);
  };
  figure.axes({.x_label = label("first", 0), .y_label = label("second", 1), .equal = true})
      .contour(grid, {.levels = 16, .filled = true, .log = true})
      .path(plane.x, plane.y, {.label = "a point per epoch"});
  return figure;
}

}  // namespace

void write_network_landscape(const NetworkOptions& options, const std::string& path) {
  manual_seed(options.seed);
  const auto [train_set, valid_set] = data::digits().split(0.8);
  nn::Sequential model(nn::Linear(64, 32), nn::ReLU(), nn::Linear(32, 10));
  optim::Adam optimizer(model.parameters(), {.lr = 3e-3});
  const auto recorder = train::path_recorder();
  const train::History history = train::fit(
      model, nn::CrossEntropyLoss(), optimizer, train_set, valid_set,
      {.epochs = options.epochs, .metrics = {train::accuracy()}, .callbacks = {recorder}, .seed = options.seed});
  model.eval();
  const auto loss = [&, x = train_set.x, y = train_set.y] { return cross_entropy(model(x), y); };
  const train::SliceOptions slice{.points = options.points, .seed = options.seed};
  const train::PrincipalPlane plane = train::principal_plane(recorder->snapshots());

  plot::Report report("The landscape of a network");
  report.paragraph(fmt::format(
      "A network of 64, 32 and 10 units, trained on the handwritten digits by Adam for {} epochs; validation accuracy "
      "{:.1f} %. The loss in these pictures is that of the {} training digits.",
      options.epochs, 100 * history.values("valid_accuracy").back(), train_set.size()));
  report.heading("A slice along two random directions")
      .paragraph(
          "Each filter of a direction is as long as the filter of the weights, so that slices of different "
          "networks compare. [Li et al., Visualizing the loss landscape of neural nets, NeurIPS 2018]")
      .figure(slice_figure(train::loss_slice(model, loss, slice)))
      .figure(line_figure(train::loss_line(model, loss, {.points = 4 * options.points + 1, .seed = options.seed})));
  report.heading("The plane of training")
      .paragraph(
          "The two directions in which the weights moved most while they were trained: the principal components "
          "of the differences between the weights of each epoch and the last.")
      .figure(plane_figure(train::loss_on_plane(model, loss, plane, {.points = options.points}), plane));
  report.save(path);
}

}  // namespace gradus::tool
