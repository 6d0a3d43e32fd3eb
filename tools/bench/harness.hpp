// Timing and command line, shared by the three benchmark programs. One process measures one workload.
#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

// What a workload hands to the harness: `check` runs outside the timed region, does some steps, throws if they do no
// real work, and returns numbers (losses, gradient sums) on which all programs must agree.
struct Prepared {
  std::function<void()> step;
  std::function<std::vector<double>()> check;
};

struct Workload {
  std::string name;
  std::function<Prepared()> prepare;
};

struct Options {
  std::string workload;
  bool list = false;
  int samples = 15;
  double min_time = 0.02;  // seconds of one sample
  int threads = 1;
};

inline Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    auto value = [&]() -> std::string {
      if (i + 1 >= argc) throw std::runtime_error(flag + ": value missing");
      return argv[++i];
    };
    if (flag == "--list") {
      options.list = true;
    } else if (flag == "--workload") {
      options.workload = value();
    } else if (flag == "--samples") {
      options.samples = std::stoi(value());
    } else if (flag == "--min-time") {
      options.min_time = std::stod(value());
    } else if (flag == "--threads") {
      options.threads = std::stoi(value());
    } else {
      throw std::runtime_error("unknown option " + flag +
                               "; known: --workload NAME, --list, --samples N, --min-time SECONDS, --threads N");
    }
  }
  if (options.samples < 1 || options.threads < 1) throw std::runtime_error("--samples and --threads start at 1");
  return options;
}

// `cpu` is the processor time of all threads: on a busy machine it says more than the clock on the wall.
struct Seconds {
  double wall, cpu;
};

inline Seconds seconds_of(const std::function<void()>& step, long steps) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu_start = std::clock();
  for (long i = 0; i < steps; ++i) step();
  const std::clock_t cpu_end = std::clock();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          static_cast<double>(cpu_end - cpu_start) / CLOCKS_PER_SEC};
}

// Doubles the number of steps until one sample is long enough for the clock; serves as warm-up as well.
inline long calibrate(const std::function<void()>& step, double min_time) {
  for (long steps = 1;; steps *= 2) {
    const double seconds = seconds_of(step, steps).wall;
    if (seconds >= min_time) return steps;
    if (seconds * 8 >= min_time) return static_cast<long>(std::ceil(static_cast<double>(steps) * min_time / seconds));
  }
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

inline void require_real(double value, const std::string& what) {
  if (!std::isfinite(value) || value == 0) throw std::runtime_error(what + " is " + std::to_string(value));
}

inline void measure(const char* program, const Workload& workload, const Options& options) {
  Prepared prepared = workload.prepare();
  const std::vector<double> check = prepared.check();
  const long steps = calibrate(prepared.step, options.min_time);
  std::vector<double> wall, cpu;
  for (int i = 0; i < options.samples; ++i) {
    const Seconds seconds = seconds_of(prepared.step, steps);
    wall.push_back(seconds.wall / static_cast<double>(steps) * 1e6);
    cpu.push_back(seconds.cpu / static_cast<double>(steps) * 1e6);
  }
  std::printf("{\"program\": \"%s\", \"workload\": \"%s\", \"threads\": %d, ", program, workload.name.c_str(),
              options.threads);
  std::printf("\"median_us\": %.4g, \"min_us\": %.4g, \"cpu_us\": %.4g, ", median(wall),
              *std::min_element(wall.begin(), wall.end()), median(cpu));
  std::printf("\"samples\": %d, \"steps_per_sample\": %ld, \"check\": [", options.samples, steps);
  for (std::size_t i = 0; i < check.size(); ++i) std::printf("%s%.8g", i == 0 ? "" : ", ", check[i]);
  std::printf("]}\n");
  std::fflush(stdout);
}

inline int run(int argc, char** argv, const char* program, const std::function<void(int)>& set_threads,
               const std::vector<Workload>& workloads) {
  try {
    const Options options = parse(argc, argv);
    if (options.list) {
      for (const Workload& w : workloads) std::printf("%s\n", w.name.c_str());
      return 0;
    }
    const auto found =
        std::find_if(workloads.begin(), workloads.end(), [&](const Workload& w) { return w.name == options.workload; });
    if (found == workloads.end()) throw std::runtime_error("no workload '" + options.workload + "'; --list names them");
    set_threads(options.threads);
    measure(program, *found, options);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", program, e.what());
    return 1;
  }
}

}  // namespace bench
