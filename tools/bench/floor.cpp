// The least work that a step of each workload can do: its GEMM calls at their sizes and transpositions, and one pass at
// memory speed for each result that has to be read and written. No tape, no allocation, no exp, no dispatch.
#include <cblas.h>
#include <omp.h>

#include <memory>
#include <new>

#include "harness.hpp"
#include "workloads.hpp"

extern "C" void openblas_set_num_threads(int threads);

namespace {

// A buffer on a cache line, like those of any tensor library.
class Buffer {
 public:
  explicit Buffer(int64_t size)
      : size_(size),
        data_(static_cast<float*>(::operator new(static_cast<std::size_t>(size) * sizeof(float), kAlign))) {
    const std::vector<float> values = bench::uniform(size, 0.5, 1.5, 9);
    std::copy(values.begin(), values.end(), data_.get());
  }
  float* get() const { return data_.get(); }
  int64_t size() const { return size_; }
  double sum() const {
    double total = 0;
    for (int64_t i = 0; i < size_; ++i) total += static_cast<double>(data_.get()[i]);
    return total;
  }

 private:
  static constexpr std::align_val_t kAlign{64};
  struct Free {
    void operator()(float* p) const { ::operator delete(p, kAlign); }
  };
  int64_t size_;
  std::unique_ptr<float, Free> data_;
};

// The compiler must neither merge two passes nor drop one whose result is not read.
void keep(const Buffer& b) { asm volatile("" : : "r"(b.get()) : "memory"); }

// Entering a parallel region costs more than a small pass, even where it runs on one thread.
bool shared_by_threads(int64_t count) { return count > 500'000 && omp_get_max_threads() > 1; }

// One pass over `count` elements.
template <class F>
void each(int64_t count, F body) {
  if (shared_by_threads(count)) {
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; ++i) body(i);
  } else {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) body(i);
  }
}

void copy(const Buffer& in, const Buffer& out) {
  each(out.size(), [a = in.get(), o = out.get()](int64_t i) { o[i] = a[i] * 0.5f; });
  keep(out);
}

void multiply(const Buffer& left, const Buffer& right, const Buffer& out) {
  each(out.size(), [a = left.get(), b = right.get(), o = out.get()](int64_t i) { o[i] = a[i] * b[i]; });
  keep(out);
}

void multiply_add(const Buffer& left, const Buffer& right, const Buffer& out) {
  each(out.size(), [a = left.get(), b = right.get(), o = out.get()](int64_t i) { o[i] = o[i] * 0.5f + a[i] * b[i]; });
  keep(out);
}

float dot(const float* a, const float* b, int64_t count) {
  float total = 0;
#pragma omp simd reduction(+ : total)
  for (int64_t i = 0; i < count; ++i) total += a[i] * b[i];
  return total;
}

void dot(const Buffer& left, const Buffer& right, const Buffer& out) {
  out.get()[0] = dot(left.get(), right.get(), left.size());
  keep(out);
}

void bias_relu(const Buffer& bias, const Buffer& y) {
  const float* b = bias.get();
  const int64_t cols = bias.size(), rows = y.size() / cols;
  for (int64_t r = 0; r < rows; ++r) {
    float* row = y.get() + r * cols;
#pragma omp simd
    for (int64_t c = 0; c < cols; ++c) row[c] = row[c] + b[c] > 0 ? row[c] + b[c] : 0.0f;
  }
  keep(y);
}

void column_sums(const Buffer& grad, const Buffer& sums) {
  const int64_t cols = sums.size(), rows = grad.size() / cols;
  float* s = sums.get();
  std::fill(s, s + cols, 0.0f);
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = grad.get() + r * cols;
#pragma omp simd
    for (int64_t c = 0; c < cols; ++c) s[c] += row[c];
  }
  keep(sums);
}

void relu_backward(const Buffer& y, const Buffer& grad) {
  each(grad.size(), [a = y.get(), g = grad.get()](int64_t i) { g[i] = a[i] > 0 ? g[i] : 0.0f; });
  keep(grad);
}

// One parameter with its gradient and state, and one fused pass over all of them. The rate is too small to move
// anything: the numbers stay ordinary however often a step is repeated.
struct Parameter {
  Parameter(int64_t size, bench::Rule r) : rule(r), value(size), grad(size), first(size), second(size) {}

