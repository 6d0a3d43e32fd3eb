#include "gradus/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "gradus/autograd.hpp"
#include "gradus/factory.hpp"
#include "gradus/ops.hpp"
#include "gradus/threads.hpp"
#include "random/bounded.hpp"
#include "random/normal.hpp"
#include "random/philox.hpp"

using namespace gradus;

namespace {

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

// The values' bit patterns: what has to agree everywhere.
template <class Bits, class T>
std::vector<Bits> bits_of(const Tensor& tensor) {
  std::vector<Bits> bits;
  for (T value : tensor.data<T>()) bits.push_back(std::bit_cast<Bits>(value));
  return bits;
}

// FNV-1a over the bit patterns.
std::uint64_t hash_of(const std::vector<std::uint64_t>& values) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (std::uint64_t value : values) hash = (hash ^ value) * 0x100000001B3;
  return hash;
}

double phi(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// Kolmogorov and Smirnov: how far the values' distribution function is from that of the uniform distribution.
double distance_from_uniform(std::vector<double> u) {
  std::sort(u.begin(), u.end());
  const auto n = static_cast<double>(u.size());
  double distance = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, u[i] - rank / n, (rank + 1) / n - u[i]});
  }
  return distance;
}

struct Moments {
  double mean = 0, variance = 0, skew = 0, kurtosis = 0;
};
Moments moments_of(const std::vector<double>& x) {
  const auto n = static_cast<double>(x.size());
  Moments m;
  for (double v : x) m.mean += v / n;
  for (double v : x) m.variance += (v - m.mean) * (v - m.mean) / n;
  for (double v : x) m.skew += std::pow((v - m.mean) / std::sqrt(m.variance), 3) / n;
  for (double v : x) m.kurtosis += std::pow((v - m.mean) / std::sqrt(m.variance), 4) / n;
  return m;
}

class Threads {
 public:
  explicit Threads(int count) : previous_(get_num_threads()) { set_num_threads(count); }
  ~Threads() { set_num_threads(previous_); }

 private:
  int previous_;
};

template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

}  // namespace

