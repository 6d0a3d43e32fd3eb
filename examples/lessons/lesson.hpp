// What the lessons share: claims that are checked, the folder for the picture, and the questions at the end.
#pragma once

#include <gradus/gradus.hpp>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

namespace lesson {

inline int failures = 0;

// Says what was claimed and whether it holds. One that does not makes the program exit 1, but only at its end: who
// changes a number still sees the rest.
inline void claim(const std::string& statement, bool holds) {
  std::printf("%s %s\n", holds ? "  holds:" : "  FAILS:", statement.c_str());
  if (!holds) ++failures;
}

// All elements of a tensor, for a picture.
inline std::vector<double> numbers(const gradus::Tensor& tensor) {
  const gradus::Tensor all = tensor.detach().to(gradus::float64).contiguous();
  return {all.data<double>().begin(), all.data<double>().end()};
}

// Where the picture goes: the folder given as the first argument (made if it is not there), else the current one.
inline std::string picture(int argc, char** argv, const std::string& file) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : ".";
  std::filesystem::create_directories(folder);
  return (folder / file).string();
}

// The questions to go on with; returns what main returns.
inline int finish(std::initializer_list<const char*> questions) {
  for (const char* question : questions) std::printf("Try: %s\n", question);
  return failures == 0 ? 0 : 1;
}

}  // namespace lesson
