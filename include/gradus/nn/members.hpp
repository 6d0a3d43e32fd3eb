// GRADUS_MODULE: a module names its members once, and everything that walks over them follows.
#pragma once

#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "gradus/nn/parameter.hpp"

namespace gradus::nn {

class Module;

// Where a member is: the names on the way down to it. It becomes text only where somebody wants the text.
struct MemberPath {
  const MemberPath* parent = nullptr;
  std::string_view name = {};  // the name of a member; an element of a list has none, but an index
  std::int64_t index = 0;

  std::string to_string() const;  // "blocks.0.up.weight", PyTorch's key
};

// Sees every member of a module, its own first to last, and those of modules inside at their place.
class MemberVisitor {
 public:
  virtual void parameter(const MemberPath&, Parameter&) {}
  virtual void buffer(const MemberPath&, Buffer&) {}
  virtual void module(const MemberPath& path, Module& module);  // enters it

 protected:
  ~MemberVisitor() = default;
};

namespace detail {

template <class T>
concept ListOfMembers = requires(T& list) {
  std::begin(list);
  std::end(list);
};

// std::optional and std::unique_ptr
template <class T>
concept MaybeMember = requires(T& maybe) {
  {static_cast<bool>(maybe)};
  *maybe;
};

// AnyModule
template <class T>
concept HolderOfModule = requires(T& holder) {
  { *holder } -> std::convertible_to<Module&>;
};

template <class T>
void visit_member(MemberVisitor& visitor, const MemberPath& path, T& member) {
  if constexpr (std::derived_from<T, Parameter>) {
    if (member.defined()) visitor.parameter(path, member);
  } else if constexpr (std::derived_from<T, Buffer>) {
    if (member.defined()) visitor.buffer(path, member);
  } else if constexpr (std::derived_from<T, Module>) {
    visitor.module(path, member);
  } else if constexpr (std::derived_from<T, Tensor>) {
    static_assert(!sizeof(T), "GRADUS_MODULE: a Tensor must be an nn::Parameter (trained) or an nn::Buffer (saved)");
  } else if constexpr (ListOfMembers<T>) {
    std::int64_t index = 0;
    for (auto& element : member) visit_member(visitor, MemberPath{&path, {}, index++}, element);
  } else if constexpr (MaybeMember<T>) {
    if (member) visit_member(visitor, path, *member);
  } else if constexpr (HolderOfModule<T>) {
    visitor.module(path, *member);
  } else {
    static_assert(!sizeof(T),
                  "GRADUS_MODULE: a member must be an nn::Parameter, an nn::Buffer, a module, an nn::AnyModule, or a "
                  "std::vector, std::array, std::optional or std::unique_ptr of these");
  }
}

// Takes the first name off a list such as "up, down, norm".
constexpr std::string_view take_name(std::string_view& names) {
  const std::size_t comma = names.find(',');
  std::string_view name = names.substr(0, comma);
  names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
  while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
  while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
  return name;
}

template <class... Members>
void visit_members(MemberVisitor& visitor, const MemberPath& path, std::string_view names, Members&... members) {
  (visit_member(visitor, MemberPath{&path, take_name(names)}, members), ...);
}

}  // namespace detail
}  // namespace gradus::nn

// Stands in a module's class and lists its parameters, buffers and modules; also vectors, arrays, optionals and unique
// pointers of these. `GRADUS_MODULE(up, down)` gives the names "up.weight", "down.weight" and so on.
// The list replaces that of a base class: a class derived from Linear names `weight, bias` as well.
#define GRADUS_MODULE(...)                                                                                     \
  void visit_members(::gradus::nn::MemberVisitor& gradus_visitor, const ::gradus::nn::MemberPath& gradus_path) \
      override {                                                                                               \
    ::gradus::nn::detail::visit_members(gradus_visitor, gradus_path, #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__); \
  }
