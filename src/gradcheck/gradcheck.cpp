#include "gradus/gradcheck.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradcheck/check.hpp"
#include "gradcheck/culprit.hpp"
#include "gradus/autograd.hpp"
#include "storage/format.hpp"

namespace gradus {
namespace {

using check::Gradient;
using check::Plan;
using check::Sample;
using check::Subject;

// A function under test, which can be given other variables of the same values.
struct Problem {
  std::vector<Tensor> variables;
  std::vector<std::string> names;
  std::vector<bool> replaceable;  // may a variable be another tensor? (a module's parameters may not)
  std::function<std::vector<Tensor>(const std::vector<Tensor>&)> function;
  std::shared_ptr<const check::Replay> replay;

  Subject subject(const std::vector<Tensor>& other_variables) const {
    return Subject([f = function, other_variables] { return f(other_variables); }, other_variables, replay);
  }
  Subject subject() const { return subject(variables); }
};

class Checker {
 public:
  Checker(Problem problem, const GradcheckOptions& options, int order)
      : problem_(std::move(problem)),
        options_(options),
        order_(order),
        plan_(check::plan_of(options, problem_.variables.front().dtype())) {}

  GradcheckReport run() {
    const Subject first = problem_.subject();
    const auto damage = options_.find_culprit ? check::find_damage(first) : std::nullopt;
    const Subject subject = of_order(first);
    GradcheckReport report = check::compare(subject, names_for(subject), plan_);
    if (damage) {
      report.found = {*damage};
      if (!report.failed()) report.reason = formatted("the op {} changes one of its inputs in place", damage->op);
      report.verdict = Verdict::fail;
    }
    report.second_order = order_ == 2;
    report.notes = remarks(subject, report);
    if (report.failed()) {
      if (report.found.empty()) blame(first, subject, plan_, report);
    } else if (options_.check_views && report.passed()) {
      check_views(subject, report);
    }
    return report;
  }

  // Compares the gradient of `problem` in single precision with that of this one.
  void check_single(const Problem& single, GradcheckReport& report) {
    const Subject doubles = of_order(problem_.subject());
    const Subject singles = of_order(single.subject());
    // What values lose in single precision, gradients may lose too, and some more.
    const double tolerance = 2e-3 + 100 * relative_distance(singles.sample().values, doubles.sample().values);
    const std::string difference = compare_gradients(singles, doubles, tolerance);
    if (difference.empty()) return;
    report.verdict = Verdict::fail;
    report.reason = "in float32 the gradient is another one than in float64: " + difference;
    blame(single.subject(), singles, check::plan_of(options_, float32), report);
  }

 private:
  Subject of_order(const Subject& first) const {
    return order_ == 1 ? first : check::gradient_of(first, options_.seed);
  }

  std::vector<std::string> names_for(const Subject& subject) const {
    std::vector<std::string> names = problem_.names;
    while (names.size() < subject.variables().size()) {
      const std::size_t k = names.size() - problem_.names.size();
      names.push_back(formatted("grad_output {}", k));
    }
    return names;
  }

  void blame(const Subject& first, const Subject& checked, const Plan& plan, GradcheckReport& report) const {
    if (!options_.find_culprit) return;
    try {
      report.found = check::find_culprits(first, checked, order_, plan, report);
    } catch (const Error& error) {
      report.notes.push_back(std::string("the search for the op to blame ended early: ") + error.what());
      return;
    }
    if (report.found.empty()) {
      report.notes.push_back(
          "no recorded op is wrong alone: something was done off the tape (detach, item, data, NoGrad), or an op keeps "
          "state between calls");
    }
  }

