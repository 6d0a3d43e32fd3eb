#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gradus/error.hpp"
#include "gradus/gradus.hpp"
#include "gradus/train.hpp"
#include "temporary.hpp"

using namespace gradus;
using tests::read_file;
using tests::TemporaryDirectory;

namespace {

train::History two_epochs() {
  train::History history;
  history.append({{"epoch", 1}, {"loss", 0.75}});
  history.append({{"epoch", 2}, {"loss", 0.1}, {"valid_loss", 0.25}});
  return history;
}

// The loss after as many steps of Adam.
template <class Loss>
double trained(nn::Module& model, const Loss& loss, int steps, double lr) {
  optim::Adam optimizer(model.parameters(), {.lr = lr});
  Tensor last;
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    last = loss();
    last.backward();
    optimizer.step();
  }
  return last.item();
}

// Points of two spirals, one turn each, and which of the two each is of.
std::pair<Tensor, Tensor> spirals(std::int64_t count) {
  const Tensor t = linspace(0.2, 1, count), angle = t * 6.28;
  const Tensor one = stack({t * cos(angle), t * sin(angle)}, 1);
  return {cat({one, -one}), cat({zeros({count, 1}), ones({count, 1})})};
}

// Symbols to remember, then blanks, then a sign at which they are to be repeated; and the symbols.
std::pair<Tensor, Tensor> copy_task(std::int64_t batch, std::int64_t symbols, std::int64_t blanks) {
  constexpr std::int64_t alphabet = 4;
  const Tensor task = randint(alphabet, {symbols, batch});
  const Tensor blank = full({blanks, batch}, alphabet, {.dtype = int64});
  const Tensor sign = full({symbols, batch}, alphabet + 1, {.dtype = int64});
  return {one_hot(cat({task, blank, sign}), alphabet + 2).to(float32), task};
}

struct Copier : nn::Module {
  nn::LSTM lstm{6, 24};
  nn::Linear out{24, 4};
  GRADUS_MODULE(lstm, out)

  // The logits of the last steps: (steps, batch, 4).
  Tensor answers(const Tensor& x, std::int64_t steps) { return out(lstm(x).slice(0, -steps)); }
};

// What a progress bar writes while `use` uses it.
template <class Use>
std::string output_of(train::ProgressOptions options, const Use& use) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  options.stream = file.get();
  {
    train::ProgressBar bar(options);
    use(bar);
  }
  std::string text(static_cast<std::size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

std::string before_rate(const std::string& line) { return line.substr(0, line.find("  ", line.find("loss"))); }

}  // namespace

TEST_CASE("a history is a table with a column per name") {
  const train::History history = two_epochs();
  CHECK(history.size() == 2);
  CHECK(history.names() == std::vector<std::string>{"epoch", "loss", "valid_loss"});
  CHECK(history.values("loss") == std::vector<double>{0.75, 0.1});
  CHECK(std::isnan(history.values("valid_loss")[0]));
  CHECK(history.values("valid_loss")[1] == 0.25);
  CHECK(history.contains("epoch"));
  CHECK(!history.contains("accuracy"));
  CHECK_THROWS_WITH_AS(history.values("accuracy"), "History: there is no column named \"accuracy\"", Error);
  CHECK_THROWS_WITH_AS(train::History().append({{"a", 1}, {"a", 2}}), "History: a row has two values named \"a\"",
                       Error);
}

TEST_CASE("save_csv writes numbers that read back exactly, and empty cells for what is missing") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("history.csv");
  train::History history = two_epochs();
  history.append({{"epoch", 3}, {"loss", 1.0 / 3}, {"a \"b\", c", 1}});
  history.save_csv(path);
  CHECK(read_file(path) ==
        "epoch,loss,valid_loss,\"a \"\"b\"\", c\"\n1,0.75,,\n2,0.1,0.25,\n3,0.3333333333333333,,1\n");
}

TEST_CASE("saving replaces a file as a whole and leaves nothing else behind") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("history.csv", "old");
  two_epochs().save_csv(path);
  CHECK(read_file(path) != "old");
  CHECK_THROWS_WITH_AS(
      two_epochs().save_csv(directory.path("absent/h.csv")),
      ("save_csv: " + directory.path("absent/h.csv") + ": cannot be written: No such file or directory").c_str(),
      Error);
  std::filesystem::create_directory(directory.path("folder"));
  CHECK_THROWS_WITH_AS(two_epochs().save_svg(directory.path("folder")),
                       ("save_svg: " + directory.path("folder") + ": cannot be written: Is a directory").c_str(),
                       Error);
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path(""))) ++files;
  CHECK(files == 2);
}

TEST_CASE("save_svg draws every loss, with title and legend, for light and dark") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("loss.svg");
  two_epochs().save_svg(path, {.title = "Loss of <this> & that"});
  const std::string svg = read_file(path);
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.ends_with("</svg>\n"));
  for (const char* part :
       {"Loss of &lt;this&gt; &amp; that", ">loss<", ">valid loss<", ">epoch<", "prefers-color-scheme: dark"}) {
    CAPTURE(part);
    CHECK(svg.find(part) != std::string::npos);
  }
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
}

TEST_CASE("save_svg leaves gaps for what cannot be drawn and refuses to draw nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("loss.svg");
  train::History history;
  for (const double loss : std::vector<double>{1, NAN, 0.5, 0.25, INFINITY, -1, 1e300})
    history.append({{"loss", loss}});
  for (const bool log_scale : {false, true}) {
    history.save_svg(path, {.log_scale = log_scale});
    const std::string svg = read_file(path);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
  }
  CHECK_THROWS_WITH_AS(train::History().save_svg(path), "save_svg: there is no finite value to draw", Error);
  CHECK_THROWS_WITH_AS(two_epochs().save_svg(path, {.columns = {"a"}}), "History: there is no column named \"a\"",
                       Error);
}

