// gradus landscape: a page on which optimizers go down a surface, or pictures of the surface around a trained network.
#include <cstdio>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>

#include <gradus/error.hpp>
#include <gradus/factory.hpp>
#include <gradus/problems.hpp>
#include <gradus/train/landscape_page.hpp>

#include "gradus/commands.hpp"
#include "gradus/files.hpp"
#include "gradus/network_landscape.hpp"
#include "gradus/options.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

struct Wishes {
  std::string surface;
  std::string output;
  std::vector<double> start;
  train::LandscapeOptions page;
  std::string network;
  NetworkOptions of_network;
  bool list = false;
};

std::vector<std::string> surfaces() {
  std::vector<std::string> names;
  for (const problems::Problem& problem : problems::all()) {
    if (problem.dimension == 2 && problem.domain) names.push_back(problem.name);
  }
  return names;
}

problems::Problem problem_of(const Wishes& wishes) {
  if (!wishes.surface.empty()) check_known("landscape: surface", wishes.surface, surfaces());
  problems::Problem problem = wishes.surface.empty() ? train::course_bowl() : problems::find(wishes.surface);
  if (!wishes.start.empty()) problem.starts = {tensor(wishes.start, {.dtype = float64})};
  return problem;
}

int write_page(const Wishes& wishes) {
  const problems::Problem problem = problem_of(wishes);
  const std::string path = wishes.output.empty() ? "landscape.html" : wishes.output;
  train::save_landscape_page(problem, path, wishes.page);
  std::printf("%s: descents on %s; open it in a browser\n", path.c_str(), problem.name.c_str());
  return 0;
}

int write_network(const CLI::App& command, const Wishes& wishes) {
  refuse_options(command, {"--start", "--steps", "--optimizer"}, "is for surfaces");
  if (wishes.of_network.epochs < 2 || wishes.of_network.points < 2)
    throw Error("landscape: --epochs and --points must be 2 or more");
  const std::string path = wishes.output.empty() ? "network.html" : wishes.output;
  write_network_landscape(wishes.of_network, path);
  std::printf("%s: the loss around a trained network; open it in a browser\n", path.c_str());
  return 0;
}

int run(const CLI::App& command, const Wishes& wishes) {
  if (!wishes.output.empty()) check_folder_of(wishes.output);
  if (!wishes.network.empty()) return write_network(command, wishes);
  if (!wishes.list) return write_page(wishes);
  for (const std::string& name : surfaces()) std::puts(name.c_str());
  return 0;
}

}  // namespace

void add_landscape(CLI::App& app, int& status) {
  static Wishes wishes;
  CLI::App* command = app.add_subcommand(
      "landscape", "Write a page on which optimizers go down a surface, or pictures of the loss around a network");
  command->add_option("surface", wishes.surface, "Which one: --list names them; by default w1^2 + 4 w2^2")
      ->type_name("NAME");
  command->add_option("-o,--output", wishes.output, "The file; by default landscape.html")->type_name("FILE");
  command->add_option("--start", wishes.start, "Begin at this point instead of the surface's own")
      ->type_name("W1 W2")
      ->expected(2);
  command->add_option("--steps", wishes.page.steps, "The most steps that the page can show")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--optimizer", wishes.page.optimizers, "Only these: sgd, nesterov, adagrad, rmsprop, adam, lion")
      ->type_name("NAME");
  command->add_option("--network", wishes.network, "Not a surface: the loss around a network that learns these data")
      ->type_name("digits")
      ->check(CLI::IsMember({"digits"}))
      ->excludes("surface");
  command->add_option("--epochs", wishes.of_network.epochs, "How long the network is trained")
      ->type_name("N")
      ->capture_default_str()
      ->needs("--network");
  command->add_option("--points", wishes.of_network.points, "Of its pictures, along each side")
      ->type_name("N")
      ->capture_default_str()
      ->needs("--network");
  command->add_flag("--list", wishes.list, "Only name the surfaces");
  command->footer(
      "Examples:\n"
      "  gradus landscape\n"
      "  gradus landscape rosenbrock --steps 300 --optimizer sgd --optimizer adam -o valley.html\n"
      "  gradus landscape --network digits");
  command->callback([&status, command] { status = run(*command, wishes); });
}

}  // namespace gradus::tool