  // Variables that the tape does not reach, and those on which nothing depends.
  static std::vector<std::string> remarks(const Subject& subject, const GradcheckReport& report) {
    std::vector<std::string> notes;
    for (const GradcheckInput& input : report.inputs) {
      if (input.worst.empty() || std::ranges::any_of(input.worst, &GradcheckEntry::analytic)) continue;
      const bool flat = std::ranges::all_of(input.worst, [](const auto& e) { return e.numeric == 0; });
      if (flat) {
        notes.push_back(formatted("nothing seems to depend on {}: its derivatives are all zero", input.name));
      } else if (input.failed > 0) {
        notes.push_back(formatted("the tape has no path to {}, on which the values depend", input.name));
      }
    }
    if (subject.run().empty()) notes.emplace_back("the function has no floating output: there was nothing to check");
    return notes;
  }

  // The same values in another layout must give the same results.
  void check_views(const Subject& subject, GradcheckReport& report) const {
    std::vector<Tensor> scattered = problem_.variables;
    bool any = false;
    for (std::size_t i = 0; i < scattered.size(); ++i) {
      if (!problem_.replaceable[i]) continue;
      Tensor copy = check::copy_scattered(scattered[i]);
      if (!copy.defined()) continue;
      scattered[i] = copy.set_requires_grad();
      any = true;
    }
    if (!any) return;
    const Subject views = problem_.subject(scattered);
    std::string difference;
    try {
      const Subject other = of_order(views);
      if (relative_distance(other.sample().values, subject.sample().values) > 1e-6) {
        difference = "the values differ";
      } else {
        difference = compare_gradients(other, subject, 1e-6);
      }
    } catch (const Error& error) {
      report.notes.push_back(std::string("not checked on inputs that are not contiguous: ") + error.what());
      return;
    }
    if (difference.empty()) return;
    report.verdict = Verdict::fail;
    report.reason = "inputs that are not contiguous give another result: " + difference;
    blame(views, of_order(views), plan_, report);
  }

  std::string compare_gradients(const Subject& a, const Subject& b, double tolerance) const {
    check::Recorded left(a), right(b);
    Generator generator(options_.seed + 5);
    const check::Cotangent row = check::random_cotangent(right.count(), generator);
    const Gradient p = left.gradient(row), q = right.gradient(row);
    const std::vector<std::string> names = names_for(b);
    const double values = weighted_norm(row.weights, b.sample().values);
    for (std::size_t i = 0; i < p.size(); ++i) {
      const Tensor& variable = a.variables()[i];
      const double epsilon = variable.dtype() == float32 ? 0x1p-23 : 0x1p-52;
      const double distance = relative_distance(p[i], q[i], 100 * epsilon / tolerance * values / size_of(variable));
      if (distance > tolerance) {
        return formatted("that by {} is off by {:.2g} of its largest element", names[i], distance);
      }
    }
    return {};
  }

  // The root of sum (c v)^2: what many roundings of c v amount to.
  static double weighted_norm(const std::vector<double>& c, const std::vector<double>& v) {
    double sum = 0;
    for (std::size_t i = 0; i < v.size(); ++i) sum += c[i] * v[i] * c[i] * v[i];
    return std::sqrt(sum);
  }

  static double size_of(const Tensor& variable) {
    double sum = 0;
    for (const double v : check::values_of(variable)) sum += v * v;
    return sum > 0 ? std::sqrt(sum / static_cast<double>(variable.numel())) : 1;
  }

  // The largest difference, relative to the largest element or to `least` if all are smaller: a gradient may be nothing
  // but round-off.
  static double relative_distance(const std::vector<double>& a, const std::vector<double>& b, double least = 0) {
    double distance = 0, size = least;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
      distance = std::max(distance, std::abs(a[i] - b[i]));
    }
    for (const double v : b) size = std::max(size, std::abs(v));
    return size > 0 ? distance / size : distance;
  }

