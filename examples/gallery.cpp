// Every kind of picture that Gradus draws, on one page: gallery.html.
#include <gradus/gradus.hpp>

#include <cmath>
#include <cstdio>

using namespace gradus;

namespace {

std::vector<double> values_of(const Tensor& t) {
  const Tensor flat = t.detach().to(float64).contiguous();
  return {flat.data<double>().begin(), flat.data<double>().end()};
}

// The points that an optimizer visits on a surface, its start included.
struct Descent {
  std::vector<double> x, y, loss;
};
template <class Optimizer, class Options>
Descent descend(const problems::Problem& problem, const Options& options, int steps) {
  Tensor point = problem.starts[0].clone().set_requires_grad();
  Optimizer optimizer({point}, options);
  Descent path;
  for (int step = 0; step <= steps; ++step) {
    optimizer.zero_grad();
    const Tensor loss = problem(point);
    path.x.push_back(point.select(0, 0).item());
    path.y.push_back(point.select(0, 1).item());
    path.loss.push_back(loss.item());
    loss.backward();
    optimizer.step();
  }
  return path;
}

// A loss that falls and trembles.
std::vector<double> noisy_curve(int points, double rate) {
  const std::vector<double> noise = values_of(randn({points}));
  std::vector<double> curve;
  for (int i = 0; i < points; ++i) curve.push_back(2.3 * std::exp(-rate * i) + 0.15 + 0.06 * noise[i]);
  return curve;
}

std::vector<double> counted(int points) {
  std::vector<double> x;
  for (int i = 0; i < points; ++i) x.push_back(i + 1);
  return x;
}

plot::Figure curves() {
  plot::Figure figure;
  plot::Axes& runs = figure.axes({.title = "Runs, smoothed", .x_label = "step", .y_label = "loss"});
  plot::training_curve(runs, counted(400), noisy_curve(400, 0.01), {.label = "SGD", .smoothing = 0.9});
  plot::training_curve(runs, counted(400), noisy_curve(400, 0.03), {.label = "Adam", .smoothing = 0.9});
  plot::Axes& seeds =
      figure.axes({.title = "Means of five seeds", .x_label = "epoch", .y_label = "loss", .y_log = true});
  for (const auto& [name, rate] : {std::pair("lr 0.01", 0.05), std::pair("lr 0.1", 0.15)}) {
    std::vector<std::vector<double>> five;
    for (int seed = 0; seed < 5; ++seed) five.push_back(noisy_curve(30, rate));
    plot::training_curves(seeds, counted(30), five, {.label = name, .spread = plot::Spread::min_max});
  }
  return figure;
}

plot::Figure descents() {
  plot::Figure figure;
  const problems::Problem& valley = problems::find("rosenbrock");
  const plot::Grid heights = plot::sample(valley.f, *valley.domain);
  const Descent momentum = descend<optim::SGD>(valley, optim::SGDOptions{.lr = 5e-4, .momentum = 0.9}, 150);
  const Descent adam = descend<optim::Adam>(valley, optim::AdamOptions{.lr = 0.1}, 150);
  for (const bool filled : {true, false}) {
    figure.axes({.title = filled ? "Bands" : "Lines", .x_label = "x", .y_label = "y"})
        .contour(heights, {.filled = filled, .log = true})
        .path(momentum.x, momentum.y, {.label = "momentum", .color = "C1"})
        .path(adam.x, adam.y, {.label = "Adam", .color = "C3"});
  }
  figure.axes({.title = "Loss", .x_label = "step", .y_label = "f", .y_log = true})
      .line(momentum.loss, {.label = "momentum"})
      .line(adam.loss, {.label = "Adam"});
  const problems::Problem& hills = problems::find("himmelblau");
  figure.axes({.title = "Equal units", .equal = true})
      .contour(plot::sample(hills.f, *hills.domain), {.filled = true, .log = true})
      .annotate(3, 2, "a minimum");
  return figure;
}

plot::Figure bars() {
  plot::Figure figure;
  const std::vector<std::string> names{"SGD", "momentum", "RMSProp", "Adam", "AdamW"};
  figure.axes({.title = "Grouped bars", .y_label = "accuracy in %"})
      .bar(names, {91, 95.5, 96.1, 97.2, 97.4}, {.label = "digits", .errors = {1.5, 1, 0.8, 0.5, 0.5}})
      .bar(names, {78, 84, 85.5, 87, 87.2}, {.label = "Fashion-MNIST", .errors = {2, 1.2, 1, 1, 0.9}});
  figure.axes({.title = "Two histograms", .x_label = "weight", .y_label = "count"})
      .hist(values_of(randn({2000})), {.label = "at the start"})
      .hist(values_of(randn({2000}) * 0.5 + 1.5), {.label = "trained"});
  figure.axes({.title = "Signed bars", .legend = false})
      .bar({"a long name", "another long name", "a name", "one more name"}, {-0.4, 0.7, 0.1, -0.2});
  std::vector<plot::Sample> layers;
  for (int layer = 1; layer <= 5; ++layer)
    layers.push_back({"fc" + std::to_string(layer), values_of(randn({1000}) * (0.3 + 0.2 * layer))});
  plot::histograms(figure, layers, {.title = "Activations by layer", .x_label = "value"});
  return figure;
}

plot::Figure matrices() {
  plot::Figure figure;
  std::vector<double> counts;
  std::vector<std::string> classes;
  for (int i = 0; i < 10; ++i) {
    classes.push_back(std::to_string(i));
    for (int j = 0; j < 10; ++j) counts.push_back(i == j ? 36 - i % 3 : (i * 7 + j * 3) % 11 == 0 ? 2 : 0);
  }
  plot::confusion_matrix(figure.axes({.title = "Confusion", .x_label = "predicted", .y_label = "true", .equal = true}),
                         counts, classes);
  figure.axes({.title = "Correlations", .equal = true})
      .heatmap(3, 3, {1, 0.42, -0.1, 0.42, 1, 0.05, -0.1, 0.05, 1},
               {.row_labels = {"rooms", "area", "age"}, .column_labels = {"rooms", "area", "age"}, .annotate = true});
  const problems::Problem& wavy = problems::find("rastrigin");
  figure.axes({.title = "A surface as a heat map"}).heatmap(plot::sample(wavy.f, *wavy.domain, 120));
  const Tensor points = randn({300, 2});
  figure.axes({.title = "Scattered points", .x_label = "x1", .y_label = "x2"})
      .scatter(values_of(points.select(1, 0)), values_of(points.select(1, 1)), {.label = "class 0"})
      .scatter(values_of(points.select(1, 0) * 0.5 + 2.5), values_of(points.select(1, 1) + 2),
               {.label = "class 1", .marker = '^'})
      .hline(0)
      .vline(0);
  return figure;
}

plot::Figure handwriting() {
  plot::Figure figure({.title = "Handwritten digits", .columns = 10, .panel_width = 84, .panel_height = 110});
  std::vector<plot::Picture> pictures;
  const auto digits = data::digits();
  for (std::int64_t i = 0; i < 20; ++i) {
    const auto label = digits.y[i].item<std::int64_t>();
    pictures.push_back({values_of(digits.x[i]), std::to_string(label), i % 7 == 5});
  }
  plot::images(figure, pictures, 8, 8);
  return figure;
}

plot::Figure search() {
  plot::Figure figure({.panel_width = 1062});
  const std::vector<double> noise = values_of(rand({40, 3}));
  std::vector<plot::Dimension> columns{{"learning rate", {}, true}, {"width", {}}, {"decay", {}, true}, {"loss", {}}};
  for (int i = 0; i < 40; ++i) {
    const double a = noise[3 * i], b = noise[3 * i + 1], c = noise[3 * i + 2];
    columns[0].values.push_back(std::pow(10, -5 + 4 * a));
    columns[1].values.push_back(std::round(16 + 240 * b));
    columns[2].values.push_back(std::pow(10, -6 + 5 * c));
    columns[3].values.push_back(0.2 + 3 * (a - 0.6) * (a - 0.6) + 0.4 * (1 - b) + 0.1 * c);
  }
  plot::parallel_coordinates(figure, columns, {.title = "A search over 40 trials"});
  return figure;
}

}  // namespace

int main() {
  manual_seed(0);
  plot::Report page("What Gradus draws");
  page.paragraph("Each picture is an SVG of its own that follows light and dark paper; the page needs nothing else.");
  page.heading("Training curves").figure(curves(), "The raw curve stays behind its average; a band spans the seeds.");
  page.heading("Descents").figure(descents(), "Paths of real optimizers, from the ring to the disc.");
  page.heading("Bars and histograms").figure(bars());
  page.heading("Matrices, maps and points").figure(matrices());
  page.heading("Images").figure(handwriting(), "A frame marks those that deserve a look.");
  page.heading("Hyper-parameters").figure(search());
  page.heading("Text").table({"optimizer", "lr", "accuracy"}, {{"SGD", "0.1", "95.5 %"}, {"Adam", "1e-3", "97.2 %"}});
  page.list({"A list", "of two"}).preformatted("and text as it is:\n  a < b && c");
  page.save("gallery.html");
  std::puts("gallery.html");
}
