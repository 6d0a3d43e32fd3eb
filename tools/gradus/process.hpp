// Other programs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::tool {

struct Command {
  std::vector<std::string> words;  // as they are: no shell reads them
  std::string directory = ".";
  std::string input = "/dev/null";
};

// Whether a program of this name is found as the shell would find it.
bool is_installed(const std::string& program);

// Runs a program to its end and passes on what it prints, piece by piece. Throws if it can't be started or doesn't
// exit with 0: then with the last line that it wrote to stderr. What `take` throws ends the program.
void run(const Command& command, const std::function<void(std::string_view)>& take = {});

}  // namespace gradus::tool