  const Problem problem_;
  const GradcheckOptions& options_;
  const int order_;
  const Plan plan_;
};

std::string name_of(const GradcheckOptions& options, std::size_t i) {
  return i < options.names.size() ? options.names[i] : formatted("input {}", i);
}

// Which inputs are differentiated: those that ask for it, or all floating ones.
std::vector<std::size_t> chosen(const std::vector<Tensor>& inputs) {
  std::vector<std::size_t> asking, floating;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !is_floating_point(inputs[i].dtype())) continue;
    floating.push_back(i);
    if (inputs[i].requires_grad()) asking.push_back(i);
  }
  if (floating.empty()) fail("gradcheck: none of the {} inputs has a floating dtype", inputs.size());
  return asking.empty() ? floating : asking;
}

// The function on copies of its inputs, all floating ones of the dtype.
Problem problem_of(const detail::TensorsFunction& fn, const std::vector<Tensor>& inputs,
                   const GradcheckOptions& options, std::optional<Dtype> dtype) {
  Problem problem;
  std::vector<Tensor> arguments;
  for (const Tensor& input : inputs) {
    const bool floating = input.defined() && is_floating_point(input.dtype());
    arguments.push_back(floating          ? check::copy_with_layout(input, dtype.value_or(input.dtype()))
                        : input.defined() ? input.detach().clone()
                                          : input);
  }
  const std::vector<std::size_t> places = chosen(inputs);
  for (const std::size_t i : places) {
    problem.variables.push_back(arguments[i].set_requires_grad());
    problem.names.push_back(name_of(options, i));
  }
  problem.replaceable.assign(places.size(), true);
  problem.function = [fn, arguments, places](const std::vector<Tensor>& variables) {
    std::vector<Tensor> all = arguments;
    for (std::size_t k = 0; k < places.size(); ++k) all[places[k]] = variables[k];
    return fn(all);
  };
  return problem;
}

Problem problem_of(const nn::AnyModule& original, const Tensor& input, std::optional<Dtype> dtype) {
  // Shared by all copies of the function, whose variables are its parameters.
  const auto shared = std::make_shared<nn::AnyModule>(original);
  const nn::AnyModule& module = *shared;
  class Convert final : public nn::MemberVisitor {
   public:
    explicit Convert(Dtype to) : to_(to) {}
    void parameter(const nn::MemberPath&, nn::Parameter& p) override {
      p = nn::Parameter(p.to(to_), p.requires_grad());
    }
    void buffer(const nn::MemberPath&, nn::Buffer& b) override {
      if (is_floating_point(b.dtype())) b = nn::Buffer(b.to(to_));
    }

   private:
    Dtype to_;
  };
  if (dtype) {
    Convert convert(*dtype);
    module->visit_members(convert, {});
  }
  Problem problem;
  for (const auto& [name, parameter] : module->named_parameters()) {
    if (!parameter.requires_grad()) continue;
    problem.variables.push_back(parameter);
    problem.names.push_back(name);
    problem.replaceable.push_back(false);
  }
  const bool floating = is_floating_point(input.dtype());
  Tensor x = floating ? check::copy_with_layout(input, dtype.value_or(input.dtype())) : input.detach().clone();
  if (floating) {
    problem.variables.push_back(x.set_requires_grad());
    problem.names.push_back("input");
    problem.replaceable.push_back(true);
  }
  if (problem.variables.empty())
    fail("gradcheck: the module has no parameter that requires a gradient, and no floating input");
  // Buffers that a forward pass changes (running statistics) are put back, so that each run starts alike.
  auto saved = std::make_shared<std::vector<std::pair<Tensor, Tensor>>>();
  for (const Tensor& buffer : module->buffers()) saved->emplace_back(buffer, buffer.detach().clone());
  problem.function = [shared, x, floating, saved](const std::vector<Tensor>& variables) {
    {
      const NoGrad guard;
      for (auto& [buffer, values] : *saved) Tensor(buffer).copy_(values);
    }
    return std::vector<Tensor>{(**shared)(floating ? variables.back() : x)};
  };
  return problem;
}

