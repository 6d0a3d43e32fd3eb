// Single kernels: through the public API without recording, and the raw loops below it. Rates are bytes that have to be
// read and written; compare them with the machine's memory bandwidth.
#include <benchmark/benchmark.h>

#include <gradus/gradus.hpp>
#include <vector>

#include "kernels/kernels.hpp"

namespace {

using gradus::Tensor;
namespace raw = gradus::kernels;

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "cols"})->Args({8, 512})->Args({512, 512})->Args({4096, 1024});
}

void set_bytes(benchmark::State& state, int64_t passes) {
  state.SetBytesProcessed(state.iterations() * passes * state.range(0) * state.range(1) *
                          static_cast<int64_t>(sizeof(float)));
}

// Measures f(x) for x of (rows, cols), with `passes` matrices read or written.
template <class F>
void measure(benchmark::State& state, int64_t passes, F f) {
  gradus::NoGrad guard;
  const Tensor x = gradus::randn({state.range(0), state.range(1)});
  for (auto _ : state) {
    Tensor y = f(x);
    benchmark::DoNotOptimize(y);
  }
  set_bytes(state, passes);
}

void add(benchmark::State& state) {
  const Tensor b = gradus::randn({state.range(0), state.range(1)});
  measure(state, 3, [&](const Tensor& a) { return a + b; });
}
BENCHMARK(add)->Apply(sizes);

void add_row(benchmark::State& state) {
  const Tensor row = gradus::randn({state.range(1)});
  measure(state, 2, [&](const Tensor& a) { return a + row; });
}
BENCHMARK(add_row)->Apply(sizes);

void add_column(benchmark::State& state) {
  const Tensor column = gradus::randn({state.range(0), 1});
  measure(state, 2, [&](const Tensor& a) { return a + column; });
}
BENCHMARK(add_column)->Apply(sizes);

void exp(benchmark::State& state) {
  measure(state, 2, [](const Tensor& x) { return gradus::exp(x); });
}
BENCHMARK(exp)->Apply(sizes);

void tanh(benchmark::State& state) {
  measure(state, 2, [](const Tensor& x) { return gradus::tanh(x); });
}
BENCHMARK(tanh)->Apply(sizes);

void sum(benchmark::State& state) {
  measure(state, 1, [](const Tensor& x) { return gradus::sum(x); });
}
BENCHMARK(sum)->Apply(sizes);

void sum_over_rows(benchmark::State& state) {
  measure(state, 1, [](const Tensor& x) { return gradus::sum(x, 0); });
}
BENCHMARK(sum_over_rows)->Apply(sizes);

void sum_over_columns(benchmark::State& state) {
  measure(state, 1, [](const Tensor& x) { return gradus::sum(x, 1); });
}
BENCHMARK(sum_over_columns)->Apply(sizes);

void transposed_copy(benchmark::State& state) {
  measure(state, 2, [](const Tensor& x) { return x.t().contiguous(); });
}
BENCHMARK(transposed_copy)->Apply(sizes);

void softmax(benchmark::State& state) {
  measure(state, 2, [](const Tensor& x) { return gradus::softmax(x, 1); });
}
BENCHMARK(softmax)->Apply(sizes);

void adam(benchmark::State& state) {
  Tensor p = gradus::randn({state.range(0), state.range(1)}, {.requires_grad = true});
  p.set_grad(gradus::randn(p.shape()));
  gradus::optim::Adam optimizer({p}, {.lr = 1e-3});
  for (auto _ : state) optimizer.step();
  set_bytes(state, 7);
}
BENCHMARK(adam)->Apply(sizes);

// --- The raw loops: what is left is the cost of tensors, shapes and dispatch
// ------------------------------------------

// Measures f(y, x) on buffers of rows * cols floats.
template <class F>
void measure_raw(benchmark::State& state, int64_t passes, F f) {
  const auto count = static_cast<std::size_t>(state.range(0) * state.range(1));
  std::vector<float> x(count, 0.5f), y(count);
  for (auto _ : state) {
    f(y.data(), x.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state, passes);
}

void raw_add(benchmark::State& state) {
  const int64_t count = state.range(0) * state.range(1);
  const auto kernel = raw::table<float>().binary[raw::index(raw::Binary::add)];
  measure_raw(state, 2, [=](float* y, const float* x) { kernel(y, x, 1, x, 1, count); });
}
BENCHMARK(raw_add)->Apply(sizes);

void raw_exp(benchmark::State& state) {
  const int64_t count = state.range(0) * state.range(1);
  const auto kernel = raw::table<float>().unary[raw::index(raw::Unary::exp)];
  measure_raw(state, 2, [=](float* y, const float* x) { kernel(y, x, 1, count); });
}
BENCHMARK(raw_exp)->Apply(sizes);

void raw_tanh(benchmark::State& state) {
  const int64_t count = state.range(0) * state.range(1);
  const auto kernel = raw::table<float>().unary[raw::index(raw::Unary::tanh)];
  measure_raw(state, 2, [=](float* y, const float* x) { kernel(y, x, 1, count); });
}
BENCHMARK(raw_tanh)->Apply(sizes);

void raw_sum(benchmark::State& state) {
  const int64_t count = state.range(0) * state.range(1);
  const auto kernel = raw::table<float>().reduce[raw::index(raw::Reduce::sum)];
  measure_raw(state, 1, [=](float* y, const float* x) { kernel(y, x, 1, count, 1); });
}
BENCHMARK(raw_sum)->Apply(sizes);

void raw_sum_over_rows(benchmark::State& state) {
  const int64_t rows = state.range(0), cols = state.range(1);
  const auto kernel = raw::table<float>().reduce[raw::index(raw::Reduce::sum)];
  measure_raw(state, 1, [=](float* y, const float* x) { kernel(y, x, 1, rows, cols); });
}
BENCHMARK(raw_sum_over_rows)->Apply(sizes);

void raw_transposed_copy(benchmark::State& state) {
  const int64_t rows = state.range(0), cols = state.range(1);
  measure_raw(state, 2, [=](float* y, const float* x) { raw::copy_matrix(y, x, cols, rows, int64_t{1}, cols); });
}
BENCHMARK(raw_transposed_copy)->Apply(sizes);

void raw_softmax(benchmark::State& state) {
  const int64_t rows = state.range(0), cols = state.range(1);
  const auto kernel = raw::table<float>().softmax;
  measure_raw(state, 2, [=](float* y, const float* x) { kernel(y, x, rows, cols); });
}
BENCHMARK(raw_softmax)->Apply(sizes);

}  // namespace

// One thread unless --threads says otherwise (Google Benchmark's own flags stay available).
int main(int argc, char** argv) {
  int threads = 1;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string(argv[i]) != "--threads") continue;
    threads = std::stoi(argv[i + 1]);
    for (int j = i; j + 2 < argc; ++j) argv[j] = argv[j + 2];
    argc -= 2;
    break;
  }
  gradus::set_num_threads(threads);
  benchmark::AddCustomContext("isa", std::string(raw::isa()));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
