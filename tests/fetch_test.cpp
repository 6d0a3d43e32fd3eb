// `gradus data fetch`, with a stand-in for npm: tests don't go to the network.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gradus/error.hpp>

#include "gradus/data_sets.hpp"
#include "gradus/fetch.hpp"
#include "gradus/process.hpp"
#include "messages.hpp"
#include "temporary.hpp"

using namespace gradus;
using tests::contains;
using tests::message_of;
using tests::read_file;
using tests::TemporaryDirectory;
using tool::fetch;

namespace {

namespace fs = std::filesystem;

constexpr const char* sha256_of_hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

class SearchPath {
 public:
  explicit SearchPath(const std::string& path) { setenv("PATH", path.c_str(), 1); }
  ~SearchPath() { setenv("PATH", before_.c_str(), 1); }
  SearchPath(const SearchPath&) = delete;
  SearchPath& operator=(const SearchPath&) = delete;

 private:
  std::string before_ = std::getenv("PATH");
};

// A registry with one package, whose npm is a script, and a place to fetch to; its colon must not make tar look for a
// host.
struct Registry {
  TemporaryDirectory directory;
  std::string store = directory.path("my:store/greeting");
  tool::DataSet set{.name = "greeting",
                    .what = "",
                    .licence = "",
                    .source = "",
                    .registry = tool::Registry::npm,
                    .package = "greetings",
                    .version = "1.0.0",
                    .installed = "",
                    .files = {{"hello.txt", "package/hello.txt", 5, sha256_of_hello}}};

  explicit Registry(const std::string& text) {
    fs::create_directories(directory.path("package"));
    directory.write("package/hello.txt", text);
    pack({"package"});
    npm("cp '" + directory.path("package.tgz") + "' greetings-1.0.0.tgz");
  }
  void pack(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words = {"tar", "-czf", directory.path("package.tgz")};
    words.insert(words.end(), arguments.begin(), arguments.end());
    tool::run({.words = words, .directory = directory.path("")});
  }
  void npm(const std::string& command) const {
    const std::string script = directory.write("npm", "#!/bin/sh\n" + command + "\n");
    fs::permissions(script, fs::perms::owner_all);
  }
  std::int64_t fetch_it() const {
    const SearchPath path(directory.path("") + ":" + std::getenv("PATH"));
    return fetch(set, store);
  }
  // Nothing in the store, and no unfinished work beside it.
  bool store_is_empty() const {
    const std::string home = directory.path("my:store");
    return !fs::exists(home) || fs::is_empty(home);
  }
};

}  // namespace

TEST_CASE("a data set is taken from its package once, and again when it is damaged") {
  const Registry registry("hello");
  CHECK(registry.fetch_it() == 1);
  const std::string file = registry.store + "/hello.txt";
  CHECK(read_file(file) == "hello");
  CHECK(tool::sha256_of(file) == sha256_of_hello);
  CHECK(tool::fault_of(registry.set.files[0], registry.store).empty());

  registry.npm("exit 1");
  CHECK(registry.fetch_it() == 0);
  registry.npm("cp '" + registry.directory.path("package.tgz") + "' x.tgz");
  for (const char* damaged : {"Hello", "hell", "hello!"}) {
    CAPTURE(damaged);
    registry.directory.write("my:store/greeting/hello.txt", damaged);
    CHECK(!tool::fault_of(registry.set.files[0], registry.store).empty());
    CHECK(registry.fetch_it() == 1);
    CHECK(read_file(file) == "hello");
  }
  CHECK(std::distance(fs::directory_iterator(registry.directory.path("my:store")), {}) == 1);
}

