// Gradient checking: derivatives from the tape against derivatives from differences of values.
//
// The answer has three values. PASS: they agree. FAIL: they differ by more than the numeric value can be wrong; the op
// whose derivative is to blame is named. INCONCLUSIVE: the differences can't tell, and the report says why: a kink, too
// much round-off, a function that gives another value each time.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/nn/any_module.hpp"
#include "gradus/random.hpp"
#include "gradus/tensor.hpp"

namespace gradus {

enum class Verdict : std::uint8_t { pass, inconclusive, fail };

// "PASS", "INCONCLUSIVE" or "FAIL".
const char* to_string(Verdict verdict);

struct GradcheckOptions {
  // An entry passes if |analytic - numeric| + error bar <= rtol * max(|analytic|, |numeric|) + atol * scale, and fails
  // if |analytic - numeric| - error bar is larger than that. The scale is sum |cotangent * output| / |x|: the size of a
  // derivative that would change the output by all of itself; where round-off decides nothing, the largest output
  // counts instead. Negative: 1e-5 and 1e-10 in float64, 3e-3 and 1e-4 in float32.
  double rtol = -1;
  double atol = -1;
  // Random directions instead of every element: for millions of parameters.
  bool fast = false;
  // Fast mode takes as many directions as catch one wrong entry with this probability (see GradcheckReport).
  double confidence = 0.999999;
  // float32 inputs are checked on a float64 copy, and their float32 gradient is compared with that.
  bool float64_copy = true;
  // Run once more with inputs that are not contiguous, and compare.
  bool check_views = true;
  // Outputs of up to this many elements are checked element by element (the whole Jacobian), larger ones through two
  // random sums of them.
  std::int64_t max_jacobian_rows = 64;
  // Find the op to blame: it costs a few runs of the function per recorded op. One more run finds ops that write into
  // their inputs behind the tape's back.
  bool find_culprit = true;
  std::vector<std::string> names = {};      // of the inputs, for the report
  std::vector<Generator*> generators = {};  // replayed before each run, as the default generator is
  std::uint64_t seed = 0;                   // of cotangents and directions
};

// One derivative: of a sum of outputs by an element of an input, or along a direction in fast mode.
struct GradcheckEntry {
  std::int64_t output = -1;  // which output, and which of its elements; -1: a random sum of all
  std::int64_t output_element = -1;
  std::int64_t element = -1;  // of the input, in row-major order; -1: a random direction
  double analytic = 0;
  double numeric = 0;
  double error_bar = 0;  // of the numeric value
  double tolerance = 0;  // what |analytic - numeric| + error_bar is compared with
  Verdict verdict = Verdict::pass;
  std::string reason;  // for other verdicts than PASS

  double absolute_error() const;
  double relative_error() const;  // to the larger of the two; 0 if both are 0
};

struct GradcheckInput {
  std::string name;
  Shape shape;
  Dtype dtype = float64;
  Verdict verdict = Verdict::pass;
  std::int64_t checked = 0;  // entries
  std::int64_t failed = 0;
  std::int64_t inconclusive = 0;
  std::vector<GradcheckEntry> worst;  // worst first, a handful
};

// An op whose derivative is wrong on its own: all its inputs given, the rest of the graph cut away. If there is none,
// one that makes a failed entry wrong in a run of the whole function; or one that writes into its input.
struct GradcheckCulprit {
  std::string op;
  std::int64_t place = 0;  // the how-manieth of `ops` recorded ops that lead to the output, from 1
  std::int64_t ops = 0;
  std::int64_t input = 0;  // which of its inputs
  Shape input_shape;
  Shape output_shape;
  std::string evidence;      // what was seen
  std::string likely_cause;  // empty, or what the wrong derivative looks like
};

struct GradcheckReport {
  Verdict verdict = Verdict::pass;
  std::string reason;  // one sentence, for other verdicts than PASS
  std::vector<GradcheckInput> inputs;
  std::vector<GradcheckCulprit> found;  // in the order of the forward pass
  std::vector<std::string> notes;       // what else a reader must know
  bool second_order = false;
  bool fast = false;
  double rtol = 0, atol = 0;
  // Fast mode.
  std::int64_t directions = 0;       // per input
  double detection_probability = 1;  // that one entry, wrong by as much as the entries' root mean square, is caught
  double taylor_slope = 0;  // of log |f(x + h d) - f(x) - h f'd| over log h: 2 if the gradient is right, else 1