  void update() const {
    float *p = value.get(), *g = grad.get(), *m = first.get(), *v = second.get();
    constexpr float rate = 1e-12f, momentum = 0.9f, decay = 0.999f, epsilon = 1e-8f;
    switch (rule) {
      case bench::Rule::sgd:
        each(value.size(), [=](int64_t i) { p[i] -= rate * g[i]; });
        break;
      case bench::Rule::momentum:
        each(value.size(), [=](int64_t i) {
          m[i] = momentum * m[i] + g[i];
          p[i] -= rate * m[i];
        });
        break;
      case bench::Rule::adam:
      case bench::Rule::adamw:
        each(value.size(), [=](int64_t i) {
          m[i] += (1 - momentum) * (g[i] - m[i]);
          v[i] = decay * v[i] + (1 - decay) * g[i] * g[i];
          p[i] -= rate * m[i] / (std::sqrt(v[i]) + epsilon);
        });
        break;
      case bench::Rule::rmsprop:
      case bench::Rule::adagrad:
        each(value.size(), [=](int64_t i) {
          v[i] = decay * v[i] + (1 - decay) * g[i] * g[i];
          p[i] -= rate * g[i] / (std::sqrt(v[i]) + epsilon);
        });
        break;
      case bench::Rule::lion:
        each(value.size(), [=](int64_t i) {
          const float ahead = momentum * m[i] + (1 - momentum) * g[i];
          m[i] = decay * m[i] + (1 - decay) * g[i];
          p[i] -= ahead > 0 ? rate : -rate;
        });
        break;
    }
    keep(value);
  }

  bench::Rule rule;
  Buffer value, grad, first, second;
};

class Layer {
 public:
  Layer(int64_t batch, int64_t in, int64_t out, bench::Rule rule)
      : weight(out * in, rule),
        bias(out, rule),
        y(batch * out),
        grad(batch * out),
        rows_(static_cast<int>(batch)),
        in_(static_cast<int>(in)),
        out_(static_cast<int>(out)) {}

  void forward(const Buffer& x) const {
    gemm(CblasNoTrans, CblasTrans, rows_, out_, in_, x, in_, weight.value, in_, y);
    bias_relu(bias.value, y);
  }

  void backward(const Buffer& x) const {
    gemm(CblasTrans, CblasNoTrans, out_, in_, rows_, grad, out_, x, in_, weight.grad);
    column_sums(grad, bias.grad);
  }

  void input_gradient(const Layer& below) const {
    gemm(CblasNoTrans, CblasNoTrans, rows_, in_, out_, grad, out_, weight.value, in_, below.grad);
    relu_backward(below.y, below.grad);
  }

  Parameter weight, bias;
  Buffer y, grad;

 private:
  // The factor keeps repeated steps within the range of floats; it costs nothing.
  void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const Buffer& a, int lda, const Buffer& b,
            int ldb, const Buffer& c) const {
    const float scale = 1.0f / static_cast<float>(k);
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, scale, a.get(), lda, b.get(), ldb, 0.0f, c.get(), n);
  }

  int rows_, in_, out_;
};

bench::Prepared prepared(std::function<void()> step, std::function<double()> result) {
  auto check = [step, result]() -> std::vector<double> {
    step();
    bench::require_real(result(), "result");
    return {};
  };
  return {step, check};
}

bench::Prepared training(const bench::Mlp& mlp) {
  auto x = std::make_shared<Buffer>(mlp.batch * mlp.widths.front());
  auto layers = std::make_shared<std::vector<Layer>>();
  for (std::size_t i = 0; i + 1 < mlp.widths.size(); ++i)
    layers->emplace_back(mlp.batch, mlp.widths[i], mlp.widths[i + 1], mlp.rule);
  auto step = [x, layers] {
    const std::vector<Layer>& net = *layers;
    for (std::size_t i = 0; i < net.size(); ++i) net[i].forward(i == 0 ? *x : net[i - 1].y);
    copy(net.back().y, net.back().grad);  // the loss and its gradient
    for (std::size_t i = net.size(); i-- > 0;) {
      net[i].backward(i == 0 ? *x : net[i - 1].y);
      if (i > 0) net[i].input_gradient(net[i - 1]);
    }
    for (const Layer& layer : net) {
      layer.weight.update();
      layer.bias.update();
    }
  };
  return prepared(step, [layers] { return layers->front().weight.value.sum(); });
}