TEST_CASE("Philox gives the known answers of Random123") {
  constexpr std::uint32_t all = 0xFFFFFFFF;
  using random::Block;
  CHECK(random::philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
  CHECK(random::philox({all, all, all, all}, {all, all}) == Block{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
  CHECK(random::philox({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
        Block{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});
}

// These numbers are a promise: a change here changes everybody's results. They were computed by an independent program.
TEST_CASE("seed 42 gives the same bits everywhere") {
  const auto fresh = [] { return Generator(42); };
  Generator g = fresh();
  CHECK(bits_of<std::uint32_t, float>(rand({6}, {.generator = &g})) ==
        std::vector<std::uint32_t>{0x3EEFEA92, 0x3EAE8566, 0x3EA774D8, 0x3EE89C0C, 0x3F28875D, 0x3F4609A5});
  g = fresh();
  CHECK(bits_of<std::uint64_t, double>(rand({6}, {.dtype = float64, .generator = &g})) ==
        std::vector<std::uint64_t>{0x3FDDFD524EE73ABC, 0x3FD5D0ACF5C4AFD4, 0x3FD4EE9B3F7F36C8, 0x3FDD1381BEE0E3D6,
                                   0x3FE510EBB97A6D80, 0x3FE8C134AB3349AD});
  g = fresh();
  CHECK(bits_of<std::uint32_t, float>(randn({6}, {.generator = &g})) ==
        std::vector<std::uint32_t>{0xBDA16E33, 0xBED1FA53, 0xBEE5650F, 0xBDEB0A09, 0x3ED0D45E, 0x3F402E28});
  g = fresh();
  CHECK(bits_of<std::uint64_t, double>(randn({6}, {.dtype = float64, .generator = &g})) ==
        std::vector<std::uint64_t>{0xBFB42DC65CE0FF81, 0xBFDA3F4A5B3E5026, 0xBFDCACA1D20ED483, 0xBFBD61412D6E26AC,
                                   0x3FDA1A8BC2F2EB53, 0x3FE805C509D131D3});
  g = fresh();
  CHECK(hash_of(bits_of<std::uint64_t, double>(randn({20000}, {.dtype = float64, .generator = &g}))) ==
        0xE8E220F681E993EA);
  g = fresh();
  CHECK(values_of<std::int64_t>(randint(-5, 100, {8}, {.generator = &g})) ==
        std::vector<std::int64_t>{44, 30, 29, 42, 64, 76, 65, 34});
  g = fresh();
  CHECK(values_of<std::int64_t>(randperm(10, {.generator = &g})) ==
        std::vector<std::int64_t>{4, 0, 1, 6, 7, 8, 5, 3, 9, 2});
  g = fresh();
  CHECK(values_of<float>(bernoulli(full({8}, 0.5), &g)) == std::vector<float>{1, 1, 1, 1, 0, 0, 0, 1});
  g = fresh();
  CHECK(g.next() == 0x77F5493B9CEAF053);
  CHECK(g.next() == 0x53BA6CFDFCDB2127);
  CHECK(g.next() == 0xA8875DCBD36C0225);
}

TEST_CASE("randint spans up to 2^64 - 1 values") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  Generator g(42);
  CHECK(
      values_of<std::int64_t>(randint(least, most, {4}, {.generator = &g})) ==
      std::vector<std::int64_t>{-579476456662699950, -2935586270778273620, -3190117547913830106, -842728402957936019});
  // Of a span of 2^63 + 1, every second draw is rejected and drawn anew.
  constexpr std::int64_t low = -(std::int64_t{1} << 62);
  g.manual_seed(42);
  CHECK(values_of<std::int64_t>(randint(low, -low + 1, {8}, {.generator = &g})) ==
        std::vector<std::int64_t>{-289738228331349975, -1467793135389136810, -1595058773956915053, 926297822602354253,
                                  -3478936688410189764, 1102334541219989121, -2821153961101953674,
                                  -1114865226214331743});
}

TEST_CASE("a 128-bit product is exact") {
  constexpr std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
  const random::Product square = random::multiply(all, all);  // 2^128 - 2^65 + 1
  CHECK(square.high == all - 1);
  CHECK(square.low == 1);
  const random::Product shift = random::multiply(std::uint64_t{1} << 63, 6);
  CHECK(shift.high == 3);
  CHECK(shift.low == 0);
}

TEST_CASE("float32 numbers are the float64 ones, rounded") {
  Generator single(9), twice(9);
  const Tensor u32 = rand({5001}, {.generator = &single}), u64 = rand({5001}, {.dtype = float64, .generator = &twice});
  CHECK(allclose(u32.to(float64), u64, {.rtol = 0, .atol = 0x1p-24}));
  const Tensor n32 = randn({5001}, {.generator = &single}),
               n64 = randn({5001}, {.dtype = float64, .generator = &twice});
  CHECK(equal(n32, n64.to(float32)));
  CHECK(single.position() == twice.position());
}

TEST_CASE("rand is uniform on [0, 1)") {
  Generator g(1);
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    const auto u = values_of<double>(rand({100000}, {.dtype = dtype, .generator = &g}).to(float64));
    CHECK(*std::min_element(u.begin(), u.end()) >= 0);
    CHECK(*std::max_element(u.begin(), u.end()) < 1);
    CHECK(distance_from_uniform(u) < 1.63 / std::sqrt(100000.0));  // 1 % level
    const Moments m = moments_of(u);
    CHECK(std::abs(m.mean - 0.5) < 0.003);
    CHECK(std::abs(m.variance - 1.0 / 12) < 0.001);
  }
}

TEST_CASE("randn is normal") {
  Generator g(2);
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    auto x = values_of<double>(randn({100000}, {.dtype = dtype, .generator = &g}).to(float64));
    const Moments m = moments_of(x);
    CHECK(std::abs(m.mean) < 0.01);
    CHECK(std::abs(m.variance - 1) < 0.015);
    CHECK(std::abs(m.skew) < 0.025);
    CHECK(std::abs(m.kurtosis - 3) < 0.05);
    std::transform(x.begin(), x.end(), x.begin(), phi);
    CHECK(distance_from_uniform(x) < 1.63 / std::sqrt(100000.0));
  }
}

TEST_CASE("inverse_normal agrees with known quantiles") {
  struct Quantile {
    double p, x;
  };
  const Quantile table[] = {{0.5, 0},
                            {0.75, 0.67448975019608174320},
                            {0.9, 1.2815515655446004},
                            {0.975, 1.9599639845400542355},
                            {0.995, 2.5758293035489007610},
                            {0.0013498980316300945, -3.0},
                            {1e-5, -4.2648907939228246285},
                            {1e-10, -6.3613409024040561991},
                            {1e-12, -7.0344838253011319298},
                            {0x1p-53, -8.2095361516013856}};
  for (const auto& [p, x] : table) {
    CAPTURE(p);
    CHECK(std::abs(random::inverse_normal(p) - x) <= 2e-15 * std::max(1.0, std::abs(x)));
  }
}

TEST_CASE("inverse_normal inverts the distribution function over the whole range") {
  for (double x = -8; x <= 0; x += 0.01) {
    CAPTURE(x);
    const double p = phi(x);
    // An error of p in the last place moves x by p / density.
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
    CHECK(std::abs(random::inverse_normal(p) - x) < 1e-15 * (4 + std::abs(x)) + 1e-15 * p / density);
  }
}

TEST_CASE("the tiled normal equals the single one, and never sees 0 or 1") {
  std::vector<std::uint64_t> bits{0, std::numeric_limits<std::uint64_t>::max(), 1, std::uint64_t{1} << 63};
  Generator g(3);
  while (bits.size() < 3000) bits.push_back(g.next());
  std::vector<double> x(bits.size());
  random::normal(x.data(), bits.data(), static_cast<std::int64_t>(bits.size()));
  for (std::size_t i = 0; i < bits.size(); ++i) {
    CAPTURE(i);
    const double p = (static_cast<double>(bits[i] >> 12) + 0.5) * 0x1p-52;
    CHECK(x[i] == random::inverse_normal(p));
  }
  CHECK(x[0] == doctest::Approx(-8.2095361516013856).epsilon(1e-14));
  CHECK(x[1] == -x[0]);
}

TEST_CASE("the generator's own logarithm is accurate to an ulp or two") {
  for (int i = 1; i < 100000; ++i) {
    const double x = std::exp(-37.0 * i / 100000);
    const double expected = std::log(x);
    if (std::abs(random::log(x) - expected) > 4.5e-16 * std::abs(expected)) {
      FAIL_CHECK("log(", x, ") = ", random::log(x), ", not ", expected);
    }
  }
  CHECK(random::log(1) == 0);
}

TEST_CASE("randint and below fill their range evenly") {
  Generator g(4);
  constexpr std::int64_t faces = 7, rolls = 70000;
  std::vector<double> from_tensor(faces), from_below(faces);
  const Tensor drawn = randint(-3, 4, {rolls}, {.generator = &g});
  for (std::int64_t roll : drawn.data<std::int64_t>()) {
    REQUIRE(roll >= -3);
    REQUIRE(roll < 4);
    ++from_tensor[static_cast<std::size_t>(roll + 3)];
  }
  for (std::int64_t i = 0; i < rolls; ++i) ++from_below[static_cast<std::size_t>(g.below(faces))];
  for (const auto& counts : {from_tensor, from_below}) {
    double chi_square = 0;
    for (double count : counts) chi_square += (count - rolls / faces) * (count - rolls / faces) / (rolls / faces);
    CHECK(chi_square < 16.81);  // 6 degrees of freedom, 1 % level
  }
}

TEST_CASE("randint has no bias where a remainder would have a large one") {
  // Of a span of 3 * 2^62, a remainder of 64 bits would favour the first third twofold.
  constexpr std::int64_t low = std::numeric_limits<std::int64_t>::min(), third = std::int64_t{1} << 62;
  Generator g(5);
  double counts[3] = {};
  const Tensor drawn = randint(low, low + third + third + third, {30000}, {.generator = &g});
  for (std::int64_t x : drawn.data<std::int64_t>()) {
    ++counts[(static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(low)) >> 62];
  }
  for (double count : counts) CHECK(std::abs(count - 10000) < 300);
}

TEST_CASE("randperm permutes, evenly") {
  Generator g(6);
  auto p = values_of<std::int64_t>(randperm(1000, {.generator = &g}));
  CHECK(!std::is_sorted(p.begin(), p.end()));
  std::sort(p.begin(), p.end());
  for (std::int64_t i = 0; i < 1000; ++i) REQUIRE(p[static_cast<std::size_t>(i)] == i);
  std::vector<double> counts(27);
  for (int round = 0; round < 6000; ++round) {
    const auto q = values_of<std::int64_t>(randperm(3, {.generator = &g}));
    ++counts[static_cast<std::size_t>(9 * q[0] + 3 * q[1] + q[2])];
  }
  CHECK(std::count(counts.begin(), counts.end(), 0.0) == 21);
  for (double count : counts) CHECK((count == 0 || std::abs(count - 1000) < 100));
  CHECK(randperm(0).shape() == Shape{0});
  CHECK(values_of<float>(randperm(1, {.dtype = float32})) == std::vector<float>{0});
}

TEST_CASE("bernoulli follows its probabilities") {
  Generator g(7);
  const Tensor p = tensor({0.0, 0.2, 0.5, 1.0}).expand({20000, 4});
  const Tensor mean = bernoulli(p, &g).mean(0);
  CHECK(mean[0].item() == 0);
  CHECK(std::abs(mean[1].item() - 0.2) < 0.015);
  CHECK(std::abs(mean[2].item() - 0.5) < 0.015);
  CHECK(mean[3].item() == 1);
  const Tensor q = full({3}, 0.5, {.dtype = float64, .requires_grad = true});
  const Tensor drawn = bernoulli(q, &g);
  CHECK(drawn.dtype() == float64);
  CHECK(!drawn.requires_grad());
}

TEST_CASE("random numbers don't depend on the number of threads") {
  const auto draw_all = [](int threads) {
    const Threads scope(threads);
    Generator g(8);
    std::vector<Tensor> drawn{rand({100001}, {.generator = &g}), randn({100001}, {.dtype = float64, .generator = &g}),
                              randint(-10, 1000, {100001}, {.generator = &g}), bernoulli(full({100001}, 0.3), &g),
                              randperm(1001, {.generator = &g})};
    return drawn;
  };
  const auto one = draw_all(1), three = draw_all(3);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CAPTURE(i);
    CHECK(equal(one[i], three[i]));
  }
}

TEST_CASE("element i depends on the position and i, not on the size of the tensor") {
  Generator large(10), small(10);
  const Tensor whole = randn({3000}, {.generator = &large});
  CHECK(equal(randn({7}, {.generator = &small}), whole.slice(0, 0, 7)));
  CHECK(small.position() == 4);  // two numbers a block, the rest of the last one unused
  CHECK(equal(randn({20}, {.generator = &small}), whole.slice(0, 8, 28)));
}

TEST_CASE("seed and position are a generator's whole state") {
  Generator g(11);
  (void)randn({100}, {.generator = &g});
  Generator resumed(g.seed());
  resumed.set_position(g.position());
  CHECK(equal(rand({33}, {.generator = &g}), rand({33}, {.generator = &resumed})));
  CHECK(g.below(1000) == resumed.below(1000));
  g.manual_seed(11);
  CHECK(g.position() == 0);
}

TEST_CASE("manual_seed repeats the default generator's numbers, and each thread has its own") {
  manual_seed(12);
  const Tensor first = rand({5}), second = rand({5});
  CHECK(!equal(first, second));
  manual_seed(12);
  CHECK(equal(rand({5}), first));
  Tensor elsewhere;
  std::thread([&] {
    manual_seed(12);
    elsewhere = rand({5});
  }).join();
  CHECK(equal(elsewhere, first));
  CHECK(equal(rand({5}), second));
  Generator own(12);
  (void)rand({5}, {.generator = &own});
  CHECK(default_generator().position() == 6);
}

TEST_CASE("shapes, dtypes and requires_grad of random tensors") {
  CHECK(rand({2, 3}).shape() == Shape{2, 3});
  CHECK(rand({}).dim() == 0);
  CHECK(randn({0, 4}).numel() == 0);
  CHECK(randn({2}, {.requires_grad = true}).requires_grad());
  CHECK(randn({2}, {.requires_grad = true}).is_leaf());
  CHECK(!rand({2}).requires_grad());
  CHECK(randint(5, {2}).dtype() == int64);
  CHECK(randint(5, {2}, {.dtype = float32, .requires_grad = true}).requires_grad());
  CHECK(randint(0, 2, {2}, {.dtype = boolean}).dtype() == boolean);
  const Tensor like = zeros({3, 2}, {.dtype = float64, .requires_grad = true});
  CHECK(rand_like(like).dtype() == float64);
  CHECK(!rand_like(like).requires_grad());
  CHECK(randn_like(like).shape() == Shape{3, 2});
  Generator g(13), h(13);
  CHECK(randn_like(like, {.dtype = float32, .generator = &g}).dtype() == float32);
  CHECK(
      equal(randn_like(like, {.generator = &h}), randn({3, 2}, {.dtype = float64, .generator = &(g = Generator(13))})));
}

TEST_CASE("impossible random tensors are refused") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::uint64_t position = default_generator().position();
  CHECK(message_of([] { rand({2, -1}); }) == "rand: sizes must not be negative, got (2, -1)");
  CHECK(message_of([] { randn({-3}); }) == "randn: sizes must not be negative, got (-3,)");
  CHECK(message_of([] { rand({2}, {.dtype = int64}); }) == "rand: dtype must be float32 or float64, got int64");
  CHECK(message_of([] { randn_like(tensor({1, 2})); }) == "randn: dtype must be float32 or float64, got int64");
  CHECK(message_of([] { randint(3, 3, {2}); }) == "randint: low must be less than high: 3 and 3");
  CHECK(message_of([] { randint(0, {2}); }) == "randint: low must be less than high: 0 and 0");
  CHECK(message_of([] { randint(2, {-1}); }) == "randint: sizes must not be negative, got (-1,)");
  CHECK(message_of([] { randint(3, {2}, {.dtype = boolean}); }) ==
        "randint: bool cannot represent every integer from 0 to 2");
  CHECK(message_of([] { randint(1 << 25, {2}, {.dtype = float32}); }) ==
        "randint: float32 cannot represent every integer from 0 to 33554431");
  CHECK(message_of([] { randint(2, {2}, {.requires_grad = true}); }) ==
        "randint: only floating tensors can require a gradient, got dtype int64");
  CHECK(message_of([] { randperm(-1); }) == "randperm: n must not be negative, got -1");
  CHECK(message_of([] {
          bernoulli(tensor({0.5, 1.5}));
        }) == "bernoulli: a probability must be in [0, 1], got 1.5 at element 1 of (2,)");
  CHECK(message_of([&] { bernoulli(tensor({nan})); }) ==
        "bernoulli: a probability must be in [0, 1], got nan at element 0 of (1,)");
  CHECK(message_of([] { bernoulli(tensor({-0.25})); }) ==
        "bernoulli: a probability must be in [0, 1], got -0.25 at element 0 of (1,)");
  CHECK(message_of([] { bernoulli(tensor({1, 0})); }) == "bernoulli: dtype must be float32 or float64, got int64");
  CHECK(message_of([] { default_generator().below(0); }) == "Generator::below: the bound must be positive, got 0");
  CHECK(default_generator().position() == position);  // a refused call draws nothing
}
