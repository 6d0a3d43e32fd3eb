// gradus: what the library can do from the command line.
#include <cstdio>
#include <exception>
#include <CLI/CLI.hpp>

#include "gradus/commands.hpp"

int main(int argc, char** argv) {
  CLI::App app("Small neural networks, gradients that can be trusted.", "gradus");
  app.require_subcommand(1);
  app.set_version_flag("--version", GRADUS_VERSION);
  int status = 0;
  gradus::tool::add_gradcheck(app, status);
  gradus::tool::add_data(app, status);
  gradus::tool::add_inspect(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gradus: %s\n", error.what());
    return 2;
  }
  return status;
}