  bool passed() const { return verdict == Verdict::pass; }
  bool failed() const { return verdict == Verdict::fail; }
  explicit operator bool() const { return passed(); }
  // The name of the first op to blame; empty if there is none.
  std::string culprit() const;
  std::vector<std::string> culprits() const;
  // A table, worst first. In colour if standard output is a terminal and NO_COLOR is not set.
  std::string to_string() const;
  std::string to_string(bool colour) const;
  std::string to_json() const;
};

std::ostream& operator<<(std::ostream& out, const GradcheckReport& report);

namespace detail {

// A function of a list of tensors with a list of results.
using TensorsFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

template <std::size_t>
using AsTensor = const Tensor&;

template <class F, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, AsTensor<I>...>;
}

inline std::vector<Tensor> as_list(Tensor result) { return {std::move(result)}; }
inline std::vector<Tensor> as_list(std::vector<Tensor> results) { return results; }

[[noreturn]] void fail_arity(std::size_t given);

template <class F, std::size_t... I>
std::vector<Tensor> spread(F& f, const std::vector<Tensor>& x, std::index_sequence<I...>) {
  return as_list(f(x[I]...));
}

// Calls f with as many tensors as there are, if it takes so many.
template <class F, std::size_t N = 0>
std::vector<Tensor> call_with(F& f, const std::vector<Tensor>& x) {
  if constexpr (N > 8) {
    fail_arity(x.size());
  } else {
    if constexpr (takes<F>(std::make_index_sequence<N>{})) {
      if (x.size() == N) return spread(f, x, std::make_index_sequence<N>{});
    }
    return call_with<F, N + 1>(f, x);
  }
}

template <class F>
TensorsFunction on_list(F f) {
  if constexpr (std::is_invocable_v<F&, const std::vector<Tensor>&>)
    return [f = std::move(f)](const std::vector<Tensor>& x) mutable { return as_list(f(x)); };
  else
    return [f = std::move(f)](const std::vector<Tensor>& x) mutable { return call_with(f, x); };
}

GradcheckReport gradcheck(const TensorsFunction& fn, const std::vector<Tensor>& inputs, const GradcheckOptions& options,
                          int order);
// Perturbs the given tensors themselves, and puts them back.
GradcheckReport gradcheck_in_place(const std::function<std::vector<Tensor>()>& fn, const std::vector<Tensor>& variables,
                                   const GradcheckOptions& options, int order);
GradcheckReport gradcheck_module(nn::AnyModule module, const Tensor& input, const GradcheckOptions& options, int order);

template <class F>
GradcheckReport gradcheck_any(F fn, const std::vector<Tensor>& inputs, const GradcheckOptions& options, int order) {
  if constexpr (std::is_invocable_v<F&> && !std::is_invocable_v<F&, const std::vector<Tensor>&>)
    return gradcheck_in_place([&]() { return as_list(fn()); }, inputs, options, order);
  else
    return gradcheck(on_list(std::move(fn)), inputs, options, order);
}

}  // namespace detail

// Checks the derivatives of fn(inputs...) by those inputs that require a gradient, or by all floating ones if none
// does. fn takes one tensor per input, or a std::vector of them, and returns a tensor or a std::vector. It is given
// copies; their layout is that of the inputs. A function without arguments is checked on tensors that it captures (a
// model's parameters): these are changed for the time of the check, and put back, exceptions included. Throws if the
// inputs can't be checked at all; what fn itself throws is passed on.
template <class F>
requires(!std::derived_from<std::remove_cvref_t<F>, nn::Module>) GradcheckReport
    gradcheck(F fn, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {}) {
  return detail::gradcheck_any(std::move(fn), inputs, options, 1);
}

// Checks every parameter of a module that requires a gradient, and the input. The module is copied.
template <std::derived_from<nn::Module> M>
GradcheckReport gradcheck(const M& module, const Tensor& input, const GradcheckOptions& options = {}) {
  return detail::gradcheck_module(nn::AnyModule(module), input, options, 1);
}

// Checks the derivatives of the gradient: by the inputs, and by the gradient of the output that it starts from.
template <class F>
requires(!std::derived_from<std::remove_cvref_t<F>, nn::Module>) GradcheckReport
    gradgradcheck(F fn, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {}) {
  return detail::gradcheck_any(std::move(fn), inputs, options, 2);
}

template <std::derived_from<nn::Module> M>
GradcheckReport gradgradcheck(const M& module, const Tensor& input, const GradcheckOptions& options = {}) {
  return detail::gradcheck_module(nn::AnyModule(module), input, options, 2);
}

}  // namespace gradus
