#include <doctest/doctest.h>

#include <cmath>
#include <ctime>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gradus/train/history.hpp"
#include "messages.hpp"
#include "temporary.hpp"

using namespace gradus;
using tests::message_of;
using tests::read_file;
using tests::TemporaryDirectory;
using train::History;
using train::Mode;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

History of(const std::string& name, const std::vector<double>& values) {
  History history;
  for (const double value : values) history.append({{name, value}});
  return history;
}

// Everything that is hard to write down: gaps, infinities, numbers of 17 digits, names and texts of every kind.
History hard() {
  History history;
  history.append({{"epoch", 1}, {"loss", 1.0 / 3}, {" a, \"b\"\n ", -0.0}});
  history.append({{"epoch", 2}, {"loss", missing}, {"", 5e-324}});
  history.append({{"epoch", 3}, {"loss", -infinity}, {"grad_norm/0.weight", 1.7976931348623157e308}});
  history.set_stop_reason("early stopping: \"valid_loss\" \xC3\xA4");
  history.add_event("epoch 2: one");
  history.add_event("epoch 3: two\nlines");
  history.note("optimizer", "AdamW(lr=0.003)");
  history.note("epochs", "20");
  return history;
}

}  // namespace

TEST_CASE("the best of a column is the least loss and the largest accuracy, and no NaN") {
  struct Row {
    const char* name;
    std::vector<double> values;
    Mode mode;
    double best;
    std::int64_t row;
  };
  const std::vector<Row> rows = {{"loss", {3, 1, 2, 1}, Mode::automatic, 1, 1},
                                 {"valid_loss", {missing, 3, missing, 2}, Mode::automatic, 2, 3},
                                 {"valid_mae", {3, 1}, Mode::automatic, 1, 1},
                                 {"rmse", {3, 1}, Mode::automatic, 1, 1},
                                 {"accuracy", {0.5, 0.75, 0.75, missing}, Mode::automatic, 0.75, 1},
                                 {"accuracy", {0.5, 0.75}, Mode::min, 0.5, 0},
                                 {"loss", {3, 1}, Mode::max, 3, 0},
                                 {"loss", {infinity, 1}, Mode::automatic, 1, 1}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(of(row.name, row.values).best(row.name, row.mode) == row.best);
    CHECK(of(row.name, row.values).best_row(row.name, row.mode) == row.row);
  }
  CHECK(std::isnan(of("loss", {missing, missing}).best("loss")));
  CHECK(of("loss", {3, 1, 2}).last("loss") == 2);
  CHECK(message_of([] { of("loss", {1}).best("lost"); }) == "History: there is no column named \"lost\"");
}

TEST_CASE("a history is equal to its copy and to nothing that differs in one place") {
  CHECK(hard() == hard());
  std::vector<History> others(6, hard());
  others[0].append({{"epoch", 4}});
  others[1].set_stop_reason("");
  others[2].add_event("more");
  others[3].note("epochs", "21");
  others[4] = of("loss", {1});
  others[5] = History();
  for (std::size_t i = 0; i < others.size(); ++i) {
    CAPTURE(i);
    CHECK(others[i] != hard());
  }
  CHECK(of("loss", {0.0}) != of("loss", {-0.0}));
  CHECK(hard().notes().size() == 2);
  History source = hard();
  const History target = std::move(source);
  CHECK(target == hard());
}

TEST_CASE("as JSON a history comes back to the last bit") {
  const TemporaryDirectory directory;
  for (const History& history : {hard(), History(), of("loss", {})}) {
    CHECK(History::from_json(history.to_json()) == history);
    history.save_json(directory.path("h.json"));
    CHECK(History::load_json(directory.path("h.json")) == history);
  }
  CHECK(of("loss", {0.5, missing, infinity}).to_json() ==
        R"({"columns":{"loss":[0.5,null,"inf"]},"rows":3,"stop_reason":"","events":[],"notes":{}})");
}