TEST_CASE("a file that is not the one of the table never gets into the store") {
  const std::pair<std::string, std::string> cases[] = {
      {"jello", "data fetch greeting: hello.txt: sha256 should be " + std::string(sha256_of_hello) +
                    ": 187c9bceeb919e1b3e6d20fa50ecabf7d9d50b5343e8f9a3d912abb13929102e"},
      {"hell", "data fetch greeting: hello.txt: should have 5 bytes: 4"},
      {"hello!", "data fetch greeting: hello.txt: is longer than 5 bytes"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Registry registry(text);
    CHECK(message_of([&] { registry.fetch_it(); }) == message);
    CHECK(registry.store_is_empty());
  }
}

TEST_CASE("an archive decides neither where files go nor what is read") {
  Registry registry("hello");
  registry.directory.write("evil.txt", "evil");
  SUBCASE("a name that leads out of the folder is passed by") {
    registry.pack({"-P", "--transform=s,^evil,../../evil,", "evil.txt", "package"});
    CHECK(registry.fetch_it() == 1);
    CHECK(!fs::exists(registry.directory.path("my:store/evil.txt")));
    CHECK(std::distance(fs::directory_iterator(registry.store), {}) == 1);
  }
  SUBCASE("a link is not followed") {
    fs::remove(registry.directory.path("package/hello.txt"));
    fs::create_symlink(registry.directory.path("secret"), registry.directory.path("package/hello.txt"));
    registry.directory.write("secret", "hello");
    registry.pack({"package"});
    CHECK(message_of([&] { registry.fetch_it(); }) == "data fetch greeting: hello.txt: should have 5 bytes: 0");
    CHECK(registry.store_is_empty());
  }
  SUBCASE("a file that comes twice is one too many") {
    registry.pack({"package", "package"});
    tool::run({.words = {"gzip", "-d", registry.directory.path("package.tgz")}});
    tool::run({.words = {"tar", "-rf", "package.tar", "package/hello.txt"}, .directory = registry.directory.path("")});
    tool::run({.words = {"gzip", "-S", ".gz", registry.directory.path("package.tar")}});
    fs::rename(registry.directory.path("package.tar.gz"), registry.directory.path("package.tgz"));
    CHECK(message_of([&] { registry.fetch_it(); }) == "data fetch greeting: hello.txt: is longer than 5 bytes");
  }
}

TEST_CASE("what keeps a data set from being fetched is told in one line") {
  Registry registry("hello");
  {
    const SearchPath path("/no/such/folder");
    CHECK(message_of([&] { fetch(registry.set, registry.store); }) ==
          "data fetch greeting: npm is not installed: apt-get install npm");
  }
  registry.npm("echo one >&2; echo 'npm ERR! 404 no such package' >&2; exit 7");
  CHECK(message_of([&] { registry.fetch_it(); }) ==
        "data fetch greeting: npm: exit status 7: npm ERR! 404 no such package");
  registry.npm("kill -TERM $$");
  CHECK(message_of([&] { registry.fetch_it(); }) == "data fetch greeting: npm: ended by signal 15");
  registry.npm("exit 0");
  CHECK(message_of([&] { registry.fetch_it(); }) == "data fetch greeting: greetings left no file *.tgz");
  CHECK(registry.store_is_empty());
  CHECK(message_of([] { tool::find_data_set("cifar"); }) ==
        "data: there is no data set 'cifar'; known are fashion-mnist, mnist, moby-dick");
}

TEST_CASE("no shell reads the words of a command") {
  std::string said;
  tool::run({.words = {"printf", "%s", "$HOME `id`; *"}}, [&](std::string_view piece) { said += piece; });
  CHECK(said == "$HOME `id`; *");
  CHECK(contains(message_of([] { tool::run({.words = {"no-such-program"}}); }), "no-such-program cannot be started"));
}

TEST_CASE("every known data set says what it is, and has sums to check") {
  for (const tool::DataSet& set : tool::data_sets()) {
    CAPTURE(set.name);
    CHECK(!set.what.empty());
    CHECK(!set.licence.empty());
    CHECK(!set.source.empty());
    CHECK(set.bytes() > 0);
    for (const tool::DataFile& file : set.files) {
      CAPTURE(file.name);
      CHECK(file.sha256.size() == 64);
      CHECK(file.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
      CHECK(file.member.ends_with(".txt") == file.name.ends_with(".txt"));
    }
  }
}
