#include "io/pickle.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

#include "gradus/shape.hpp"
#include "io/header.hpp"
#include "storage/format.hpp"

namespace gradus::torch_file {
namespace {

// More than any state dict has. Each takes memory before it is known for what.
constexpr std::size_t most_objects = 4'000'000;

using safetensors::quoted;

enum class Kind : std::uint8_t { none, boolean, integer, real, text, tuple, list, dict, global, storage, tensor };

constexpr std::string_view names_of_kinds[] = {"None",   "a bool", "an int",  "a float",   "a str",   "a tuple",
                                               "a list", "a dict", "a class", "a storage", "a tensor"};

// Objects refer to each other by number, so that one that is nested a million times needs no recursion.
using Ref = std::uint32_t;

struct Object {
  Kind kind = Kind::none;
  std::int64_t integer = 0;
  std::string_view text = {};   // of the pickle
  std::vector<Ref> items = {};  // of a tuple or list; keys and values of a dict; what a storage or tensor is made of
};

// The classes and functions that a pickle may name; the storages' element types follow in the order of Element.
enum class Global : std::uint8_t { ordered_dict, rebuild_tensor, rebuild_parameter, first_storage };

struct GlobalName {
  std::string_view module, name;
};
constexpr GlobalName global_names[] = {{"collections", "OrderedDict"},
                                       {"torch._utils", "_rebuild_tensor_v2"},
                                       {"torch._utils", "_rebuild_parameter"},
                                       {"torch", "HalfStorage"},
                                       {"torch", "BFloat16Storage"},
                                       {"torch", "FloatStorage"},
                                       {"torch", "DoubleStorage"},
                                       {"torch", "ByteStorage"},
                                       {"torch", "CharStorage"},
                                       {"torch", "ShortStorage"},
                                       {"torch", "IntStorage"},
                                       {"torch", "LongStorage"},
                                       {"torch", "BoolStorage"}};

class Unpickler {
 public:
  Unpickler(const std::string& where, std::string_view pickle) : where_(where), rest_(pickle) {}

  std::vector<TensorRecord> state_dict() {
    const Ref root = run();
    if (at(root).kind != Kind::dict) {
      refuse("is {}, not a dict of tensors: save model.state_dict()", kind_name(root));
    }
    std::vector<TensorRecord> records;
    std::set<std::string_view> names;
    const std::vector<Ref>& items = at(root).items;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const Object& key = at(items[i]);
      if (key.kind != Kind::text) refuse("has a key that is {}, not a name", kind_name(items[i]));
      if (at(items[i + 1]).kind != Kind::tensor) {
        refuse("{} is {}, not a tensor: save model.state_dict() alone", quoted(std::string(key.text)),
               kind_name(items[i + 1]));
      }
      if (!names.insert(key.text).second) refuse("{} is there twice", quoted(std::string(key.text)));
      records.push_back(record(std::string(key.text), at(items[i + 1])));
    }
    return records;
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> rule, Args&&... args) const {
    fail("{}: {}", where_, formatted(rule, std::forward<Args>(args)...));
  }

  // --- Bytes -------------------------------------------------------------------------------------------------------

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) refuse("the pickle ended early");
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    if (end == rest_.npos) refuse("the pickle ended early");
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  // --- Objects -----------------------------------------------------------------------------------------------------

  Object& at(Ref ref) { return objects_[ref]; }
  std::string_view kind_name(Ref ref) { return names_of_kinds[static_cast<std::size_t>(at(ref).kind)]; }

  void push(Object object) {
    if (objects_.size() >= most_objects) refuse("has more than {} objects", most_objects);
    objects_.push_back(std::move(object));
    stack_.push_back(static_cast<Ref>(objects_.size() - 1));
  }
  void push_integer(std::int64_t value) { push({.kind = Kind::integer, .integer = value}); }
  void push_text(std::string_view text) { push({.kind = Kind::text, .text = text}); }