TEST_CASE("what is no history is refused in one line") {
  const char* texts[] = {"",
                         "{",
                         "[]",
                         "{}",
                         R"({"columns":{"a":[1]},"rows":2,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{"a":["x"]},"rows":1,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{},"rows":-1,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{},"rows":0,"stop_reason":0,"events":[],"notes":{}})",
                         R"({"columns":{},"rows":0,"stop_reason":"","events":[0],"notes":{}})",
                         R"({"columns":{"a":1},"rows":1,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{"a":{"b":1}},"rows":1,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{"a":[true]},"rows":1,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":[[1]],"rows":1,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{"a":[1]},"rows":1.9,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{},"rows":1000000000000000000,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{},"rows":0,"stop_reason":"","events":[],"notes":"x"})",
                         R"({"columns":{},"rows":0,"stop_reason":"","events":[],"notes":{"a":"x","a":"y"}})",
                         R"({"columns":{"a":[1],"a":[2]},"rows":1,"stop_reason":"","events":[],"notes":{}})",
                         R"({"columns":{},"rows":0,"stop_reason":"","events":[],"notes":{},"more":0})"};
  for (const char* text : texts) {
    CAPTURE(text);
    const std::string message = message_of([&] { History::from_json(text, "where"); });
    CHECK(message.starts_with("where: "));
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("a history's file that cannot be read is named") {
  const TemporaryDirectory directory;
  const std::string none = directory.path("none"), binary = directory.write("binary", std::string("a\0b", 3));
  CHECK(message_of([&] { History::load_csv(none); }) ==
        "load_csv: " + none + ": cannot be opened: No such file or directory");
  CHECK(message_of([&] { History::load_json(none); }) ==
        "load_json: " + none + ": cannot be opened: No such file or directory");
  CHECK(message_of([&] { History::load_csv(binary); }) == "load_csv: " + binary + ": is not text: byte 1 is NUL");
  CHECK(message_of([&] { History::load_json(binary); }) == "load_json: " + binary + ": is not text: byte 1 is NUL");
}

TEST_CASE("names are told apart, are UTF-8, and may be many") {
  History history = hard();
  CHECK(message_of([&] {
          history.append({{"a", 1}, {"loss", 2}, {"a", 3}});
        }) == "History: a row has two values named \"a\"");
  CHECK(message_of([&] {
          history.append({{"\xC3\xA4", 1}, {"\xC3", 2}});
        }).starts_with("History: a name is not UTF-8: "));
  CHECK(message_of([&] { history.note("\xFF", "x"); }).starts_with("History: a name is not UTF-8: "));
  CHECK(history == hard());
  history.append({{"loss", 1}, {"\xC3\xA4", 2}, {"epoch", 4}});
  CHECK(history.last("epoch") == 4);
  CHECK(history.values("\xC3\xA4").size() == 4);

  const TemporaryDirectory directory;
  std::string table;
  for (int i = 0; i < 40000; ++i) table += "a column named " + std::to_string(i) + ",";
  table += "last\n";
  for (int row = 0; row < 3; ++row) table += std::string(40000, ',') + "1\n";
  const std::clock_t begin = std::clock();  // of this process, however busy the machine is
  CHECK(History::load_csv(directory.write("wide.csv", table)).last("last") == 1);
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 4);
}

TEST_CASE("as CSV the numbers of a history come back to the last bit") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("h.csv");
  for (const History& history : {hard(), History(), of("loss", {missing, 1, missing})}) {
    history.save_csv(path);
    const History loaded = History::load_csv(path);
    CHECK(loaded.names() == history.names());
    CHECK(loaded.size() == history.size());
    loaded.save_csv(directory.path("again.csv"));
    CHECK(read_file(directory.path("again.csv")) == read_file(path));
  }
  CHECK(History::load_csv(directory.write("empty.csv", "a,b\n")).names() == std::vector<std::string>{"a", "b"});
  const std::string bad = directory.write("bad.csv", "a,b\n1,x\n");
  CHECK(message_of([&] { History::load_csv(bad); }) == "load_csv: " + bad + ":2: not a number: \"x\"");
  const std::string twice = directory.write("twice.csv", "a,b,a\n");
  CHECK(message_of([&] { History::load_csv(twice); }) ==
        "load_csv: " + twice + ":1: History: a row has two values named \"a\"");
  const std::string ragged = directory.write("ragged.csv", "a,b\n1\n");
  CHECK(message_of([&] { History::load_csv(ragged); }) ==
        "load_csv: " + ragged + ":2: the header has 2 cells, this row 1");
}

