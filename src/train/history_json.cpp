// History as one JSON object that loses nothing.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "data/file.hpp"
#include "gradus/error.hpp"
#include "gradus/train/history.hpp"
#include "storage/atomic_file.hpp"
#include "train/json_number.hpp"

namespace gradus::train {
namespace {

using Json = nlohmann::ordered_json;

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
  const Json json = Json::parse(text);
  History history;
  history.rows_ = json.at("rows").get<std::int64_t>();
  if (history.rows_ < 0) throw Error(fmt::format("{}: rows must not be negative: {}", where, history.rows_));
  for (const auto& [name, cells] : json.at("columns").items()) {
    history.names_.push_back(name);
    std::vector<double>& column = history.columns_.emplace_back();
    for (const Json& cell : cells) column.push_back(number_of(cell));
    if (static_cast<std::int64_t>(column.size()) != history.rows_)
      throw Error(fmt::format("{}: a column of {} rows has {} values: {}", where, history.rows_, column.size(), name));
  }
  history.stop_reason_ = json.at("stop_reason").get<std::string>();
  history.events_ = json.at("events").get<std::vector<std::string>>();
  for (const auto& [name, note] : json.at("notes").items()) history.notes_.emplace_back(name, note.get<std::string>());
  return history;
} catch (const nlohmann::json::exception& error) {
  throw Error(fmt::format("{}: not the JSON of a history: {}", where, error.what()));
}

void History::save_json(const std::string& path) const { write_atomically("save_json", path, to_json() + "\n"); }

History History::load_json(const std::string& path) {
  return from_json(data::read_text_file("load_json", path), "load_json: " + path);
}

}  // namespace gradus::train
