#include "gradus/optim/schedules/composition.hpp"

#include <algorithm>
#include <memory>
#include <span>

#include "optim/schedules/check.hpp"

namespace gradus::optim {
namespace {

std::vector<ClosedForm> forms_of(const char* name, const Optimizer& optimizer, std::span<const SchedulePart> parts) {
  if (parts.empty()) fail("{}: got an empty list of schedulers", name);
  std::vector<ClosedForm> forms;
  for (const SchedulePart& part : parts) {
    if (part.optimizer != &optimizer) fail("{}: scheduler {} is of another optimizer", name, forms.size());
    forms.push_back(part.form);
  }
  return forms;
}

bool has_momentum(const ClosedForm& form) { return static_cast<bool>(form.momentum); }

// Which part it is the turn of, and the time by its clock.
struct Turn {
  std::size_t part;
  std::int64_t t;
};

Turn turn_at(std::int64_t t, const std::vector<std::int64_t>& milestones) {
  const auto passed = static_cast<std::size_t>(std::ranges::upper_bound(milestones, t) - milestones.begin());
  return {passed, passed == 0 ? t : t - milestones[passed - 1]};
}

void check_milestones(const SequentialLROptions& o) {
  const auto& milestones = o.milestones;
  if (milestones.size() + 1 != o.schedulers.size()) {
    fail("SequentialLR: milestones must be one less than schedulers, got {} and {}", milestones.size(),
         o.schedulers.size());
  }
  for (std::size_t i = 0; i < milestones.size(); ++i) {
    const std::int64_t before = i == 0 ? 0 : milestones[i - 1];
    if (milestones[i] <= before)
      fail("SequentialLR: milestones must increase from 1, got {} after {}", milestones[i], before);
  }
}

ClosedForm sequential_form(const Optimizer& optimizer, const SequentialLROptions& o) {
  auto forms = forms_of("SequentialLR", optimizer, o.schedulers);
  check_milestones(o);
  const bool cycles = std::ranges::all_of(forms, has_momentum);
  if (!cycles && std::ranges::any_of(forms, has_momentum)) {
    fail("SequentialLR: all schedulers or none must cycle the momentum");
  }
  // Shared by both functions: a part may remember where it was.
  const auto parts = std::make_shared<const std::vector<ClosedForm>>(std::move(forms));
  ClosedForm form{.lr = [parts, milestones = o.milestones](std::int64_t t, double base, std::size_t group) {
    const Turn turn = turn_at(t, milestones);
    return (*parts)[turn.part].lr(turn.t, base, group);
  }};
  if (cycles) {
    form.momentum = [parts, milestones = o.milestones](std::int64_t t, std::size_t group) {
      const Turn turn = turn_at(t, milestones);
      return (*parts)[turn.part].momentum(turn.t, group);
    };
  }
  return form;
}

ClosedForm chained_form(const Optimizer& optimizer, const ChainedSchedulerOptions& o) {
  auto forms = forms_of("ChainedScheduler", optimizer, o.schedulers);
  ClosedForm form;
  for (const ClosedForm& part : forms) {
    if (part.momentum) form.momentum = part.momentum;
  }
  form.lr = [forms = std::move(forms)](std::int64_t t, double base, std::size_t group) {
    for (const ClosedForm& part : forms) base = part.lr(t, base, group);
    return base;
  };
  return form;
}

}  // namespace

SequentialLR::SequentialLR(Optimizer& optimizer, const SequentialLROptions& options)
    : Schedule("SequentialLR", optimizer, sequential_form(optimizer, options)) {}
ChainedScheduler::ChainedScheduler(Optimizer& optimizer, const ChainedSchedulerOptions& options)
    : Schedule("ChainedScheduler", optimizer, chained_form(optimizer, options)) {}

}  // namespace gradus::optim
