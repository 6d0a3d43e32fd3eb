// The whole of a small training run: options, a held-out part, progress on stderr, results on stdout, and a report with
// curves, gradients and a diagnosis; the loss curve also as a picture, the history also as a table.
#include <gradus/gradus.hpp>

#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
using namespace gradus;

namespace {

constexpr std::int64_t default_epochs = 30;
constexpr double expected_accuracy = 0.97;

struct Options {
  std::uint64_t seed = 42;
  std::int64_t epochs = default_epochs;
  std::filesystem::path out = ".";
};

template <class Integer>
Integer parse_integer(std::string_view flag, std::string_view text, Integer least) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least) {
    throw std::invalid_argument(std::string(flag) + " takes a whole number, " + std::to_string(least) +
                                " or more: " + std::string(text));
  }
  return value;
}

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag != "--seed" && flag != "--epochs" && flag != "--out") {
      throw std::invalid_argument("unknown option " + std::string(flag) +
                                  "; there are --seed N, --epochs N, --out DIR");
    }
    if (i + 1 == argc) throw std::invalid_argument(std::string(flag) + " takes a value");
    if (flag == "--seed")
      options.seed = parse_integer<std::uint64_t>(flag, argv[i + 1], 0);
    else if (flag == "--epochs")
      options.epochs = parse_integer<std::int64_t>(flag, argv[i + 1], 1);
    else
      options.out = argv[i + 1];
  }
  return options;
}

// Smoothed labels keep the network from becoming overconfident, which is worth a percent on the held-out digits.
Tensor criterion(const Tensor& scores, const Tensor& labels) {
  return cross_entropy(scores, labels, {.label_smoothing = 0.1});
}

int run(const Options& options) {
  std::filesystem::create_directories(options.out);
  manual_seed(options.seed);
  const auto [train_set, valid_set] = data::digits().split(0.8);
  nn::Sequential model(nn::Linear(64, 256), nn::ReLU(), nn::Linear(256, 10));
  optim::AdamW optimizer(model.parameters(), {.lr = 3e-3});
  const train::History history = train::fit(model, criterion, optimizer, train_set, valid_set,
                                            {.epochs = options.epochs,
                                             .batch_size = 32,
                                             .metrics = {train::accuracy()},
                                             .callbacks = {train::gradient_monitor()}});
  const double accuracy = history.last("valid_accuracy");

  const auto directory = std::filesystem::canonical(options.out);
  const std::string report = directory / "report.html", picture = directory / "digits_loss.svg",
                    table = directory / "digits_loss.csv";
  history.save_report(report, {.title = "Handwritten digits"});
  history.save_svg(picture, {.title = "Cross-entropy on the handwritten digits (labels smoothed by 0.1)"});
  history.save_csv(table);
  std::printf("trained on %lld digits, held out %lld\n", static_cast<long long>(train_set.size()),
              static_cast<long long>(valid_set.size()));
  std::printf("accuracy on the held-out digits: %.2f %%\n", 100 * accuracy);
  std::printf("loss curve: %s\nas a table: %s\nreport: %s\n", picture.c_str(), table.c_str(), report.c_str());
  if (options.epochs < default_epochs || accuracy >= expected_accuracy) return 0;
  std::fprintf(stderr, "train_digits_report: that is less than the expected %.0f %%\n", 100 * expected_accuracy);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  try {
    options = parse_options(argc, argv);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "train_digits_report: %s\n", error.what());
    return 2;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_digits_report: %s\n", error.what());
    return 1;
  }
}