TEST_CASE("a report shows what the history knows, on one page that fetches nothing") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("report.html");
  History history;
  for (int epoch = 1; epoch <= 30; ++epoch) {
    const double loss = 2.0 / epoch;
    history.append({{"epoch", epoch},
                    {"loss", loss},
                    {"accuracy", 1 - loss / 4},
                    {"valid_loss", epoch < 10 ? loss : 0.1 * epoch},
                    {"lr", 0.01},
                    {"tokens", 12345.0 * epoch},
                    {"seconds", 3},
                    {"grad_norm", loss},
                    {"grad_norm/0", loss / 2},
                    {"update_ratio", 1e-3}});
  }
  history.set_stop_reason("early_stopping: <valid_loss>");
  history.add_event("epoch 9: the learning rate falls to 0.01");
  history.note("batch_size", "32");
  history.note("optimizer", "gradus::optim::AdamW");
  history.note("model", "cnn::Net in mynn::train::fit");
  history.note("steps", "gradus::nn::(anonymous namespace)::Step");
  history.note("layers", "one\ntwo & three");
  history.save_report(path, {.title = "A & B"});
  const std::string page = read_file(path);
  for (const char* part :
       {"A &amp; B", "30 epochs in 1 min 30 s", "early_stopping: &lt;valid_loss&gt;", ">0.2222<", ">Loss and metrics<",
        ">learning rate<", "norm of the gradient, by layer", ">overfitting at valid_loss<",
        "the learning rate falls to 0.01", ">batch size<", ">AdamW<", ">cnn::Net in mynn::train::fit<", ">Step<",
        ">12345<", "one\ntwo &amp; three", ">Epochs<", "prefers-color-scheme: dark"}) {
    CAPTURE(part);
    CHECK(page.find(part) != std::string::npos);
  }
  for (const char* part : {"http://", "https://", "<script", "<img", "@import", "url("}) {
    CAPTURE(part);
    std::string rest = page;
    for (const std::string_view name = "http://www.w3.org/2000/svg"; rest.find(name) != std::string::npos;)
      rest.erase(rest.find(name), name.size());
    CHECK(rest.find(part) == std::string::npos);
  }
}

TEST_CASE("a report is made of any history, and leaves out what is not there") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("report.html");
  std::vector<History> histories = {
      History(),           of("loss", {1}), of("loss", {missing, missing}),   of("loss", {infinity, 1}),
      of("lr", {0, 0, 0}), hard(),          of("valid_accuracy", {0.5, 0.25})};
  History deep;
  for (int epoch = 1; epoch <= 300; ++epoch) {
    std::vector<train::NamedValue> row = {{"loss", 1.0 / epoch}};
    for (int layer = 0; layer < 12; ++layer) row.emplace_back("grad_norm/" + std::to_string(layer), layer * 1e-3);
    deep.append(row);
  }
  histories.push_back(deep);
  for (const History& history : histories) {
    CAPTURE(history.to_json().substr(0, 80));
    history.save_report(path);
    const std::string page = read_file(path);
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(page.ends_with("</html>\n"));
    CHECK((page.find(">loss<") == std::string::npos) == !history.contains("loss"));
  }
  CHECK(read_file(path).find("Every 3 epochs.") != std::string::npos);
  CHECK(message_of([&] { deep.save_report(directory.path("absent/r.html")); }).starts_with("save_report: "));
}
