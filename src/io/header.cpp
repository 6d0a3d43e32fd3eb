#include "io/header.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <nlohmann/json.hpp>

#include "storage/format.hpp"

namespace gradus::safetensors {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // keys stay in the order in which they came

constexpr std::string_view metadata_key = "__metadata__";
constexpr std::size_t longest_list = 64;  // a shape of so many dims may yet be told from one that is too long to read

struct DtypeName {
  Dtype dtype;
  std::string_view name;
};
constexpr DtypeName dtype_names[] = {{float32, "F32"}, {float64, "F64"}, {int64, "I64"}, {boolean, "BOOL"}};

std::string_view name_of(Dtype dtype) { return std::ranges::find(dtype_names, dtype, &DtypeName::dtype)->name; }

// A reader with the file's name for its messages.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Header header(std::string_view text) const {
    const Json json = parse(text);
    Header header;
    for (const auto& [name, value] : json.items()) {
      if (name == metadata_key)
        header.metadata = metadata(value);
      else
        header.entries.push_back(entry(name, value));
    }
    return header;
  }

  // Every byte belongs to exactly one tensor.
  void check_layout(std::vector<Entry>& entries, std::uint64_t data_size) const {
    std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
    std::uint64_t position = 0;
    for (const Entry& e : entries) {
      if (e.begin != position) {
        refuse("{} begins at byte {} of the data, {} at {}", quoted(e.name), e.begin,
               e.begin < position ? "where others are: the one before ends" : "after a hole: the one before ends",
               position);
      }
      position = e.end;
    }
    if (position != data_size) refuse("the tensors have {} bytes, the file has {} for them", position, data_size);
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> rule, Args&&... args) const {
    fail("load: {}: {}", path_, formatted(rule, std::forward<Args>(args)...));
  }

  Json parse(std::string_view text) const {
    if (!text.starts_with('{')) refuse("the header is not a JSON object");
    // The parser takes it for the end, and would not look at what follows.
    if (const auto zero = text.find('\0'); zero != text.npos) refuse("the header is not JSON, at byte {}", zero + 1);
    // A key that comes twice would hide the first one. What is not as deep as the format, or has longer lists, is not
    // built at all.
    std::vector<std::set<std::string>> keys;
    std::optional<std::size_t> list_size;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
      const bool is_list = event == Json::parse_event_t::array_start;
      if ((depth > 2 || list_size) && (is_list || event == Json::parse_event_t::object_start)) {
        refuse("the header is nested too deeply");
      }
      if (is_list) list_size = 0;
      if (event == Json::parse_event_t::array_end) list_size.reset();
      if (event == Json::parse_event_t::value && list_size && ++*list_size > longest_list) {
        refuse("a list has more than {} entries", longest_list);
      }
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key) {
        const auto& key = parsed.get_ref<const std::string&>();
        if (!keys.back().insert(key).second) refuse("{} is there twice", quoted(key));
      }
      return true;
    };
    try {
      return Json::parse(text.begin(), text.end(), watch);
    } catch (const Json::parse_error& e) {
      refuse("the header is not JSON, at byte {}", e.byte);
    } catch (const Json::exception&) {
      refuse("the header has a number out of range");
    }
  }

  std::map<std::string, std::string> metadata(const Json& json) const {
    if (!json.is_object()) refuse("{} must be an object", metadata_key);
    std::map<std::string, std::string> result;
    for (const auto& [key, value] : json.items()) {
      if (!value.is_string()) refuse("{} must have texts only, {} is something else", metadata_key, quoted(key));
      result.emplace(key, value.get<std::string>());
    }
    return result;
  }

  Entry entry(const std::string& name, const Json& json) const {
    if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
        !json.contains("data_offsets")) {
      refuse("{} must have dtype, shape and data_offsets, and nothing else", quoted(name));
    }
    Entry e{.name = name, .dtype = dtype(name, json["dtype"]), .shape = {}, .begin = 0, .end = 0};
    const std::vector<std::uint64_t> sizes = integers(name, "shape", json["shape"]);
    const std::vector<std::uint64_t> offsets = integers(name, "data_offsets", json["data_offsets"]);
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      refuse("{}: data_offsets must be a begin and an end not before it", quoted(name));
    }
    e.begin = offsets[0];
    e.end = offsets[1];
    e.shape = shape(name, sizes);
    const std::optional<std::uint64_t> bytes = bytes_of(sizes, e.dtype);
    if (!bytes) refuse("{}: the shape is too large", quoted(name));
    if (*bytes != e.end - e.begin) {
      refuse("{}: {} {} needs {} bytes, data_offsets give {}", quoted(name), e.dtype, e.shape, *bytes, e.end - e.begin);
    }
    return e;
  }

  Dtype dtype(const std::string& name, const Json& json) const {
    if (json.is_string()) {
      const auto& text = json.get_ref<const std::string&>();
      const auto found = std::ranges::find(dtype_names, std::string_view(text), &DtypeName::name);
      if (found != std::end(dtype_names)) return found->dtype;
      refuse("{}: the dtype must be F32, F64, I64 or BOOL, got {}", quoted(name), quoted(text));
    }
    refuse("{}: the dtype must be a text", quoted(name));
  }

  std::vector<std::uint64_t> integers(const std::string& name, const char* key, const Json& json) const {
    const auto is_size = [](const Json& value) { return value.is_number_unsigned(); };
    if (!json.is_array() || !std::ranges::all_of(json, is_size)) {
      refuse("{}: {} must be a list of integers of at least 0", quoted(name), key);
    }
    return json.get<std::vector<std::uint64_t>>();
  }

  Shape shape(const std::string& name, const std::vector<std::uint64_t>& sizes) const {
    if (sizes.size() > static_cast<std::size_t>(Shape::max_dims)) {
      refuse("{}: at most {} dims are supported, got {}", quoted(name), Shape::max_dims, sizes.size());
    }
    Shape shape;
    for (const std::uint64_t size : sizes) {
      if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        refuse("{}: the shape is too large", quoted(name));
      }
      shape.push_back(static_cast<std::int64_t>(size));
    }
    return shape;
  }

  // None if it doesn't fit, in whatever order one multiplies.
  static std::optional<std::uint64_t> bytes_of(const std::vector<std::uint64_t>& sizes, Dtype dtype) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    std::uint64_t bytes = size_of(dtype);
    bool empty = false;
    for (const std::uint64_t size : sizes) {
      empty = empty || size == 0;
      if (size > 1 && bytes > most / size) return std::nullopt;
      bytes *= std::max<std::uint64_t>(size, 1);
    }
    return empty ? 0 : bytes;
  }

  const std::string& path_;
};

}  // namespace