// Checks in double precision if that is wished for and can be done; `make` builds the problem in a dtype.
template <class Make>
GradcheckReport check_in_double(const Make& make, bool single, const GradcheckOptions& options, int order) {
  const auto replay = std::make_shared<const check::Replay>(options.generators);
  const Observing unobserved(nullptr);
  const EnableGrad recording;
  const auto problem_in = [&](std::optional<Dtype> dtype) {
    Problem problem = make(dtype);
    problem.replay = replay;
    return problem;
  };
  if (!single || !options.float64_copy) return Checker(problem_in(std::nullopt), options, order).run();
  Problem doubles = problem_in(float64);
  try {
    doubles.subject().run();
  } catch (const Error& error) {
    GradcheckReport report = Checker(problem_in(float32), options, order).run();
    report.notes.push_back(std::string("checked in float32, which is coarse: a float64 copy can't be run: ") +
                           error.what());
    return report;
  }
  Checker checker(std::move(doubles), options, order);
  GradcheckReport report = checker.run();
  report.notes.insert(report.notes.begin(),
                      "float32: checked on a float64 copy, with which the float32 gradient is compared");
  if (report.passed()) checker.check_single(problem_in(float32), report);
  return report;
}

bool any_single(const std::vector<Tensor>& tensors) {
  return std::ranges::any_of(tensors, [](const Tensor& t) { return t.defined() && t.dtype() == float32; });
}

// Puts values, gradients and versions of tensors back that are perturbed where they are.
class Restored {
 public:
  explicit Restored(const std::vector<Tensor>& tensors) : tensors_(tensors) {
    for (const Tensor& tensor : tensors)
      values_.push_back(tensor.detach().clone()), gradients_.push_back(tensor.grad());
  }
  ~Restored() {
    const NoGrad guard;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      tensors_[i].copy_(values_[i]);
      tensors_[i].set_grad(gradients_[i]);
    }
  }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  std::vector<Tensor> tensors_, values_, gradients_;
};

}  // namespace

namespace detail {

void fail_arity(std::size_t given) { fail("gradcheck: the function does not take {} tensors", given); }

GradcheckReport gradcheck(const TensorsFunction& fn, const std::vector<Tensor>& inputs, const GradcheckOptions& options,
                          int order) {
  chosen(inputs);
  const auto make = [&](std::optional<Dtype> dtype) { return problem_of(fn, inputs, options, dtype); };
  return check_in_double(make, any_single(inputs), options, order);
}

GradcheckReport gradcheck_in_place(const std::function<std::vector<Tensor>()>& fn, const std::vector<Tensor>& variables,
                                   const GradcheckOptions& options, int order) {
  if (variables.empty()) fail("gradcheck: a function without arguments needs tensors to be checked by");
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (!variables[i].requires_grad() || !variables[i].is_leaf()) {
      fail("gradcheck: {} must be a leaf that requires a gradient", name_of(options, i));
    }
  }
  const Restored restored(variables);
  const auto make = [&](std::optional<Dtype>) {
    Problem problem{.variables = variables,
                    .names = {},
                    .replaceable = std::vector<bool>(variables.size(), false),
                    .function = [fn](const std::vector<Tensor>&) { return fn(); },
                    .replay = {}};
    for (std::size_t i = 0; i < variables.size(); ++i) problem.names.push_back(name_of(options, i));
    return problem;
  };
  GradcheckReport report = check_in_double(make, false, options, order);
  if (any_single(variables))
    report.notes.push_back("checked in float32, which is coarse: captured tensors are not copied");
  return report;
}

GradcheckReport gradcheck_module(nn::AnyModule module, const Tensor& input, const GradcheckOptions& options,
                                 int order) {
  std::vector<Tensor> all = module->parameters();
  all.push_back(input);
  const auto make = [&](std::optional<Dtype> dtype) { return problem_of(module, input, dtype); };
  return check_in_double(make, any_single(all), options, order);
}

}  // namespace detail
}  // namespace gradus
