// gradus gradcheck: checks the derivatives of every op of the library on this machine, over the rows of the op table.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <gradus/gradcheck.hpp>

#include "gradus/commands.hpp"
#include "gradus/options.hpp"
#include "ops/op_table.hpp"

namespace gradus::tool {
namespace {

using Json = nlohmann::ordered_json;
using test::Case;
using test::Row;
using test::Tensors;

struct Wishes {
  std::vector<std::string> ops;
  bool second_order = false;
  bool json = false;
  bool list = false;
  bool verbose = false;
  std::uint64_t seed = 0;
};

// What became of one row in one order.
struct Outcome {
  Verdict verdict = Verdict::pass;
  std::int64_t cases = 0;
  std::int64_t entries = 0;
  double worst = 0;  // relative error
  std::string skipped;
  std::vector<GradcheckReport> troubles;
};

struct Line {
  const Row* row;
  Outcome first, second;
  double seconds = 0;
  Verdict verdict() const { return std::max(first.verdict, second.verdict); }
};

void add(Outcome& outcome, GradcheckReport report) {
  ++outcome.cases;
  outcome.verdict = std::max(outcome.verdict, report.verdict);
  for (const GradcheckInput& input : report.inputs) {
    outcome.entries += input.checked;
    for (const GradcheckEntry& entry : input.worst) {
      // Below the tolerance of what is nearly zero, a relative error says nothing.
      const bool counts =
          std::max(std::abs(entry.analytic), std::abs(entry.numeric)) * report.rtol > entry.tolerance / 2;
      if (counts && std::isfinite(entry.numeric)) outcome.worst = std::max(outcome.worst, entry.relative_error());
    }
  }
  if (!report.passed()) outcome.troubles.push_back(std::move(report));
}

Outcome check(const Row& row, int order, std::uint64_t seed) {
  Outcome outcome;
  if (order == 2 && !row.no_second_order.empty()) {
    outcome.skipped = row.no_second_order;
    return outcome;
  }
  for (const Case& c : row.cases) {
    Tensors inputs = test::make_inputs(c.inputs, float64);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (c.inputs[i].differentiable) inputs[i].set_requires_grad();
    }
    const auto call = [&](const std::vector<Tensor>& x) { return row.call(x, c.args); };
    const GradcheckOptions options{.seed = seed};
    add(outcome, order == 1 ? gradcheck(call, inputs, options) : gradgradcheck(call, inputs, options));
  }
  return outcome;
}

bool is_called(const Row& row, const std::string& name) { return row.name == name || row.op() == name; }

// The differentiable rows of these names, or all. Throws if a name is no op's.
std::vector<const Row*> rows_called(const std::vector<std::string>& names) {
  std::vector<const Row*> differentiable, chosen;
  for (const Row& row : test::op_table()) {
    if (row.differentiable) differentiable.push_back(&row);
  }
  if (names.empty()) return differentiable;
  for (const std::string& name : names) {
    if (std::ranges::none_of(differentiable, [&](const Row* row) { return is_called(*row, name); })) {
      throw Error("gradcheck: no differentiable op is called '" + name + "'; --list names them");
    }
  }
  std::ranges::copy_if(differentiable, std::back_inserter(chosen), [&](const Row* row) {
    return std::ranges::any_of(names, [&](const std::string& name) { return is_called(*row, name); });
  });
  return chosen;
}

std::string cell(const Outcome& outcome) {
  if (!outcome.skipped.empty()) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%-12s %7.1e", to_string(outcome.verdict), outcome.worst);
  return text;
}

void print_head(const Wishes& wishes) {
  std::printf("%-42s %5s %8s  %-21s", "op", "cases", "entries", "first order (worst)");
  if (wishes.second_order) std::printf(" %-21s", "second order (worst)");
  std::printf(" %7s\n", "ms");
}

void print_line(const Line& line, const Wishes& wishes) {
  std::printf("%-42s %5lld %8lld  %-21s", line.row->name.c_str(), static_cast<long long>(line.first.cases),
              static_cast<long long>(line.first.entries + line.second.entries), cell(line.first).c_str());
  if (wishes.second_order) std::printf(" %-21s", cell(line.second).c_str());
  std::printf(" %7.1f\n", line.seconds * 1e3);
  for (const Outcome* outcome : {&line.first, &line.second}) {
    for (const GradcheckReport& report : outcome->troubles) std::cout << report.to_string();
    if (wishes.verbose && !outcome->skipped.empty()) std::printf("  no second order: %s\n", outcome->skipped.c_str());
  }
  std::fflush(stdout);
}

Json to_json(const Outcome& outcome) {
  if (!outcome.skipped.empty()) return {{"skipped", outcome.skipped}};
  Json reports = Json::array();
  for (const GradcheckReport& report : outcome.troubles) reports.push_back(Json::parse(report.to_json()));
  return {{"verdict", to_string(outcome.verdict)},
          {"cases", outcome.cases},
          {"entries", outcome.entries},
          {"worst_relative_error", outcome.worst},
          {"reports", reports}};
}

Json to_json(const Line& line, const Wishes& wishes) {
  Json json = {{"op", line.row->name}, {"verdict", to_string(line.verdict())}, {"seconds", line.seconds}};
  json["first_order"] = to_json(line.first);
  if (wishes.second_order) json["second_order"] = to_json(line.second);
  return json;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void print_sum(const std::vector<Line>& lines, double seconds) {
  std::int64_t count[3] = {};
  for (const Line& line : lines) ++count[static_cast<std::size_t>(line.verdict())];
  std::printf("%zu ops: %lld pass, %lld inconclusive, %lld fail, in %.1f s\n", lines.size(),
              static_cast<long long>(count[0]), static_cast<long long>(count[1]), static_cast<long long>(count[2]),
              seconds);
}

int run(const Wishes& wishes) {
  const std::vector<const Row*> rows = rows_called(wishes.ops);
  if (wishes.list) {
    for (const Row* row : rows) std::puts(row->name.c_str());
    return 0;
  }
  const double start = now();
  std::vector<Line> lines;
  Json all = Json::array();
  if (!wishes.json) print_head(wishes);
  for (const Row* row : rows) {
    const double begin = now();
    Line line{row, check(*row, 1, wishes.seed), {}, 0};
    if (wishes.second_order) line.second = check(*row, 2, wishes.seed);
    line.seconds = now() - begin;
    wishes.json ? all.push_back(to_json(line, wishes)) : print_line(line, wishes);
    lines.push_back(std::move(line));
  }
  Verdict verdict = Verdict::pass;
  for (const Line& line : lines) verdict = std::max(verdict, line.verdict());
  if (wishes.json)
    std::cout << Json{{"verdict", to_string(verdict)}, {"seconds", now() - start}, {"ops", all}}.dump(2) << '\n';
  else
    print_sum(lines, now() - start);
  return verdict == Verdict::pass ? 0 : verdict == Verdict::fail ? 1 : 3;
}

}  // namespace

void add_gradcheck(CLI::App& app, int& status) {
  static Wishes wishes;
  CLI::App* command = app.add_subcommand("gradcheck", "Check the derivatives of every op of the library, here and now");
  command->add_option("--op", wishes.ops, "Only these ops, such as softmax, or one overload, such as max:dim")
      ->type_name("NAME");
  command->add_flag("--second-order", wishes.second_order, "Check derivatives of derivatives as well");
  command->add_flag("--json", wishes.json, "Print JSON instead of a table");
  command->add_flag("--list", wishes.list, "Only name the ops that would be checked");
  command->add_flag("-v,--verbose", wishes.verbose, "Say why an op has no second order");
  command->add_option("--seed", wishes.seed, "Seed of cotangents and directions")
      ->type_name("N")
      ->check(not_negative());
  command->footer(
      "Exit status: 0 all pass, 1 one fails, 3 one is inconclusive, 2 wrong usage.\n\n"
      "Examples:\n"
      "  gradus gradcheck --second-order\n"
      "  gradus gradcheck --op softmax --op max:dim\n"
      "  gradus gradcheck --json > gradients.json");
  command->callback([&status] { status = run(wishes); });
}

}  // namespace gradus::tool
