#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "gradus/nn/any_module.hpp"

namespace gradus::nn {

namespace detail {

// Goes over the modules that AnyModules hold.
template <class Iterator>
class ModuleIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Module;
  using difference_type = std::ptrdiff_t;
  using pointer = Module*;
  using reference = Module&;

  ModuleIterator() = default;
  explicit ModuleIterator(Iterator at) : at_(at) {}
  Module& operator*() const { return **at_; }
  Module* operator->() const { return &**at_; }
  ModuleIterator& operator++() {
    ++at_;
    return *this;
  }
  ModuleIterator operator++(int) { return ModuleIterator(at_++); }
  bool operator==(const ModuleIterator& other) const { return at_ == other.at_; }

 private:
  Iterator at_{};
};

}  // namespace detail

// Modules of any classes, held by value, named "0", "1", ... What is done with them the module says that has the list:
// the list itself cannot be called.
class ModuleList : public Module {
 public:
  using iterator = detail::ModuleIterator<std::vector<AnyModule>::const_iterator>;

  ModuleList() = default;
  ModuleList(std::initializer_list<AnyModule> modules) : modules_(modules) {}

  ModuleList& append(AnyModule module);
  ModuleList& extend(const ModuleList& modules);  // with copies
  // In front of the module of this index. Throws unless -size() <= index <= size().
  void insert(std::int64_t index, AnyModule module);

  std::int64_t size() const { return static_cast<std::int64_t>(modules_.size()); }
  bool empty() const { return modules_.empty(); }
  // Throws unless -size() <= index < size().
  Module& operator[](std::int64_t index) const;
  iterator begin() const { return iterator(modules_.begin()); }
  iterator end() const { return iterator(modules_.end()); }

  void visit_members(MemberVisitor& visitor, const MemberPath& path) override;

 private:
  detail::Nested<AnyModule> modules_;
};

// Modules by name, in the order in which they came.
class ModuleDict : public Module {
 public:
  using Item = std::pair<std::string, AnyModule>;

  ModuleDict() = default;
  // Throws if a key comes twice, is empty or has a dot.
  ModuleDict(std::initializer_list<Item> modules);

  // Puts a module under a key, in the place of the one that is there. Throws if the key is empty or has a dot.
  void insert(const std::string& key, AnyModule module);
  // Removes a module and returns it. Throws if there is none.
  AnyModule pop(const std::string& key);

  std::int64_t size() const { return static_cast<std::int64_t>(items_.size()); }
  bool empty() const { return items_.empty(); }
  bool contains(const std::string& key) const;
  // Throws, naming the keys that there are, if this one is not among them.
  Module& operator[](const std::string& key) const;
  std::vector<std::string> keys() const;
  std::vector<Item>::const_iterator begin() const { return items_.begin(); }
  std::vector<Item>::const_iterator end() const { return items_.end(); }

  void visit_members(MemberVisitor& visitor, const MemberPath& path) override;

 private:
  detail::Nested<Item> items_;
};

}  // namespace gradus::nn
