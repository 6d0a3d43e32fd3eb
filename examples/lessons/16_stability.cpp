// Lesson 16: numerical stability and vectorisation.
//
// A float holds 7 digits up to 3e38, a double 16 up to 2e308. Two things go wrong, and formulas that are equal on paper
// differ in both:
//
//     overflow       e^x is infinite from x = 88.8 in float32, from 709.8 in float64: infinite / infinite is NaN.
//                    softmax(x) = softmax(x - max x), and log sum e^x = m + log sum e^(x - m), m = max x: no e^
//                    above 1.
//     cancellation   the difference of two numbers that agree in all digits they hold has none left:
//                    log(1 + x) for a small x; the variance as E[x^2] - E[x]^2 of numbers far from 0.
//
// Sums add up round-off as well: one after the other, each addition rounds to the size of the whole sum. Summing
// halves, and halves of halves, adds numbers of the same size. And a loop over elements is not wrong, only slow: one op
// on whole tensors does the same work in one pass.
#include <gradus/gradus.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>
#include "lesson.hpp"
using namespace gradus;

const int terms = 1 << 22;     // of the sum
const double far = 1e4;        // mean of the numbers whose variance is wanted
const std::int64_t rows = 96;  // of the matrices that are multiplied

// The loss of the first class, -log softmax(x)[0], as one would write it, and as one should.
double naive_loss(const Tensor& x) { return -log(exp(x) / exp(x).sum())[0].item(); }
double stable_loss(const Tensor& x) {
  const Tensor shifted = x - x.max();
  return (log(exp(shifted).sum()) - shifted[0]).item();
}

void overflow() {
  const Tensor logits = tensor({1.0, 2.0, 3.0}, {.dtype = float64});
  const double truth = std::log(std::exp(-2) + std::exp(-1) + 1) + 2;
  std::printf("loss of the first of the logits (1, 2, 3), all of them raised: the same number\n");
  std::printf("%10s %16s %16s %16s\n", "by", "naive float32", "naive float64", "stable float32");
  double worst = 0;
  for (const double by : {0.0, 50.0, 80.0, 100.0, 500.0, 1000.0}) {
    const Tensor x = logits + by, x32 = x.to(float32);
    // fabs: the sign of a NaN means nothing
    std::printf("%10.0f %16.7f %16.7f %16.7f\n", by, std::fabs(naive_loss(x32)), std::fabs(naive_loss(x)),
                stable_loss(x32));
    worst = std::max(worst, std::abs(stable_loss(x32) - truth));
  }
  const Tensor apart = tensor({-200.0, 0.0});  // e^-200 is 0 in float32
  std::printf("logits (-200, 0): naive %g, stable %g\n\n", naive_loss(apart), stable_loss(apart));

  lesson::claim("naive softmax is NaN from 100 on in float32, from 1000 on in float64",
                std::isnan(naive_loss((logits + 100.0).to(float32))) && std::isfinite(naive_loss(logits + 500.0)) &&
                    std::isnan(naive_loss(logits + 1000.0)));
  lesson::claim("the stable one is right to 1e-6 everywhere, in float32", worst < 1e-6);
  lesson::claim("where a probability is too small for a float, its logarithm need not be",
                std::isinf(naive_loss(apart)) && stable_loss(apart) == 200);
}

void cancellation(plot::Axes& axes) {
  const Tensor tiny = tensor({1e-6});
  std::printf("\nlog(1 + x) of x = 1e-6 in float32: %.9g, by log1p %.9g\n", log(1.0 + tiny).item(), log1p(tiny).item());
  manual_seed(0);
  const Tensor spread = randn({10000}, {.dtype = float64});
  const Tensor x32 = (far + spread).to(float32), x64 = x32.to(float64);
  const auto textbook = [](const Tensor& x) { return (square(x).mean() - square(x.mean())).item(); };
  const auto centred = [](const Tensor& x) { return square(x - x.mean()).mean().item(); };
  std::printf("variance of 10000 numbers around %g\n%10s %20s %20s\n", far, "", "E[x^2] - E[x]^2", "E[(x - E[x])^2]");
  std::printf("%10s %20.6f %20.6f\n%10s %20.6f %20.6f\n\n", "float32", textbook(x32), centred(x32), "float64",
              textbook(x64), centred(x64));
  std::vector<double> means, naive32, naive64, centred32;
  for (double mean = 1; mean < 2e6; mean *= 10) {
    const Tensor at32 = (mean + spread).to(float32), at64 = at32.to(float64);
    const double truth = centred(at64);
    means.push_back(mean);
    naive32.push_back(std::abs(textbook(at32) / truth - 1));
    naive64.push_back(std::abs(textbook(at64) / truth - 1));
    centred32.push_back(std::abs(centred(at32) / truth - 1));
  }
  axes.line(means, naive32, {.label = "E[x^2] - E[x]^2, float32", .markers = true})
      .line(means, centred32, {.label = "E[(x - E[x])^2], float32", .markers = true})
      .line(means, naive64, {.label = "E[x^2] - E[x]^2, float64", .markers = true});

  lesson::claim("E[x^2] - E[x]^2 is wrong by more than itself in float32",
                std::abs(textbook(x32) - centred(x64)) > centred(x64));
  lesson::claim("about the mean it is right to 1e-5", std::abs(centred(x32) / centred(x64) - 1) < 1e-5);
}

