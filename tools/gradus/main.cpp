// gradus: what the library can do from the command line.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>

#include "gradus/commands.hpp"
#include "gradus/words.hpp"

namespace {

// "gradus: --epochs: must be positive: 0", in one line as all errors are.
std::string one_line(const CLI::App*, const CLI::Error& error) { return std::string("gradus: ") + error.what() + "\n"; }

void check_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
  gradus::tool::check_known("command", argv[1], commands);
}

// What did not reach a full disk or a closed file was not said.
int finish(int status) {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  std::fputs("gradus: standard output cannot be written\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Small neural networks, gradients that can be trusted.", "gradus");
  app.require_subcommand(1);
  app.set_version_flag("--version", GRADUS_VERSION);
  int status = 0;
  gradus::tool::add_train(app, status);
  gradus::tool::add_predict(app, status);
  gradus::tool::add_lr_find(app, status);
  gradus::tool::add_compare(app, status);
  gradus::tool::add_search(app, status);
  gradus::tool::add_diagnose(app, status);
  gradus::tool::add_data(app, status);
  gradus::tool::add_inspect(app, status);
  gradus::tool::add_landscape(app, status);
  gradus::tool::add_gradcheck(app, status);
  gradus::tool::add_completion(app, status);
  app.failure_message(one_line);
  try {
    check_command(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return finish(app.exit(error) == 0 ? 0 : 2);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gradus: %s\n", error.what());
    return 2;
  }
  return finish(status);
}
