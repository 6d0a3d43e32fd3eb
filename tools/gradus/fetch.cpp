#include "gradus/fetch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <gradus/error.hpp>

#include "gradus/process.hpp"

namespace gradus::tool {
namespace {

namespace fs = std::filesystem;
using Sink = std::function<void(std::string_view)>;

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Error(path + ": " + what + ": " + std::generic_category().message(errno));
}

// Beside the folders of the data sets, so that a file moves into its place in one step. It goes away with its owner.
class Workshop {
 public:
  explicit Workshop(const fs::path& beside) {
    fs::create_directories(beside.parent_path());
    std::string pattern = (beside.parent_path() / ".fetch-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) fail(pattern, "cannot be created");
    path_ = pattern;
  }
  ~Workshop() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

class NewFile {
 public:
  explicit NewFile(std::string path)
      : path_(std::move(path)), descriptor_(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) fail(path_, "cannot be created");
  }
  ~NewFile() { close(descriptor_); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void append(std::string_view piece) {
    while (!piece.empty()) {
      const ssize_t count = write(descriptor_, piece.data(), piece.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(path_, "cannot be written");
      piece.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void flush_to_disk() {
    if (fsync(descriptor_) != 0) fail(path_, "cannot be written");
  }

 private:
  std::string path_;
  int descriptor_;
};

// A rename is on the disk when its directory is; where a file system can't do that, nothing is lost but certainty.
void flush_directory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

void copy_file(const std::string& path, const Sink& sink) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> chunk(std::size_t{1} << 16);
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0)
    sink({chunk.data(), static_cast<std::size_t>(file.gcount())});
}

struct Program {
  const char* name;
  const char* package;
};

void need(std::initializer_list<Program> programs) {
  for (const auto& [name, package] : programs) {
    if (!is_installed(name)) throw Error(std::string(name) + " is not installed: apt-get install " + package);
  }
}

bool is_installed_here(const DataSet& set) {
  return !set.installed.empty() && std::ranges::all_of(set.files, [&](const DataFile& file) {
    return fs::exists(set.installed + "/" + file.name);
  });
}

// The one file in the workshop that ends so: what a client has called its download.
std::string downloaded(const Workshop& workshop, const DataSet& set, std::string_view ending) {
  for (const auto& entry : fs::directory_iterator(workshop.path())) {
    if (entry.is_regular_file() && entry.path().string().ends_with(ending)) return entry.path().string();
  }
  throw Error(set.package + " left no file *" + std::string(ending));
}

// A tar archive with the package's files.
std::string download(const DataSet& set, const Workshop& workshop) {
  if (set.registry == Registry::npm) {
    need({{"npm", "npm"}, {"tar", "tar"}, {"gzip", "gzip"}});
    run({.words = {"npm", "pack", "--ignore-scripts", "--loglevel=error", set.package + "@" + set.version},
         .directory = workshop.path()});
    return downloaded(workshop, set, ".tgz");
  }
  need({{"apt-get", "apt"}, {"dpkg-deb", "dpkg"}, {"tar", "tar"}});
  try {
    run({.words = {"apt-get", "download", "-qq", set.package}, .directory = workshop.path()});
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + " (does apt-get update help?)");
  }
  NewFile archive(workshop / "package.tar");
  run({.words = {"dpkg-deb", "--fsys-tarfile", downloaded(workshop, set, ".deb")}},
      [&](std::string_view piece) { archive.append(piece); });
  return workshop / "package.tar";
}

// tar only prints the file: where it goes is ours to say, whatever names and links an archive has.
void unpack(const std::string& archive, const std::string& member, const Sink& sink) {
  run({.words = {"tar", "--extract", "--to-stdout", "--force-local", "--file", archive, "--", member}}, sink);
}

// Writes what `produce` delivers, and stops it where the file should end.
void write(const DataFile& file, const Workshop& workshop, const std::function<void(const Sink&)>& produce) {
  NewFile target(workshop / file.name);
  std::int64_t bytes = 0;
  produce([&](std::string_view piece) {
    bytes += static_cast<std::int64_t>(piece.size());
    if (bytes > file.bytes) throw Error(file.name + ": is longer than " + std::to_string(file.bytes) + " bytes");
    target.append(piece);
  });
  target.flush_to_disk();
}

std::vector<DataFile> wanting(const DataSet& set, const std::string& folder) {
  std::vector<DataFile> files;
  std::ranges::copy_if(set.files, std::back_inserter(files),
                       [&](const DataFile& file) { return !fault_of(file, folder).empty(); });
  return files;
}

void fetch(const DataSet& set, const std::vector<DataFile>& files, const std::string& folder) {
  const Workshop workshop(folder);
  const bool installed = is_installed_here(set);
  const std::string archive = installed ? "" : download(set, workshop);
  for (const DataFile& file : files) {
    write(file, workshop, [&](const Sink& sink) {
      installed ? copy_file(set.installed + "/" + file.name, sink) : unpack(archive, file.member, sink);
    });
    if (const std::string fault = fault_of(file, workshop.path()); !fault.empty()) throw Error(fault);
  }
  fs::create_directories(folder);
  for (const DataFile& file : files) fs::rename(workshop / file.name, fs::path(folder) / file.name);
  flush_directory(folder);
}

}  // namespace

std::string sha256_of(const std::string& path) {
  need({{"sha256sum", "coreutils"}});
  std::string text;
  run({.words = {"sha256sum"}, .input = path}, [&](std::string_view piece) { text += piece; });
  constexpr std::size_t digits = 64;
  if (text.size() <= digits || text.find_first_not_of("0123456789abcdef") != digits)
    throw Error("sha256sum: not understood: " + text);
  return text.substr(0, digits);
}

std::string fault_of(const DataFile& file, const std::string& folder) {
  const std::string path = folder + "/" + file.name;
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error) return file.name + ": is not there";
  if (bytes != static_cast<std::uintmax_t>(file.bytes)) {
    return file.name + ": should have " + std::to_string(file.bytes) + " bytes: " + std::to_string(bytes);
  }
  const std::string sha256 = sha256_of(path);
  return sha256 == file.sha256 ? "" : file.name + ": sha256 should be " + file.sha256 + ": " + sha256;
}

std::int64_t fetch(const DataSet& set, const std::string& folder) {
  try {
    const std::vector<DataFile> files = wanting(set, folder);
    if (!files.empty()) fetch(set, files, folder);
    return static_cast<std::int64_t>(files.size());
  } catch (const std::exception& error) {
    throw Error("data fetch " + set.name + ": " + error.what());
  }
}

}  // namespace gradus::tool