void sums(plot::Axes& axes) {
  const double tenth = 0.1f;  // the float nearest to 0.1
  const Tensor values = full({terms}, 0.1);
  std::printf("\nrelative error of a sum of tenths in float32\n%10s %14s %14s %14s\n", "terms", "one by one", "Kahan",
              "the library's");
  std::vector<double> counts, naive_errors, library_errors;
  float naive = 0, kahan = 0, lost = 0;
  for (int n = 1; n <= terms; ++n) {
    const float value = values.data<float>()[n - 1];
    naive += value;
    const float corrected = value - lost, next = kahan + corrected;  // Kahan carries along what an addition rounds away
    lost = (next - kahan) - corrected;
    kahan = next;
    if (n < 4 || (n & (n - 1)) != 0) continue;  // powers of two
    const double truth = tenth * n;
    counts.push_back(n);
    naive_errors.push_back(std::abs(naive / truth - 1));
    library_errors.push_back(std::abs(values.slice(0, 0, n).sum().item() / truth - 1));
    if (n >= 1024)
      std::printf("%10d %14.1e %14.1e %14.1e\n", n, naive_errors.back(), std::abs(kahan / truth - 1),
                  library_errors.back());
  }
  std::printf("\n");
  axes.line(counts, naive_errors, {.label = "one by one", .markers = true})
      .line(counts, library_errors, {.label = "the library's", .markers = true});
  lesson::claim("one by one the sum is off by more than 1 %", naive_errors.back() > 0.01);
  lesson::claim("Kahan's and the library's hold six digits",
                std::abs(kahan / (tenth * terms) - 1) < 1e-6 && library_errors.back() < 1e-6);
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void loops() {
  const Tensor a = randn({rows, rows}), b = randn({rows, rows});
  Tensor product = matmul(a, b), looped = zeros({rows, rows}), column = zeros({rows});
  const double by_matmul = seconds([&] { product = matmul(a, b); });
  const double by_loops = seconds([&] {
    const auto pa = a.data<float>(), pb = b.data<float>(), pc = looped.data<float>();
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < rows; ++j)
        for (int k = 0; k < rows; ++k) pc[i * rows + j] += pa[i * rows + k] * pb[k * rows + j];
  });
  const double by_ops = seconds([&] {
    for (int i = 0; i < rows; ++i)
      for (int k = 0; k < rows; ++k) column[i] += a[i][k] * b[k][0];
  });
  std::printf("\nproduct of two matrices of %d rows and columns, on this machine\n", int(rows));
  std::printf("%-44s %12.1f us\n", "matmul", 1e6 * by_matmul);
  std::printf("%-44s %12.1f us\n", "three loops over floats", 1e6 * by_loops);
  std::printf("%-44s %12.1f us\n\n", "a loop over ops on single elements (estimate)", 1e6 * by_ops * rows);
  lesson::claim("all three compute the same numbers, but for round-off",
                allclose(product, looped, {.rtol = 0, .atol = 1e-4}) &&
                    allclose(product.select(1, 0), column, {.rtol = 0, .atol = 1e-4}));
}

int main(int argc, char** argv) {
  overflow();
  plot::Figure figure({.title = "What float32 loses"});
  cancellation(figure.axes({.title = "Variance of numbers around m",
                            .x_label = "m",
                            .y_label = "relative error",
                            .x_log = true,
                            .y_log = true}));
  sums(figure.axes(
      {.title = "Sum of n tenths", .x_label = "n", .y_label = "relative error", .x_log = true, .y_log = true}));
  figure.save(lesson::picture(argc, argv, "16_stability.svg"));
  loops();
  return lesson::finish(
      {"far = 1e3, then 1e5. How does the error of E[x^2] - E[x]^2 grow with the mean, and why so?",
       "values of 1 in place of 0.1, and terms = 1 << 25. Where does the sum one by one stop, and why there?"});
}