std::string quoted(const std::string& text) {
  constexpr std::size_t most = 100;
  std::string result = Json(text.substr(0, most)).dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() > most ? result + "..." : result;
}

Header parse_header(const std::string& path, std::string_view text, std::uint64_t data_size) {
  const Reader reader(path);
  Header header = reader.header(text);
  reader.check_layout(header.entries, data_size);
  return header;
}

std::string write_header(const Header& header) {
  // Key by key: an object of OrderedJson looks through all its keys to add one.
  std::string text = "{";
  const auto add = [&](std::string_view key, const OrderedJson& value) {
    if (text.size() > 1) text += ',';
    text += OrderedJson(key).dump();
    text += ':';
    text += value.dump();
  };
  try {
    if (!header.metadata.empty()) add(metadata_key, header.metadata);
    for (const Entry& e : header.entries) {
      if (e.name == metadata_key) fail("save: a tensor cannot be named {}", metadata_key);
      const std::vector<std::int64_t> sizes(e.shape.begin(), e.shape.end());
      const std::vector<std::uint64_t> offsets{e.begin, e.end};
      add(e.name, {{"dtype", name_of(e.dtype)}, {"shape", sizes}, {"data_offsets", offsets}});
    }
  } catch (const OrderedJson::exception&) {
    fail("save: a name or text of the metadata is not UTF-8");
  }
  text += '}';
  return text;
}

}  // namespace gradus::safetensors