  Ref pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) refuse("the pickle takes more than there is");
    const Ref ref = stack_.back();
    stack_.pop_back();
    return ref;
  }

  Ref top() {
    const Ref ref = pop();
    stack_.push_back(ref);
    return ref;
  }

  Ref pop(Kind kind) {
    const Ref ref = pop();
    if (at(ref).kind != kind) {
      refuse("the pickle has {} where {} must be", kind_name(ref), names_of_kinds[static_cast<std::size_t>(kind)]);
    }
    return ref;
  }

  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) refuse("the pickle takes more than there is");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Ref> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  std::vector<Ref> pop_count(std::size_t count) {
    std::vector<Ref> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    return items;
  }

  void add_to(Kind kind, const std::vector<Ref>& items) {
    const Ref ref = top();
    Object& target = at(ref);
    if (target.kind != kind) refuse("the pickle puts items into {}", kind_name(ref));
    if (kind == Kind::dict && items.size() % 2 != 0) refuse("the pickle has a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  // --- The machine -------------------------------------------------------------------------------------------------

  Ref run() {
    for (;;) {
      const char opcode = take(1)[0];
      if (opcode == '.') break;
      step(opcode);
    }
    const Ref root = pop();
    if (!stack_.empty() || !rest_.empty()) refuse("the pickle has more than one object");
    return root;
  }

  void step(char opcode) {
    switch (static_cast<unsigned char>(opcode)) {
      case 0x80: {  // PROTO
        const auto protocol = number<std::uint8_t>();
        if (protocol < 2 || protocol > 5) refuse("the pickle has protocol {}, 2 to 5 are read", protocol);
        return;
      }
      case 0x95:  // FRAME
        take(8);
        return;
      case 'N':
        return push({});
      case 0x88:  // NEWTRUE
        return push({.kind = Kind::boolean, .integer = 1});
      case 0x89:  // NEWFALSE
        return push({.kind = Kind::boolean});
      case 'J':  // BININT
        return push_integer(number<std::int32_t>());
      case 'K':  // BININT1
        return push_integer(number<std::uint8_t>());
      case 'M':  // BININT2
        return push_integer(number<std::uint16_t>());
      case 0x8a:  // LONG1
        return push_integer(long_integer());
      case 'G':  // BINFLOAT
        take(8);
        return push({.kind = Kind::real});
      case 'X':  // BINUNICODE
        return push_text(take(number<std::uint32_t>()));
      case 0x8c:  // SHORT_BINUNICODE
        return push_text(take(number<std::uint8_t>()));
      case 0x8d:  // BINUNICODE8
        return push_text(take(number<std::uint64_t>()));
      case ')':
        return push({.kind = Kind::tuple});
      case ']':
        return push({.kind = Kind::list});
      case '}':
        return push({.kind = Kind::dict});
      case 0x85:  // TUPLE1
      case 0x86:  // TUPLE2
      case 0x87:  // TUPLE3
        return push({.kind = Kind::tuple, .items = pop_count(static_cast<unsigned char>(opcode) - 0x84u)});
      case '(':  // MARK
        marks_.push_back(stack_.size());
        return;
      case 't':  // TUPLE
        return push({.kind = Kind::tuple, .items = pop_to_mark()});
      case 'a':  // APPEND
        return add_to(Kind::list, pop_count(1));
      case 'e':  // APPENDS
        return add_to(Kind::list, pop_to_mark());
      case 's':  // SETITEM
        return add_to(Kind::dict, pop_count(2));
      case 'u':  // SETITEMS
        return add_to(Kind::dict, pop_to_mark());
      case 'q':  // BINPUT
        return put(number<std::uint8_t>());
      case 'r':  // LONG_BINPUT
        return put(number<std::uint32_t>());
      case 0x94:  // MEMOIZE
        return put(static_cast<std::uint32_t>(memo_.size()));
      case 'h':  // BINGET
        return get(number<std::uint8_t>());
      case 'j':  // LONG_BINGET
        return get(number<std::uint32_t>());
      case 'c': {  // GLOBAL
        const std::string_view module = line(), name = line();
        return push_global(module, name);
      }
      case 0x93: {  // STACK_GLOBAL
        const std::string_view name = at(pop(Kind::text)).text, module = at(pop(Kind::text)).text;
        return push_global(module, name);
      }
      case 'Q':  // BINPERSID
        return push_storage();
      case 'R':  // REDUCE
        return reduce();
      case 'b':  // BUILD
        return build();
      default:
        refuse("the pickle has opcode {}, which plain tensors do not need",
               static_cast<unsigned>(static_cast<unsigned char>(opcode)));
    }
  }

  // Two's complement, little endian, of as many bytes as needed.
  std::int64_t long_integer() {
    const auto count = number<std::uint8_t>();
    if (count > 8) refuse("the pickle has an integer of {} bytes", count);
    const std::string_view bytes = take(count);
    const bool negative = count > 0 && static_cast<signed char>(bytes.back()) < 0;
    std::int64_t value = negative ? -1 : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  void put(std::uint32_t place) { memo_[place] = top(); }

  void get(std::uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) refuse("the pickle asks for object {}, which it has not put anywhere", place);
    stack_.push_back(found->second);
  }

  void push_global(std::string_view module, std::string_view name) {
    for (std::int64_t i = 0; const GlobalName& known : global_names) {
      if (known.module == module && known.name == name) return push({.kind = Kind::global, .integer = i});
      ++i;
    }
    refuse("{} is needed to read it, only plain tensors are read", quoted(formatted("{}.{}", module, name)));
  }

  bool is(Ref ref, Global global) { return at(ref).integer == static_cast<std::int64_t>(global); }

  // ("storage", class, key, device, number of elements)
  void push_storage() {
    const std::vector<Ref> id = at(pop(Kind::tuple)).items;
    if (id.size() != 5 || at(id[0]).kind != Kind::text || at(id[0]).text != "storage" ||
        at(id[1]).kind != Kind::global || at(id[1]).integer < static_cast<std::int64_t>(Global::first_storage) ||
        at(id[2]).kind != Kind::text || at(id[4]).kind != Kind::integer) {
      refuse("the pickle has a storage of another kind");
    }
    push({.kind = Kind::storage, .items = id});
  }

  void reduce() {
    const std::vector<Ref> arguments = at(pop(Kind::tuple)).items;
    const Ref function = pop(Kind::global);
    if (is(function, Global::ordered_dict) && arguments.empty()) return push({.kind = Kind::dict});
    if (is(function, Global::rebuild_tensor) && (arguments.size() == 6 || arguments.size() == 7)) {
      return push({.kind = Kind::tensor, .items = arguments});
    }
    // (tensor, requires_grad, hooks)
    if (is(function, Global::rebuild_parameter) && arguments.size() == 3 && at(arguments[0]).kind == Kind::tensor) {
      return stack_.push_back(arguments[0]);
    }
    refuse("the pickle makes an object that is no plain tensor");
  }

  // The attributes of an OrderedDict: a state dict's notes on versions of modules.
  void build() {
    pop();
    if (at(top()).kind != Kind::dict) refuse("the pickle sets attributes of {}", kind_name(top()));
  }

  // --- Tensors -----------------------------------------------------------------------------------------------------

  std::int64_t integer(const std::string& name, Ref ref) {
    if (at(ref).kind != Kind::integer || at(ref).integer < 0) {
      refuse("{} has {} where a size must be", quoted(name),
             at(ref).kind == Kind::integer ? "a negative number" : kind_name(ref));
    }
    return at(ref).integer;
  }

  std::vector<std::int64_t> integers(const std::string& name, Ref ref) {
    if (at(ref).kind != Kind::tuple) refuse("{} has {} where sizes must be", quoted(name), kind_name(ref));
    if (at(ref).items.size() > static_cast<std::size_t>(Shape::max_dims)) {
      refuse("{}: at most {} dims are supported, got {}", quoted(name), Shape::max_dims, at(ref).items.size());
    }
    std::vector<std::int64_t> values;
    for (const Ref item : at(ref).items) values.push_back(integer(name, item));
    return values;
  }

  // A tensor's items are (storage, offset, sizes, strides, ...).
  TensorRecord record(const std::string& name, const Object& tensor) {
    const Ref storage = tensor.items[0];
    if (at(storage).kind != Kind::storage) refuse("{} has {} as storage", quoted(name), kind_name(storage));
    const std::vector<Ref>& id = at(storage).items;
    TensorRecord record{
        .name = name,
        .storage = std::string(at(id[2]).text),
        .element = static_cast<Element>(at(id[1]).integer - static_cast<std::int64_t>(Global::first_storage)),
        .storage_size = integer(name, id[4]),
        .offset = integer(name, tensor.items[1]),
        .sizes = integers(name, tensor.items[2]),
        .strides = integers(name, tensor.items[3])};
    check(record);
    return record;
  }

  // Every element is inside the storage.
  void check(const TensorRecord& record) const {
    const std::string name = quoted(record.name);
    if (record.sizes.size() != record.strides.size()) refuse("{} has another number of strides than of sizes", name);
    std::int64_t bytes = 2 * sizeof(double), last = record.offset;
    bool overflows = false, empty = false;
    for (std::size_t i = 0; i < record.sizes.size(); ++i) {
      std::int64_t reach = 0;
      empty = empty || record.sizes[i] == 0;
      overflows |= __builtin_mul_overflow(bytes, std::max<std::int64_t>(record.sizes[i], 1), &bytes);
      overflows |= __builtin_mul_overflow(std::max<std::int64_t>(record.sizes[i], 1) - 1, record.strides[i], &reach);
      overflows |= __builtin_add_overflow(last, reach, &last);
    }
    if (overflows) refuse("{} is too large", name);
    if (record.offset > record.storage_size || (!empty && last >= record.storage_size)) {
      refuse("{} reaches to element {} of a storage of {}", name, last, record.storage_size);
    }
  }

  const std::string& where_;
  std::string_view rest_;
  std::vector<Object> objects_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::unordered_map<std::uint32_t, Ref> memo_;
};

}  // namespace

std::vector<TensorRecord> read_state_dict(const std::string& where, std::string_view pickle) {
  return Unpickler(where, pickle).state_dict();
}

}  // namespace gradus::torch_file
