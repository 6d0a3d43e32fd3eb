// History as one JSON object that loses nothing.

#include <set>
#include <string>
#include <vector>
#include <nlohmann/json.hpp>

#include "data/file.hpp"
#include "gradus/error.hpp"
#include "gradus/train/history.hpp"
#include "storage/atomic_file.hpp"
#include "storage/format.hpp"
#include "train/json_number.hpp"

namespace gradus::train {
namespace {

using Json = nlohmann::ordered_json;

// Nothing in the JSON of a history without columns shows that it has so many rows.
constexpr std::int64_t most_bare_rows = 1 << 20;

// The parser would keep the last one of values with the same name.
Json parse_unique(std::string_view text, std::string_view where) {
  std::vector<std::set<std::string>> names;
  return Json::parse(text, [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second)
      throw Error(formatted("{}: there are two values of one name: {}", where, parsed.dump()));
    return true;
  });
}

const Json& member(const Json& json, const char* name, Json::value_t type, std::string_view where) {
  const Json& value = json.at(name);
  if (value.type() != type)
    throw Error(formatted("{}: {} must be an {}, not: {}", where, name, Json(type).type_name(), value.type_name()));
  return value;
}

std::int64_t read_rows(const Json& json, std::string_view where) {
  const Json& rows = json.at("rows");
  if (!rows.is_number_integer()) throw Error(formatted("{}: rows must be an integer: {}", where, rows.dump()));
  const auto count = rows.get<std::int64_t>();
  if (count < 0) throw Error(formatted("{}: rows must not be negative: {}", where, rows.dump()));
  if (json.at("columns").empty() && count > most_bare_rows)
    throw Error(formatted("{}: so many rows need columns: {}", where, rows.dump()));
  return count;
}

std::vector<double> read_column(const std::string& name, const Json& cells, std::int64_t rows, std::string_view where) {
  if (!cells.is_array()) throw Error(formatted("{}: a column must be an array: {}", where, name));
  if (static_cast<std::int64_t>(cells.size()) != rows)
    throw Error(formatted("{}: a column of {} rows has {} values: {}", where, rows, cells.size(), name));
  std::vector<double> column;
  for (const Json& cell : cells) {
    if (cell.is_boolean()) throw Error(formatted("{}: a cell of {} must be a number: {}", where, name, cell.dump()));
    column.push_back(number_of(cell));
  }
  return column;
}

}  // namespace

std::string History::to_json() const {
  Json columns = Json::object(), notes = Json::object();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    Json& column = columns[names_[i]] = Json::array();
    for (const double value : columns_[i]) column.push_back(json_number(value));
  }
  for (const auto& [name, text] : notes_) notes[name] = text;
  const Json json = {
      {"columns", columns}, {"rows", rows_}, {"stop_reason", stop_reason_}, {"events", events_}, {"notes", notes}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

History History::from_json(std::string_view text, std::string_view where) try {
  const Json json = parse_unique(text, where);
  History history;
  const Json& columns = member(json, "columns", Json::value_t::object, where);
  const Json& notes = member(json, "notes", Json::value_t::object, where);
  history.rows_ = read_rows(json, where);
  for (const auto& [name, cells] : columns.items()) {
    history.names_.push_back(name);
    history.columns_.push_back(read_column(name, cells, history.rows_, where));
  }
  history.stop_reason_ = json.at("stop_reason").get<std::string>();
  history.events_ = json.at("events").get<std::vector<std::string>>();
  if (json.size() != 5) throw Error(formatted("{}: a history has 5 members, not {}", where, json.size()));
  for (const auto& [name, note] : notes.items()) history.notes_.emplace_back(name, note.get<std::string>());
  return history;
} catch (const nlohmann::json::exception& error) {
  throw Error(formatted("{}: not the JSON of a history: {}", where, error.what()));
}

void History::save_json(const std::string& path) const { write_atomically("save_json", path, to_json() + "\n"); }

History History::load_json(const std::string& path) {
  const std::string where = "load_json: " + path;
  return from_json(data::read_text_file(where, path), where);
}

}  // namespace gradus::train