bench::Prepared step_only(const bench::StepOnly& work) {
  auto params = std::make_shared<std::vector<Parameter>>();
  for (int64_t i = 0; i < work.count; ++i) params->emplace_back(work.size, work.rule);
  auto step = [params] {
    for (const Parameter& p : *params) p.update();
  };
  return prepared(step, [params] { return params->back().value.sum(); });
}

// What a plain copy makes of the memory: the share of its bandwidth that a step reaches is taken from this.
bench::Prepared plain_copy() {
  auto from = std::make_shared<Buffer>(bench::kCopySize), to = std::make_shared<Buffer>(bench::kCopySize);
  const int pieces = shared_by_threads(bench::kCopySize) ? omp_get_max_threads() : 1;
  auto step = [=] {
#pragma omp parallel for schedule(static) if (pieces > 1)
    for (int i = 0; i < pieces; ++i) {
      const int64_t begin = bench::kCopySize * i / pieces, end = bench::kCopySize * (i + 1) / pieces;
      std::copy(from->get() + begin, from->get() + end, to->get() + begin);
    }
    keep(*to);
  };
  return prepared(step, [to] { return to->sum(); });
}

struct ChainData {
  ChainData() {
    for (int64_t i = 0; i <= bench::kChainLength; ++i) y.emplace_back(bench::kChainSide * bench::kChainSide);
    std::fill(w.get(), w.get() + w.size(), 1.0f);
  }
  std::vector<Buffer> y;
  Buffer w{bench::kChainSide * bench::kChainSide}, grad{w.size()}, total{1};
};

bench::Prepared chain() {
  auto d = std::make_shared<ChainData>();
  auto step = [d] {
    for (std::size_t i = 0; i + 1 < d->y.size(); ++i) multiply(d->y[i], d->w, d->y[i + 1]);
    dot(d->y.back(), d->w, d->total);
    for (std::size_t i = 0; i + 1 < d->y.size(); ++i) multiply(d->grad, d->w, d->grad);
  };
  return prepared(step, [d] { return d->total.sum() * d->grad.sum(); });
}

struct SoftmaxData {
  static constexpr int64_t n = bench::kSoftmaxSide * bench::kSoftmaxSide;
  Buffer a{n}, product{n}, tanh{n}, softmax{n}, weighted{n}, g_softmax{n}, g_tanh{n}, g_product{n}, g_a{n}, g_c{1};
  Buffer total{1};
};

// Each result of sum(softmax(tanh(a * c), 1) * a) and of its gradients is written once and read where it is needed; a
// column that is broadcast costs no memory traffic, a tanh or softmax as much as a copy.
bench::Prepared bcast_softmax() {
  auto d = std::make_shared<SoftmaxData>();
  auto step = [d] {
    copy(d->a, d->product);
    copy(d->product, d->tanh);
    copy(d->tanh, d->softmax);
    multiply(d->softmax, d->a, d->weighted);
    dot(d->weighted, d->weighted, d->total);
    copy(d->a, d->g_softmax);
    multiply(d->softmax, d->g_softmax, d->g_tanh);
    multiply(d->tanh, d->g_tanh, d->g_product);
    copy(d->softmax, d->g_a);
    multiply_add(d->g_product, d->a, d->g_a);
    dot(d->g_product, d->a, d->g_c);
  };
  return prepared(step, [d] { return d->g_c.sum() * d->g_a.sum(); });
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<bench::Workload> workloads;
  for (const bench::Mlp& mlp : bench::mlps()) workloads.push_back({mlp.name, [&mlp] { return training(mlp); }});
  for (const bench::StepOnly& work : bench::steps_only()) {
    workloads.push_back({work.name, [&work] { return step_only(work); }});
  }
  workloads.push_back({"copy_10M", plain_copy});
  workloads.push_back({"chain_100_mul_8x8_fwd_bwd", chain});
  workloads.push_back({"bcast_softmax_512x512_fwd_bwd", bcast_softmax});
  auto set_threads = [](int threads) {
    openblas_set_num_threads(threads);
    omp_set_num_threads(threads);
  };
  return bench::run(argc, argv, "floor", set_threads, workloads);
}