TEST_CASE("in a file, progress is a line per epoch") {
  const std::string text = output_of({.epochs = 2, .steps_per_epoch = 2}, [](train::ProgressBar& bar) {
    bar.step(1.0);
    bar.step(2.0);
    CHECK(bar.loss() == 1.5);
    bar.end_epoch({{"valid_loss", 0.25}});
    CHECK(bar.loss() == 1.5);
    bar.step(1e-5);
    CHECK(bar.loss() == 1e-5);
    bar.step(1e-5);
    bar.end_epoch();
  });
  CAPTURE(text);
  const std::size_t second = text.find('\n') + 1;
  CHECK(before_rate(text).starts_with("epoch 1/2  loss 1.5000"));
  CHECK(text.find("valid_loss 0.2500") < second);
  CHECK(text.substr(0, second).find(" steps/s  ETA 0:00\n") != std::string::npos);
  CHECK(text.substr(second).starts_with("epoch 2/2  loss 1.000e-05  "));
  CHECK(text.ends_with(" steps/s  in 0:00\n"));
  CHECK(text.find('\r') == std::string::npos);
}

TEST_CASE("a long run does not fill its log") {
  const std::string text = output_of({.epochs = 1000, .steps_per_epoch = 1}, [](train::ProgressBar& bar) {
    for (int epoch = 0; epoch < 1000; ++epoch) bar.step(1), bar.end_epoch();
  });
  CHECK(std::count(text.begin(), text.end(), '\n') == 100);
}

TEST_CASE("on a terminal, progress is one line that ends when the bar does") {
  const std::string text =
      output_of({.epochs = 1, .steps_per_epoch = 4, .in_place = true}, [](train::ProgressBar& bar) {
        for (int step = 0; step < 4; ++step) bar.step(0.5);
        bar.end_epoch();
      });
  CAPTURE(text);
  CHECK(text.starts_with("\repoch 1/1  [="));
  CHECK(text.find("=>   ") < text.find(']'));
  CHECK(text.rfind("===]  ") > text.rfind('\r'));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.back() == '\n');
  // A line that wraps could not be rewritten.
  for (std::size_t start = 0; start != std::string::npos; start = text.find('\r', start + 1)) {
    CHECK(text.find("\x1b[K", start) - start <= 80);
  }
}

TEST_CASE("progress survives steps beyond the plan, and an unfinished run") {
  CHECK(output_of({.in_place = true}, [](train::ProgressBar& bar) {
          for (int i = 0; i < 5; ++i) bar.step(1), bar.end_epoch();
        }).ends_with("\n"));
  CHECK(output_of({.epochs = 9, .in_place = true}, [](train::ProgressBar& bar) { bar.step(NAN); }).ends_with("\n"));
  CHECK(output_of({}, [](train::ProgressBar& bar) { CHECK(std::isnan(bar.loss())); }).empty());
  CHECK_THROWS_WITH_AS(train::ProgressBar({.epochs = 0}),
                       "ProgressBar: epochs and steps_per_epoch must be positive: 0 and 1", Error);
}

TEST_CASE("a multilayer perceptron learns the exclusive or") {
  manual_seed(1);
  const Tensor x = tensor({{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}), y = tensor({{0.0}, {1.0}, {1.0}, {0.0}});
  nn::Sequential model(nn::Linear(2, 8), nn::Tanh(), nn::Linear(8, 1));
  trained(
      model, [&] { return mse_loss(model(x), y); }, 200, 0.05);
  CHECK((model(x) - y).abs().max().item() < 0.05);
}

TEST_CASE("a multilayer perceptron tells two spirals apart") {
  manual_seed(2);
  const auto [x, y] = spirals(100);
  nn::Sequential model(nn::Linear(2, 32), nn::Tanh(), nn::Linear(32, 32), nn::Tanh(), nn::Linear(32, 1));
  trained(
      model, [&, &x = x, &y = y] { return binary_cross_entropy_with_logits(model(x), y); }, 300, 0.01);
  const auto [unseen, which] = spirals(73);
  CHECK(eq(gt(model(unseen), 0.0).to(float32), which).to(float32).mean().item() > 0.98);
}

TEST_CASE("a multilayer perceptron learns the sine") {
  manual_seed(3);
  const Tensor x = linspace(-3.14, 3.14, 64).reshape({-1, 1});
  nn::Sequential model(nn::Linear(1, 32), nn::Tanh(), nn::Linear(32, 1));
  trained(
      model, [&] { return mse_loss(model(x), sin(x)); }, 500, 0.02);
  const Tensor between = linspace(-3, 3, 101).reshape({-1, 1});
  CHECK((model(between) - sin(between)).abs().max().item() < 0.05);
}

TEST_CASE("an LSTM learns to repeat what it saw before a pause") {
  manual_seed(4);
  constexpr std::int64_t symbols = 3, blanks = 4;
  Copier model;
  const auto loss = [&] {
    const auto [x, y] = copy_task(32, symbols, blanks);
    return cross_entropy(model.answers(x, symbols).reshape({-1, 4}), y.reshape({-1}));
  };
  CHECK(trained(model, loss, 800, 0.01) < 0.05);
  const auto [x, y] = copy_task(200, symbols, blanks);
  CHECK(eq(argmax(model.answers(x, symbols), 2), y).to(float32).mean().item() > 0.98);
}
