#include "autograd/call_site.hpp"

#if defined(__linux__) && defined(__GLIBC__)

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <string_view>

#include "storage/format.hpp"

extern char** environ;

namespace gradus {
namespace {

constexpr std::size_t most_calls = 64;
constexpr std::size_t calls_told = 3;

struct Function {
  std::string symbol;  // mangled
  std::string line;    // "file:12", or empty
};

// Whether a file is one of this library's, to which debug information may lead.
bool is_our_file(std::string_view line) {
  constexpr std::string_view here = __FILE__;
  constexpr std::string_view path = "src/autograd/call_site.cpp";
  if (!here.ends_with(path)) return false;
  const std::string_view root = here.substr(0, here.size() - path.size());
  if (root.empty() || !line.starts_with(root)) return false;
  line.remove_prefix(root.size());
  return line.starts_with("src/") || line.starts_with("include/");
}

// Whether a symbol is a function of this library or of the standard one, or a sanitizer's that stands before them.
bool is_ours(std::string_view symbol) {
  if (symbol.starts_with("__interceptor_")) return true;
  if (!symbol.starts_with("_Z")) return false;
  symbol.remove_prefix(2);
  while (symbol.starts_with('Z')) symbol.remove_prefix(1);  // inside of a function
  if (symbol.starts_with('N')) symbol.remove_prefix(1);
  while (!symbol.empty() && (symbol[0] == 'K' || symbol[0] == 'R' || symbol[0] == 'O')) symbol.remove_prefix(1);
  return symbol.starts_with("6gradus") || symbol.starts_with("St") || symbol.starts_with("9__gnu_cxx");
}

std::string readable(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 ? name.get() : symbol;
}

// What a program prints; empty if it cannot be run.
std::string output_of(std::vector<std::string> command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const bool runs = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t count = 0; runs && (count = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  close(ends[0]);
  if (runs) waitpid(child, nullptr, 0);
  return text;
}

// A call as its object file sees it.
struct Call {
  std::string object;
  std::uintptr_t offset = 0;
  std::string nearest_symbol;
};

Call locate(void* address) {
  Dl_info info{};
  void* extra = nullptr;
  if (dladdr1(address, &info, &extra, RTLD_DL_LINKMAP) == 0 || extra == nullptr) return {};
  const auto* map = static_cast<const link_map*>(extra);
  Call call;
  call.object = map->l_name != nullptr && *map->l_name != '\0' ? map->l_name : "/proc/self/exe";
  if (call.object == "/proc/self/exe") {
    std::array<char, 4096> path{};
    const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
    if (length > 0) call.object.assign(path.data(), static_cast<std::size_t>(length));
  }
  // A return address may belong to the next line already.
  call.offset = reinterpret_cast<std::uintptr_t>(address) - 1 - map->l_addr;
  if (info.dli_sname != nullptr) call.nearest_symbol = info.dli_sname;
  return call;
}

// What addr2line says of offsets into one object: for each, the functions inlined there and then the real one.
std::vector<std::vector<Function>> look_up(const std::string& object, const std::vector<std::uintptr_t>& offsets) {
  std::vector<std::string> command{"addr2line", "-a", "-f", "-i", "-e", object};
  for (const std::uintptr_t offset : offsets) command.push_back(formatted("{:#x}", offset));
  std::istringstream text(output_of(command));
  std::vector<std::vector<Function>> found;
  for (std::string symbol, line; std::getline(text, symbol);) {
    if (symbol.starts_with("0x")) {
      found.emplace_back();
    } else if (std::getline(text, line) && !found.empty() && symbol != "??") {
      line.erase(std::min(line.find(" (discriminator"), line.size()));
      const bool unknown = line.starts_with("??") || line.ends_with(":?") || line.ends_with(":0");
      found.back().push_back({symbol, unknown ? "" : line});
    }
  }
  found.resize(offsets.size());
  return found;
}

// The functions of each call; those inlined into one another come one by one.
std::vector<Function> functions_of(const std::vector<void*>& addresses) {
  std::vector<Call> calls;
  std::map<std::string, std::vector<std::uintptr_t>> offsets;
  for (void* address : addresses) {
    calls.push_back(locate(address));
    if (!calls.back().object.empty()) offsets[calls.back().object].push_back(calls.back().offset);
  }
  std::map<std::string, std::vector<std::vector<Function>>> found;
  for (const auto& [object, places] : offsets) found[object] = look_up(object, places);
  std::map<std::string, std::size_t> next;
  std::vector<Function> functions;
  for (const Call& call : calls) {
    if (call.object.empty()) continue;
    const std::vector<Function>& here = found[call.object][next[call.object]++];
    functions.insert(functions.end(), here.begin(), here.end());
    if (here.empty() && !call.nearest_symbol.empty()) functions.push_back({call.nearest_symbol, ""});
  }
  return functions;
}

}  // namespace

std::vector<void*> calls_in_progress() {
  std::vector<void*> calls(most_calls);
  const int count = backtrace(calls.data(), static_cast<int>(calls.size()));
  calls.resize(static_cast<std::size_t>(count));
  return calls;
}

std::string describe_calls(const std::vector<void*>& calls) {
  std::string text;
  std::size_t told = 0;
  for (const Function& function : functions_of(calls)) {
    if (is_ours(function.symbol) || is_our_file(function.line)) continue;
    text += told == 0 ? "" : ", called from ";
    if (!function.line.empty()) text += function.line + " in ";
    text += readable(function.symbol);
    if (++told == calls_told || function.symbol == "main") break;
  }
  return text;
}

}  // namespace gradus

#else

namespace gradus {

std::vector<void*> calls_in_progress() { return {}; }
std::string describe_calls(const std::vector<void*>&) { return {}; }

}  // namespace gradus

#endif
